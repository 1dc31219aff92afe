#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What judges ./dev coverage, on the saved exports of a program of ten lines: it is quiet while all is as recorded,
# and one figure that fell, or one failing call that was never seen, is told and ends it with 1.
source "$ROOT/tests/cli/lib.sh"
cp -r "$ROOT"/tests/coverage/example/. .
mkdir full less
cp all.json lcov.info faults.json full
for file in all.json lcov.info faults.json; do cp "less-$file" "less/$file"; done
printf 'core lines 100.00\ncore branches 100.00\ncore mcdc 100.00\n' >recorded.txt
report() { expect "$1" python3 "$ROOT/tests/coverage/report.py" "${@:2}"; }

report 0 full recorded.txt
prints 'calls in core that can fail: 1; tests of a status: 1; not seen both ways by the tests with failing calls: 0'
report 0 full recorded.txt --sites
grep -qE '^src/core/example.c:7 +populate .* 1 +1$' out || fail "the call is not listed with its outcomes: $(cat out)"
# a figure above what was reached
cp full/faults.json less/faults.json
report 1 less recorded.txt
prints 'core: lines fell to 87.50 %, recorded are 100.00 %'
prints 'core: branches fell to 66.67 %, recorded are 100.00 %'
prints 'core: MC/DC fell to 50.00 %, recorded are 100.00 %'
prints 'src/core/example.c:10'
prints 'src/core/example.c:11:9 in build: condition 2 decides nothing by itself'
# each figure by itself, raised by a hundredth above what this run recorded
printf '# kept\n' >recorded.txt
report 0 less recorded.txt --record
[[ $(grep '^core' recorded.txt | tr '\n' ' ') == 'core lines 87.50 core branches 66.66 core mcdc 50.00 ' ]] ||
    fail "other figures were recorded: $(cat recorded.txt)"
[[ $(grep -c '^[^#]' recorded.txt) == 3 ]] || fail "figures of more than core were recorded: $(cat recorded.txt)"
report 0 less recorded.txt
while read -r kind was raised title; do
    sed "s/^core $kind $was\$/core $kind $raised/" recorded.txt >raised.txt
    report 1 less raised.txt
    [[ $(grep -c ' fell to ' out) == 1 ]] || fail "one figure was raised: $(cat out)"
    prints "core: $title fell to "
    cp raised.txt again.txt
    report 1 less again.txt --record
    cmp -s raised.txt again.txt || fail "a figure was lowered: $(cat again.txt)"
done <<'RAISED'
lines 87.50 87.51 lines
branches 66.66 66.67 branches
mcdc 50.00 50.01 MC/DC
RAISED
# a call that the tests with failing calls never saw fail
cp less-faults.json full/faults.json
report 1 full recorded.txt
prints 'src/core/example.c:7: populate: the tests with failing calls never saw it fail and succeed'
prints 'src/core/example.c:9: build: the test of the status was never true'
report 1 full recorded.txt --text
# what nobody can read
echo 'core lines many' >recorded.txt
report 2 full recorded.txt
one_line 'recorded.txt:1: expected a part, a kind and a figure'
finish
