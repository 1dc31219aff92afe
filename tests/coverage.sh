#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What unit tests, claims and corpus reach of src/core; started by ./dev coverage when the
# coverage preset is built. Exit: 0 every line and branch, 1 not every one, 2 usage.
#
#   coverage.sh [--text]     --text: print each line from which something is missing
set -u -o pipefail
build=build/coverage
text=0
case ${1-} in
--text) text=1 ;;
'') ;;
*)
    echo "coverage: unknown option '$1'" >&2
    exit 2
    ;;
esac

rm -rf $build/profiles $build/html
mkdir -p $build/profiles || exit 2
LLVM_PROFILE_FILE=$PWD/$build/profiles/%p-%m.profraw \
    ctest --test-dir $build -j "$(nproc)" --output-on-failure --no-tests=error >$build/tests.log 2>&1 || {
    grep -E 'Failed|\*\*\*' $build/tests.log | head -n 20 >&2
    echo "coverage: tests failed; all of it is in $build/tests.log" >&2
}
find $build/profiles -name '*.profraw' >$build/profiles/list
llvm-profdata-19 merge -sparse -f $build/profiles/list -o $build/core.profdata || exit 2

objects=()
for binary in "$build"/tests/unit_* "$build"/tests/claims_* "$build"/fuzz/dxgkmem; do
    [[ -x $binary && ! -d $binary ]] && objects+=(-object "$binary")
done
show=("${objects[@]:1}" -instr-profile="$build/core.profdata")
llvm-cov-19 show "${show[@]}" -format=html -output-dir=$build/html -show-branches=count -show-mcdc \
    -show-line-counts-or-regions src/core >/dev/null || exit 2
llvm-cov-19 report "${show[@]}" -show-branch-summary -show-mcdc-summary -show-region-summary=false src/core \
    >$build/summary.txt || exit 2
if ((text)); then
    # Lines that never ran, and conditions that were never true or never false: in any of the sources
    # that include them, when a header has them.
    llvm-cov-19 show "${show[@]}" -show-branches=count src/core |
        awk '/^\/.*:$|^src\/.*:$/ { file = $0 }
             /^ *[0-9]+\| +0\|/ { print file $0 }
             match($0, /Branch \([0-9:]+\): \[True: /) {
                 place = file " " substr($0, RSTART, RLENGTH - 9)
                 seen[place]
                 if ($0 !~ /True: 0,/) was_true[place]
                 if ($0 !~ /False: 0\]/) was_false[place]
             }
             END {
                 for (place in seen) {
                     if (!(place in was_true)) print place " never true"
                     if (!(place in was_false)) print place " never false"
                 }
             }' | sort -u
fi
cat $build/summary.txt
echo
echo "HTML: $build/html/index.html"
# Columns of TOTAL: functions, missed, %; lines, missed, %; branches, missed, %; MC/DC conditions, missed, %.
# Its lines are not used: of an inline function it takes the copy of one source, even one that has no use for it.
llvm-cov-19 export "${show[@]}" -format=lcov src/core >$build/lcov.info || exit 2
missed=$(grep -cE '^DA:[0-9]+,0$' $build/lcov.info)
lines=$(grep -c '^DA:' $build/lcov.info)
awk -v lines="$lines" -v missed="$missed" '$1 == "TOTAL" {
        printf "lines %.2f%% (%d of %d never ran), branches %s, MC/DC %s\n", 100 - 100 * missed / lines, missed, lines, $10, $13
        exit (missed == 0 && $9 == 0) ? 0 : 1
     }' $build/summary.txt
