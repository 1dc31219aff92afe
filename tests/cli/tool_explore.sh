#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every short program: the same for any number of processes, resumed, and what is bad is told.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

expect 0 "$DXGKMEM" explore --depth 1 --jobs 1
grep -qE '^no divergence among [0-9]{3,} programs / 2 states to depth 1$' out || fail "no such end: $(cat out)"
expect 0 "$DXGKMEM" explore --depth 2 --deviations 0 --jobs 1
cp out one
expect 0 "$DXGKMEM" explore --depth 2 --deviations 0 --jobs 3
cmp -s one out || fail "three processes found other states than one: $(cat one out)"

# States that answer alike: fewer, and the same ones for any number of processes.
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --alike 1 --jobs 1
cp out alike
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --alike 1 --jobs 3
cmp -s alike out || fail "three processes found other states alike than one: $(cat alike out)"
expect 0 "$DXGKMEM" explore --depth 2 --deviations 0 --alike 1 --resume alike.states
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --alike 1 --resume alike.states
cmp -s alike out || fail "resumed, it found other states alike: $(cat alike out)"
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --jobs 3
cmp -s alike out && fail "no two states were alike: $(cat out)"

# Orders of independent lines: more states, and nothing else in them, either.
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --jobs 1
cp out once
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --orders --jobs 1
cp out all
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --jobs 100 --resume many
cmp -s once out || fail "a hundred processes with little to say each found other states: $(cat out err)"
more() { [[ $(sed -E 's/.* ([0-9]+) states.*/\1/' "$1") -gt $(sed -E 's/.* ([0-9]+) states.*/\1/' "$2") ]]; }
more all once || fail "every order is no more than one: $(cat all once)"

# From depth 1 to depth 2 by way of the file; then there is nothing left to do, and what is known is told.
expect 0 "$DXGKMEM" explore --depth 1 --deviations 0 --resume states
expect 0 "$DXGKMEM" explore --depth 2 --deviations 0 --resume states
cmp -s one out || fail "resumed, it found other states: $(cat one out)"
expect 0 "$DXGKMEM" explore --depth 2 --deviations 0 --resume states
cmp -s one out || fail "done already, it tells something else: $(cat one out)"

expect 2 "$DXGKMEM" explore
one_line 'explore wants --depth N'
expect 2 "$DXGKMEM" explore --depth 0
one_line "--depth takes a number from 1 to 16, not '0'"
expect 2 "$DXGKMEM" explore --depth 99
one_line "not '99'"
expect 2 "$DXGKMEM" explore --depth 1 --jobs 0
one_line "--jobs takes a number from 1 to"
expect 2 "$DXGKMEM" explore --depth 1 --deviations -1
one_line "--deviations takes a number"
expect 2 "$DXGKMEM" explore --depth 1 --alike 0
one_line "--alike takes a number from 1 to 16, not '0'"
expect 2 "$DXGKMEM" explore --depth 1 file.txt
one_line "'file.txt'"
expect 2 "$DXGKMEM" explore --depth 1 --deviations 1 --resume states
one_line 'states: is of another build of dxgkmem, or of other --deviations, --alike or --orders'
expect 2 "$DXGKMEM" explore --depth 1 --deviations 0 --orders --resume states
one_line 'states: is of another build of dxgkmem'
expect 2 "$DXGKMEM" explore --depth 1 --resume .
one_line '.: cannot be read'
expect 2 "$DXGKMEM" explore --depth 1 --resume nowhere/states
one_line 'nowhere/states: cannot be written'
echo 'world small' >text
expect 2 "$DXGKMEM" explore --depth 1 --resume text
one_line 'text: is not a file of explore --resume'
head -c -5 states >short
expect 2 "$DXGKMEM" explore --depth 2 --deviations 0 --resume short
one_line 'short: is damaged'
[[ $(wc -c <short) == $(($(wc -c <states) - 5)) ]] || fail 'a damaged file was written to'
printf '\377' | dd of=states bs=1 seek=200 conv=notrunc status=none
expect 2 "$DXGKMEM" explore --depth 2 --deviations 0 --resume states
one_line 'states: is damaged'
finish
