#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev fuzz in a tree of its own, with a planted bug: one command leads to a finding that is as short as
# can be, a C file that shows it, and a page, in less than two minutes. What is counted is the processor
# time of the command and all that it starts, with one process at a time: what else the machine does
# changes it little, and alone the command takes hardly longer. The first build of the fuzzer is not
# counted; that of what the bug touches is. Before that: ./dev corpus --minimize, interrupted, leaves the
# live corpus as it was.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
for program in clang clang++ ninja patch pkg-config; do
    command -v $program >/dev/null || {
        echo "skipped: there is no $program"
        exit 77
    }
done
bug=adl-flush-missing invariant=5 shortest=3 limit=120

mkdir tree
tar -C "$ROOT" --exclude=./build --exclude=./.git -cf - . | tar -C tree -xf - || exit 2
home=tree/build/fuzz/fuzz_program
fuzzer=$work/tree/build/libfuzzer/fuzz

# The tree as it is: built, and nothing is found.
# On a busy machine two seconds are not enough for a live corpus.
for _ in 1 2 3 4 5; do
    expect 0 ./tree/dev fuzz --seconds 2 --jobs 1
    prints 'nothing found'
    (($(find $home/corpus -type f | wc -l) <= 10)) || break
done

# Two at once: the second one leaves the first one's folders alone. The first has time enough, however busy the machine.
./tree/dev fuzz --seconds 900 --jobs 1 >first 2>&1 </dev/null &
first=$!
until [[ -s first && -s $home/job.1/log ]] || ! kill -0 $first; do sleep 0.2; done
# A status file is another one each second.
folders() { (cd $home && find job.* ! -name 'status.*' -printf '%p %i\n' | sort); }
folders >before
expect 2 ./tree/dev fuzz --seconds 2 --jobs 1 --fresh
one_line 'build/fuzz/fuzz_program is being fuzzed already'
kill -TERM $first
wait $first
(($? == 130)) || fail "the first of two ended otherwise than interrupted: $(cat first)"
folders | comm -23 before - | grep . && fail "folders of the first of two went"
expect 0 ./tree/dev fuzz --seconds 2 --jobs 1
prints 'nothing found'

# -- pruning the live corpus, interrupted ----------------------------------------------------------

inputs() { (cd $home/corpus && find . -type f -exec sha1sum {} + | sort); }

# In the place of the fuzzer: leaves a part of the result, and comes to no end by itself.
mv "$fuzzer/fuzz_program" "$fuzzer/fuzz_program.whole"
cat >"$fuzzer/fuzz_program" <<'MERGE'
#!/bin/sh
for last; do new=$old old=$last; done
find "$old" -type f | head -n 3 | xargs -I{} cp {} "$new"
: >"$new/../merging"
exec sleep 600
MERGE
chmod +x "$fuzzer/fuzz_program"

# interrupt SIGNAL: to the command and all that it started, in the midst of the merge; sets status. Whoever runs
# this test in the background may have it ignore SIGINT.
interrupt() {
    rm -f $home/merging
    set -m
    env --default-signal=INT ./tree/dev corpus --minimize >out 2>err </dev/null &
    set +m
    until [[ -e $home/merging ]] || ! kill -0 $!; do sleep 0.2; done
    kill "-$1" -- -$!
    wait $! 2>/dev/null
    status=$?
}

# Three that reach nothing new, so that there is something to prune, however short the runs were: a byte that is no
# operation is skipped.
find $home/corpus -type f | sort | head -n 3 >some
while read -r input; do
    { cat "$input" && printf '\377'; } >longer
    cp longer "$home/corpus/$(sha1sum <longer | cut -d' ' -f1)"
done <some
inputs >before
(($(wc -l <before) > 10)) || fail "hardly a live corpus: $(cat before)"
interrupt INT
((status == 130)) || fail "interrupted, it ended with $status"
one_line 'interrupted; the corpus is as it was'
inputs | cmp -s - before || fail "interrupted, the corpus is another one"
[[ ! -e $home/corpus.new ]] || fail "something is left of the result"
interrupt KILL
inputs | cmp -s - before || fail "killed, the corpus is another one"
[[ -e $home/corpus.new ]] || fail "it was not killed in the midst of the merge"
# Killed between the two renames.
mv $home/corpus $home/corpus.old
interrupt INT
inputs | cmp -s - before || fail "killed between two steps, the corpus is another one"
mv "$fuzzer/fuzz_program.whole" "$fuzzer/fuzz_program"
expect 0 ./tree/dev corpus --minimize
prints 'cells of the matrix, as before'
inputs >after
[[ -s after && -z $(comm -13 before after) ]] || fail "pruning added inputs, or left none"
(($(wc -l <after) < $(wc -l <before))) || fail "nothing was taken out of $(wc -l <before) inputs"

# -- from the bug to the report -----------------------------------------------------------------

patch -d tree -p1 -s <"$ROOT/tests/mutants/$bug.patch" || fail "the patch does not apply"
TIMEFORMAT='%U %S %R'
{ time expect 1 ./tree/dev fuzz --seconds 900 --jobs 1; } 2>took # until the finding
awk -v limit=$limit '{ printf "%.1f s of processor time, %.0f s\n", $1 + $2, $3; exit $1 + $2 >= limit }' took ||
    fail "$limit s were not enough"
# What is still there is found again, under the same name, and is not passed over.
cp out first
expect 1 ./tree/dev fuzz --seconds 900 --jobs 1
prints "invariant $invariant"
cp first out
prints "invariant $invariant"
prints 'report: build/fuzz/fuzz_program/triage/report.html'
grep -q "invariant $invariant" $home/triage/report.html || fail "the report does not name the invariant"
found=$(find $home/triage -name "invariant-$invariant-*.txt" | head -n 1)
awk -F, 'NR > 1 { n = $7 } END { exit NR < 2 || n < 1 }' $home/campaign.csv || fail "the course ends without a finding: $(cat $home/campaign.csv)"
grep -q '<polyline class="course"' $home/campaign.html || fail "no page about the course"
[[ $found && -s ${found%.txt}.c ]] || fail "no finding of invariant $invariant in text and C"

# None of its operations can go: what is found without one, if anything, is another finding.
grep -vE '^(#|world |$)' "$found" >operations
count=$(wc -l <operations)
((count <= shortest + 1)) || fail "$count operations; $shortest are known to be enough: $(cat operations)"
shows() { # shows FILE: whether the finding is the same one, by invariant and operation
    "$fuzzer/dxgkmem" run "$1" >out 2>&1
    grep -q "^finding: invariant $invariant:" out && grep -qE "^  $1:[0-9]+: $operation( |$)" out
}
operation=$(sed -E "s/^.*invariant-$invariant-([a-z_]+)-[0-9a-f]+\.txt$/\1/" <<<"$found")
cp "$found" small.txt
shows small.txt || fail "the small program does not show the finding: $(cat out)"
for ((line = 1; line <= count; line++)); do
    { grep -E '^world ' small.txt && sed "${line}d" operations; } >shorter.txt
    ! shows shorter.txt || fail "still found without operation $line: $(cat shorter.txt)"
done

# The C form against the library: with the bug it shows the finding, without it nothing.
make_library() {
    # An installed file that is less than a second older than the new one is up to date for CMake.
    rm -rf "$work/prefix"
    {
        cmake -S tree -B library -DDXGKMEM_FUZZ=OFF -DDXGKMEM_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix" \
            -DCMAKE_C_COMPILER="$CC" && cmake --build library && cmake --install library
    } >log 2>&1 || fail "$(tail -n 5 log)"
    PKG_CONFIG_PATH=$(find "$work/prefix" -name pkgconfig -type d)
    export PKG_CONFIG_PATH
    read -ra flags <<<"$(pkg-config --cflags --libs dxgkmem-sim)"
    "$CC" -Wall -Wextra -Werror "${found%.txt}.c" -o reproducer "${flags[@]}" 2>err || fail "$(head -n 3 err)"
}
make_library
expect 1 ./reproducer
prints 'IOTLB'
patch -d tree -p1 -s -R <"$ROOT/tests/mutants/$bug.patch"
make_library
expect 0 ./reproducer
finish
