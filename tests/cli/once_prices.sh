#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The patches by which ./dev bench --prices takes features out of core: each says what it takes out, is about core
# alone, still applies, and leaves code that compiles without a warning.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v patch >/dev/null || exit 77

for patch in "$ROOT"/tests/bench/without/*.patch; do
    name=$(basename "$patch" .patch)
    grep -q '^removes: .' "$patch" || fail "$name: there is no line 'removes: ...'"
    mapfile -t touched < <(sed -n 's#^+++ b/##p' "$patch")
    for file in "${touched[@]}"; do
        [[ $file == src/core/*.[ch] ]] || fail "$name: $file is not core's"
    done
    mkdir -p "$name/src"
    cp -r "$ROOT/src/core" "$name/src"
    patch -d "$name" -p1 -s -N --no-backup-if-mismatch -i "$patch" || fail "$name does not apply"
    cd "$name" || exit 2
    [[ " ${touched[*]} " != *.h' '* ]] || touched=(src/core/*.c)
    for file in "${touched[@]}"; do
        "${CC:-cc}" -std=c17 -O2 -DNDEBUG -ffreestanding -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes \
            -Wmissing-prototypes -Werror -I"$ROOT/include" -fsyntax-only "$file" || fail "$name: $file does not compile"
    done
    cd ..
done
echo "$(find . -mindepth 1 -maxdepth 1 -type d | wc -l) patches"
finish
