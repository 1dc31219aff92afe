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
    # Lines that never ran, and conditions that were never true or never false.
    llvm-cov-19 show "${show[@]}" -show-branches=count src/core |
        awk '/^\/|^src\/.*:$/ { file = $0 }
             /^ *[0-9]+\| +0\|/ { print file $0 }
             /Branch \(.*(True: 0|False: 0)[,\]]/ { sub(/^ *\| */, ""); print file " " $0 }'
fi
cat $build/summary.txt
echo
echo "HTML: $build/html/index.html"
# Columns of TOTAL: functions, missed, %; lines, missed, %; branches, missed, %; MC/DC conditions, missed, %.
awk '$1 == "TOTAL" {
        printf "lines %s, branches %s, MC/DC %s\n", $7, $10, $13
        exit ($6 == 0 && $9 == 0) ? 0 : 1
     }' $build/summary.txt
