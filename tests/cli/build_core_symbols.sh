#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What core asks of its surroundings is what host.h declares, and the two memory functions that a
# compiler may call on its own. Nothing else is undefined in it.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v nm >/dev/null || exit 77

objects=()
for file in "$ROOT"/src/core/*.c; do
    object=$(basename "$file" .c).o
    "${CC:-cc}" -std=c17 -O2 -ffreestanding -fno-stack-protector -fno-pic -I"$ROOT/include" -c "$file" -o "$object" ||
        fail "${file#"$ROOT"/} does not compile"
    objects+=("$object")
done
nm -g "${objects[@]}" | awk 'NF == 3 && $2 != "U" { print $3 }' | sort -u >defined
nm -u "${objects[@]}" | awk 'NF == 2 && $1 == "U" { print $2 }' | sort -u >undefined
[[ -s defined && -s undefined ]] || fail "nm lists nothing"
comm -13 defined undefined >asked
grep -oE '\bdxgkmem_host_[a-z_]+' "$ROOT/include/dxgkmem/host.h" | sort -u >offered
printf 'memcpy\nmemset\n' | sort - offered >allowed
extra=$(comm -23 asked allowed | tr '\n' ' ')
[[ -z $extra ]] || fail "core asks for more than host.h offers: $extra"
unused=$(comm -23 offered asked | tr '\n' ' ')
[[ -z $unused ]] || fail "host.h declares what core never calls: $unused"
finish
