#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev: help, wrong usage, and the tool's verbs with file names of the caller's folder.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
dev=$ROOT/dev

expect 2 "$dev"
expect 0 "$dev" help
prints 'usage: ./dev VERB'
expect 2 "$dev" nonsense
one_line "unknown verb 'nonsense'"
for verb in fuzz test replay coverage mutants bench format lint; do
    expect 0 "$dev" "$verb" --help
    prints "usage: ./dev $verb"
done
expect 2 "$dev" fuzz --seconds soon
one_line "'soon'"
expect 2 "$dev" fuzz --seconds 0
expect 2 "$dev" fuzz --jobs
one_line '--jobs takes a value'
expect 2 "$dev" fuzz --jobs 999999
one_line 'at most 16 for each of the'
expect 2 "$dev" coverage --nonsense
one_line "'--nonsense'"
expect 2 "$DXGKMEM" version nonsense
one_line "'nonsense'"
expect 2 "$dev" fuzz --engine steam
one_line "unknown engine 'steam'"
expect 2 "$dev" fuzz --target ../../etc
one_line 'unknown target'
expect 2 "$dev" fuzz --host nt --provider "$ROOT/dev"
one_line '--provider is for --host user'
expect 2 "$dev" fuzz --target fuzz_schedule --provider "$ROOT/dev"
one_line '--provider is for --host user and the targets fuzz_program and fuzz_faults'
expect 2 "$dev" fuzz --nonsense
one_line "'--nonsense'"
expect 2 "$dev" test nonsense
one_line "'nonsense'"
expect 2 "$dev" replay --nonsense
one_line "'--nonsense'"
expect 2 "$dev" mutants --seconds long
expect 2 "$dev" bench --rounds many

expect 2 "$dev" replay --update mine.txt
one_line 'mine.txt: there is no such file'
expect 2 "$dev" replay --host linux --dma "$ROOT"/corpus/seeds/stop-first.txt
one_line '--dma runs the whole corpus'

printf 'world small\nadd d0\n' >mine.txt
expect 2 "$dev" replay --update mine.txt
one_line '--update is for the whole corpus'
expect 0 "$dev" replay mine.txt
prints 'fast mappings: clean: 1 program'
prints 'real mappings: clean: 1 program'
expect 0 "$dev" triage -o mine.triage mine.txt
prints 'report: mine.triage/report.html'
expect 0 "$dev" run mine.txt
prints 'clean: 1 program'
expect 2 "$dev" run missing.txt
one_line 'missing.txt: cannot be read'
finish
