#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A full disk, a pipe that closes, an interrupt: one line, the right exit, no file in part.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

mkdir texts
for seed in $(seq 40); do "$DXGKMEM" generate --seed "$seed" --lines 100 >"texts/$seed.txt"; done

if [[ -w /dev/full ]]; then
    "$DXGKMEM" show texts >/dev/full 2>err
    [[ $? == 2 ]] || fail 'a full disk under stdout is not exit 2'
    one_line 'standard output: cannot be written: No space left on device'
fi

expect 2 "$DXGKMEM" pack -o /nowhere/at/all texts/1.txt
one_line '/nowhere/at/all: cannot be written'
expect 2 "$DXGKMEM" pack texts
one_line '-o OUT'
echo old >file
expect 2 "$DXGKMEM" pack -o file texts
one_line 'file: cannot be made'
expect 0 "$DXGKMEM" pack -o file texts/1.txt
"$DXGKMEM" show file | cmp -s - texts/1.txt || fail 'an existing file was not replaced'

# A disk of 64 KiB: what does not fit is not there at all.
if [[ $(id -u) == 0 ]] && mkdir disk && mount -t tmpfs -o size=65536 none disk 2>/dev/null; then
    head -c 60000 /dev/zero >disk/ballast
    expect 2 "$DXGKMEM" pack -o disk texts
    grep -q 'cannot be written: No space left on device' err || fail "no word of the full disk: $(head -n 1 err)"
    find disk -name '*.new' | grep -q . && fail 'a file in part is left'
    for file in disk/[0-9]*; do
        [[ -e $file ]] || continue
        "$DXGKMEM" show "$file" | cmp -s - "texts/$(basename "$file").txt" || fail "$file is not whole"
    done
    umount disk
fi

# An interrupt: 130.
mkdir many
for i in $(seq 3000); do ln texts/1.txt "many/$i.txt"; done
set -m # or the interrupt is ignored in the background
"$DXGKMEM" run many >out 2>err &
pid=$!
until [[ -s out ]] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done # it is at work
kill -INT $pid 2>/dev/null
wait $pid
status=$?
[[ $status == 130 || $status == 0 ]] || fail "an interrupt ends with $status"
[[ $status == 0 ]] || one_line 'interrupted'
finish
