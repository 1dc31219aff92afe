#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every short program: the same for any number of processes, resumed, and what is bad is told.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

states_of() { sed -E 's/.* ([0-9]+) states.*/\1/' "$1"; }

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
[[ $(states_of alike) == "$(states_of out)" ]] || fail "resumed, it found other states alike: $(cat alike out)"
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --jobs 3
cmp -s alike out && fail "no two states were alike: $(cat out)"

# Orders of independent lines: the same states; all of every order is run, and answers as the one in the table's order.
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --jobs 1
cp out once
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --orders --jobs 1
cp out all
expect 0 "$DXGKMEM" explore --depth 3 --deviations 0 --jobs 100 --resume many
programs_of() { sed -E 's/.* ([0-9]+) programs.*/\1/' "$1"; }
[[ $(states_of all) == "$(states_of once)" ]] || fail "every order leads to other states: $(cat all once)"
[[ $(programs_of all) -gt $(programs_of once) ]] || fail "all of every order is no more: $(cat all once)"
[[ $(states_of out) == "$(states_of once)" ]] || fail "a hundred processes with little to say each found other states: $(cat out err)"
expect 0 "$DXGKMEM" explore --depth 2 --resume once.states
expect 0 "$DXGKMEM" explore --depth 2 --orders --resume all.states
numbers() { od -An -v -t x8 -w24 -j 56 "$1" | awk '{ print $1 }' | sort; }
numbers once.states >once
numbers all.states >all
[[ $(wc -l <once) -gt 10000 ]] || fail "only $(wc -l <once) states after two lines"
cmp -s once all || fail 'every order leads to other states after two lines'

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
