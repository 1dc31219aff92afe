#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dxgkmem-schedule: what is no program is refused, errors name the command, a search that stopped early says so.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
schedule=$(dirname "$DXGKMEM")/dxgkmem-schedule
[[ -x $schedule ]] || exit 77 # not with every sanitizer

: >empty
expect 2 "$schedule" empty
one_line 'dxgkmem: empty: empty'
printf '\376\001%.0s' {1..150} >bytes
expect 2 "$schedule" bytes
one_line 'neither text nor a program of version'
expect 0 "$schedule" --lenient empty bytes
expect 2 "$schedule" --unknown empty
one_line "dxgkmem schedule: unrecognized option '--unknown'"

threads=$ROOT/corpus/seeds/threads-open_twice.txt
expect 0 "$schedule" --all --limit 5 "$threads"
prints 'not every schedule: stopped at 5; --limit takes more'
prints '1 with threads, 5 schedules'
expect 0 "$schedule" --all --bound 1 "$threads"
grep -q 'not every' out && fail "it stopped early: $(cat out)"
# As many as there are is not too few.
all=$(sed -nE 's/.* ([0-9]+) schedules$/\1/p' out)
expect 0 "$schedule" --all --bound 1 --limit "$all" "$threads"
grep -q 'not every' out && fail "of $all it left some: $(cat out)"
finish
