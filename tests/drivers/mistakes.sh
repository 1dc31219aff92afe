#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Each patch of mistakes/ makes one mistake in the sample driver, or with "of: older" in the older one; the kit must find it within ten seconds, by
# the name that the patch says, and name the line that is marked "the mistake".
# usage: mistakes.sh BUILD [NAME...]     BUILD: a folder in which dxgkmem was built
set -u -o pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
build=${1:?usage: mistakes.sh BUILD [NAME...]}
build=$(cd "$build" && pwd) || exit 2
shift
cc=${CC:-cc}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
flags=(-std=c17 -O1 -g -fshort-wchar -fno-omit-frame-pointer -fno-optimize-sibling-calls -Wno-multichar
    -I"$root/include" -I"$root/include/wdk")
lib=$build/src
libraries=("$lib/libdxgkmem_kit_test.a" "$lib/libdxgkmem_kit.a" "$lib/libdxgkmem.a" "$lib/libdxgkmem_sim.a"
    "$lib/libdxgkmem_host_user.a" -pthread -ldl)
failed=0

fail() {
    printf 'FAIL %s: %s\n' "$1" "$2"
    failed=1
}

if (($#)); then
    patches=()
    for name in "$@"; do patches+=("$here/mistakes/$name.patch"); done
else
    patches=("$here"/mistakes/*.patch)
fi
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    [[ -e $patch ]] || { echo "mistakes.sh: no such mistake: $name" >&2; exit 2; }
    rm -rf "$work/driver" && mkdir "$work/driver"
    sources=("$here"/sample*.[ch] "$here/harness.c")
    grep -qx 'of: older' "$patch" && sources=("$here"/older*.[ch])
    cp "${sources[@]}" "$work/driver"
    (cd "$work/driver" && patch -s -p1 <"$patch" && "$cc" "${flags[@]}" ./*.c "${libraries[@]}" -o driver) >"$work/log" 2>&1 || {
        fail "$name" "does not build: $(head -n 3 "$work/log")"
        continue
    }
    finds=$(sed -n 's/^finds: //p' "$patch")
    line=$(cd "$work/driver" && grep -n 'the mistake' ./*.c | sed -E 's,^\./([^:]+:[0-9]+):.*,\1,')
    [[ $line ]] || fail "$name" 'no line is marked'
    (cd "$work/driver" && timeout 10 ./driver --rounds 20) >"$work/out" 2>"$work/err"
    status=$?
    [[ $status == 1 ]] || fail "$name" "ended with $status, not 1, within ten seconds: $(tail -n 2 "$work/out" "$work/err")"
    # The finding of this name, with its stacks: up to the next one.
    awk -v name=": $finds: " '/^finding /{ on = index($0, name) } on' "$work/err" >"$work/found"
    [[ -s $work/found ]] || fail "$name" "no finding $finds: $(grep '^finding' "$work/err")"
    grep -qE "$line( |:|$)" "$work/found" || fail "$name" "$line is not named: $(head -n 8 "$work/found")"
    printf '%-28s %s\n' "$name" "$(grep -m 1 '^finding' "$work/found")"
done
exit $failed
