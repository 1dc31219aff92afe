#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Plants each bug of mutants/ in the plain implementation and has the harness look for it: with the corpus, or,
# where the patch says "oracle: faults", with every call of the host failing. Each must be found, as the
# invariant that its patch names; without a bug nothing may be.
#
#   mutants.sh [NAME...]     ROOT: the project's folder, DXGKMEM: the tool, CC: a compiler
set -u -o pipefail

folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
here=$ROOT/tests/providers
flags=(-D_GNU_SOURCE -std=c17 -O1 -g -fPIC -I"$ROOT/include")
missed=0

(($#)) || set -- "$here"/mutants/*.patch
mkdir -p "$folder/machine" "$folder/tree/tests/providers"
(cd "$folder/machine" && "$CC" "${flags[@]}" -c "$ROOT"/src/machine/sim/*.c "$ROOT"/src/host/user/*.c) || exit 2

build() { # build OUT
    "$CC" "${flags[@]}" -shared -o "$1" "$folder"/tree/tests/providers/plain/*.c "$folder"/machine/*.o -lpthread
}

fresh() {
    rm -rf "$folder/tree/tests/providers/plain"
    cp -r "$here/plain" "$folder/tree/tests/providers/"
}

look() { # look ORACLE
    if [[ $1 == faults ]]; then
        "$DXGKMEM" faults --quiet --singles --provider "$folder/plain.so" "$ROOT"/corpus/seeds 2>"$folder/err"
    else
        "$DXGKMEM" run --quiet --provider "$folder/plain.so" "$ROOT"/corpus/seeds 2>"$folder/err"
    fi
}

fresh
build "$folder/plain.so" || exit 2
for oracle in run faults; do
    look "$oracle" >"$folder/out" || {
        echo "without a bug, $oracle finds something:"
        head -n 20 "$folder/out"
        exit 1
    }
done

for patch in "$@"; do
    [[ -e $patch ]] || patch=$here/mutants/$patch.patch
    name=$(basename "$patch" .patch)
    invariant=$(sed -n 's/^invariant: //p' "$patch")
    oracle=$(sed -n 's/^oracle: //p' "$patch")
    fresh
    if ! patch -s -p1 -d "$folder/tree" <"$patch" || ! build "$folder/plain.so"; then
        echo "$name: does not apply or build"
        missed=$((missed + 1))
        continue
    fi
    look "${oracle:-run}" >"$folder/out"
    status=$?
    first=$(sed -n 's/^finding: //p' "$folder/out" | sort | uniq -c | sort -rn | head -n 1 | sed 's/^ *[0-9]* //')
    if ((status != 1)) || ! grep -q "^finding: invariant $invariant:" "$folder/out"; then
        echo "$name: not found as invariant $invariant (status $status; ${first:-nothing})"
        missed=$((missed + 1))
    else
        printf '%-28s invariant %d, in %d programs\n' "$name" "$invariant" \
            "$(grep -c "^finding: invariant $invariant:" "$folder/out")"
    fi
done
((missed == 0)) && echo "every planted bug is found"
exit $((missed != 0))
