#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every point of failure of a program: counted, and what is bad is told.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

# Adding adapters, creating an object: each asks the host for something.
printf 'add d0\nadd d1\ncreate o0 a0\nfail nth=1\ndestroy o0 with=a0\n' >one.txt
expect 0 "$DXGKMEM" faults one.txt
points=$(sed -n 's/^ *\([0-9]*\) points  one.txt$/\1/p' out)
[[ $points -ge 4 ]] || fail "there are only '$points' points"
prints "clean: 1 program, $points points of failure"
pairs=$(sed -n 's/.* points of failure, \([0-9]*\) runs$/\1/p' out)
expect 0 "$DXGKMEM" faults --singles --quiet one.txt
prints "clean: 1 program, $points points of failure, $((points + 1)) runs"
[[ $(wc -l <out) == 1 ]] || fail '--quiet prints more than the last line'
[[ $pairs -gt $((points + 1)) ]] || fail 'no pairs were run'

# A plan is a line of the language. The second fault comes as many calls after the first as it says.
printf 'fail nth=1 then=1\nadd d0\nadd d0\nadd d0\n' >plan.txt
expect 0 "$DXGKMEM" run plan.txt
[[ $(grep -c 'add d0 -> STATUS_INSUFFICIENT_RESOURCES' out) == 2 ]] || fail "not two faults: $(cat out)"
expect 0 "$DXGKMEM" show plan.txt
prints 'fail then=1'

expect 2 "$DXGKMEM" faults
one_line 'no file is named'
expect 2 "$DXGKMEM" faults missing.txt
one_line 'missing.txt: cannot be read'
expect 2 "$DXGKMEM" faults --save nowhere one.txt
one_line 'nowhere: no folder'
printf 'craete o0\n' >bad.txt
expect 2 "$DXGKMEM" faults bad.txt
one_line 'bad.txt:1: unknown operation'
finish
