#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What unit tests, claims and corpus reach; started by ./dev coverage when the coverage preset is built.
# report.py counts and judges. Exit: 0 nothing fell, 1 something did, 2 usage. ./dev knows the options.
#
#   run.sh [--text] [--sites] [--record] [--report]
set -u -o pipefail
here=$(dirname "${BASH_SOURCE[0]}")
build=build/coverage
options=() again=1
while (($#)); do
    case $1 in
    --report) again=0 ;;
    *) options+=("$1") ;;
    esac
    shift
done

# What the tests of these names leave in a folder of profiles: the profile of failing host calls is kept apart.
faults='faults|every_host_failure|core_host'
profile() { # profile NAME CTEST-OPTION...
    local name=$1
    shift
    mkdir -p $build/profiles/"$name" || exit 2
    LLVM_PROFILE_FILE=$PWD/$build/profiles/$name/%p-%m.profraw \
        ctest --test-dir $build -j "$(nproc)" --output-on-failure --no-tests=error "$@" >$build/tests-"$name".log 2>&1 && return
    grep -E 'Failed|\*\*\*' $build/tests-"$name".log | head -n 20 >&2
    echo "coverage: tests failed; all of it is in $build/tests-$name.log" >&2
    exit 1
}

merge() { # merge OUT FOLDER...
    local out=$1
    shift
    find "$@" -name '*.profraw' >$build/profiles/list
    llvm-profdata-19 merge -sparse -f $build/profiles/list -o $build/"$out".profdata || exit 2
}

if ((again)); then
    rm -rf $build/profiles
    profile faults -R "$faults"
    profile others -E "$faults"
    merge faults $build/profiles/faults
    merge all $build/profiles/faults $build/profiles/others
    rm -rf $build/profiles
elif [[ ! -e $build/all.profdata ]]; then
    echo "coverage: there is no earlier run for --report" >&2
    exit 2
fi

binaries=()
for binary in "$build"/fuzz/dxgkmem* "$build"/fuzz/fuzz_{program,faults,text} "$build"/tests/{unit,claims,schedule}_*; do
    [[ -x $binary && ! -d $binary ]] && binaries+=(-object "$binary")
done
sources=("$PWD"/src/core "$PWD"/fuzz/{program,model,engine})
for profile in all faults; do
    llvm-cov-19 export "${binaries[@]:1}" -instr-profile=$build/$profile.profdata -sources "${sources[@]}" \
        >$build/$profile.json || exit 2
done
llvm-cov-19 export "${binaries[@]:1}" -instr-profile=$build/all.profdata -format=lcov -sources "${sources[@]}" \
    >$build/lcov.info || exit 2
if ((again)); then
    rm -rf $build/html
    llvm-cov-19 show "${binaries[@]:1}" -instr-profile=$build/all.profdata -format=html -output-dir=$build/html \
        -show-branches=count -show-mcdc -show-line-counts-or-regions -sources "${sources[@]}" >/dev/null || exit 2
fi
python3 "$here"/report.py $build "$here"/recorded.txt ${options[@]+"${options[@]}"}
status=$?
echo "HTML: $build/html/index.html"
exit $status
