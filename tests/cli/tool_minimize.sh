#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Making programs small: what is kept, that nothing more can go, and bad input.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

# A violation among many other operations.
"$DXGKMEM" generate --seed 5 --lines 60 >noise
grep -v '^world' noise | grep -E '^(irql|process|add d[5-9])' | head -n 10 >others
{
    printf '# a driver\nworld huge\nadd d3 wddm=3.0\ncreate o7 a2 adapter=d3 type=contiguous size=0x9000\n'
    printf 'map m4 o7 size=0x2000\nadl l5 a2 size=0x3000\ndma_write d3 l5\n'
    printf 'free_adl a2 l5\nunmap o7 m4\ndestroy o7 with=a2\nclose a2\n'
    cat others
} >given.txt
expect 0 "$DXGKMEM" minimize --violation close_after_destroy given.txt
cp out small.txt
grep -q '^# violation close_after_destroy: ' small.txt || fail "no comment: $(cat small.txt)"
printf 'world small\nadd d0\ncreate o0 a0\ndestroy o0 with=a0\nclose a0\n' >wanted
grep -v '^#' small.txt | cmp -s - wanted || fail "not the smallest: $(cat small.txt)"
grep -q '^violation close_after_destroy at close: 4 operations, of' err || fail "summary: $(cat err)"

# None of its operations can go; the same input gives the same output.
mapfile -t lines < <(grep -vE '^(#|world)' small.txt)
for i in "${!lines[@]}"; do
    { echo 'world small'; for k in "${!lines[@]}"; do [[ $k == "$i" ]] || echo "${lines[k]}"; done; } >less.txt
    "$DXGKMEM" run --trace less.txt | grep -q 'close_after_destroy' && fail "line ${lines[i]} can go"
done
expect 0 "$DXGKMEM" minimize --violation close_after_destroy -o again.txt given.txt
cmp -s small.txt again.txt || fail 'the second time it is another program'
expect 0 "$DXGKMEM" minimize --violation close_after_destroy small.txt
cmp -s out small.txt || fail 'what is minimal changes'

# The class of operand stays.
printf 'world small\nadd d0\ncreate o0 a0\nclose a0\ncreate o1 a0\nclose previous:a0\nclose a0\n' >class.txt
expect 0 "$DXGKMEM" minimize --violation stale_handle class.txt
tail -n 1 out | grep -q '^close previous:a0$' || fail "another class: $(cat out)"

# bad input
expect 2 "$DXGKMEM" minimize
one_line 'no file is named'
expect 2 "$DXGKMEM" minimize given.txt small.txt
one_line 'one file'
expect 2 "$DXGKMEM" minimize missing.txt
one_line 'missing.txt: cannot be read'
expect 2 "$DXGKMEM" minimize given.txt
one_line 'given.txt: nothing is found'
expect 2 "$DXGKMEM" minimize --violation unmap_wrong_size given.txt
one_line 'does not provoke'
expect 2 "$DXGKMEM" minimize --violation nonsense given.txt
one_line "unknown violation 'nonsense'"
expect 2 "$DXGKMEM" minimize --time never given.txt
one_line "'never'"
expect 2 "$DXGKMEM" minimize --binary ./vanished given.txt
one_line './vanished: cannot be run'
expect 2 "$DXGKMEM" minimize --violation close_after_destroy -o missing/out given.txt
one_line 'missing/out: cannot be written'
finish
