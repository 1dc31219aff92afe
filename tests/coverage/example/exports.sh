#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Makes the exports in this folder anew, with the tools of ./dev coverage: all.json and lcov.info are of runs that
# reach everything, faults.json of those in which the call failed once. Of less-all.json and less-lcov.info the runs
# miss a line and never let the second condition decide; in those of less-faults.json the call never failed.
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clang-19 -Iinclude -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc -fcoverage-compilation-dir=. \
    main.c src/core/example.c -o "$work/example"
export_of() { # export_of PREFIX NAME ARGUMENT...
    local prefix=$1 name=$2
    shift 2
    LLVM_PROFILE_FILE=$work/raw "$work/example" "$@"
    llvm-profdata-19 merge -sparse "$work/raw" -o "$work/data"
    llvm-cov-19 export "$work/example" -instr-profile="$work/data" -sources src | sed "s#$PWD/##g" >"$prefix$name.json"
    [[ $name == faults ]] ||
        llvm-cov-19 export "$work/example" -instr-profile="$work/data" -format=lcov -sources src |
        sed "s#$PWD/##g" >"${prefix}lcov.info"
}
export_of '' all f0 11 10 01
export_of '' faults f0 00
export_of less- all 11 01
export_of less- faults 00
