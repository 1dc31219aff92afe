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

# By the main command: once, and the trace names the thread whose line it is.
expect 0 "$DXGKMEM" run --schedule "$ROOT/corpus/seeds/threads-quota.txt"
grep -qE '^ +[0-9]+  1  create o1 ' out || fail "the trace does not say what thread 1 did: $(cat out)"
grep -qE '^ +[0-9]+  2  create o2 ' out || fail "the trace does not say what thread 2 did: $(cat out)"
prints '1 with threads, 1 schedules'
expect 0 "$DXGKMEM" run --schedule --quiet --lenient empty bytes
prints 'clean: 2 programs, 0 with threads'
expect 2 "$DXGKMEM" run --schedule --golden golden "$threads"
one_line '--schedule goes with --trace, --quiet and --lenient only'
expect 2 "$DXGKMEM" run --schedule nowhere
one_line "nowhere: cannot be read"
mkdir alone && cp "$DXGKMEM" alone/
expect 2 alone/dxgkmem run --schedule "$threads"
one_line 'alone/dxgkmem-schedule cannot be run: No such file or directory'
finish
