#!/bin/sh
# SPDX-License-Identifier: MIT
#
# checks the layout of the driver interface by compiling layout.c and layout.cpp, in three passes:
#   layout    every compiler and target found here x every interface version: must compile
#   falsify   each numbered assertion expects something wrong: must not compile
#   order     each two neighbouring members of a structure change places: must not compile
# the last two prove that the first one is able to fail.
#
# usage: check.sh [--quick]     --quick: the layout pass only
# environment: CLANG CLANGXX GCC GXX (compilers), JOBS (compiles at a time),
#              DXGKMEM_MINGW_INCLUDE (Windows headers for the checks that mix them with ours)
# exit: 0 all passed, 1 a check failed, 2 usage
set -u

# ---- one compile, started by xargs: EXPECT|LABEL|COMMAND --------------------------------------------

if [ "${1-}" = --job ]; then
    expect=${2%%|*}
    rest=${2#*|}
    label=${rest%%|*}
    command=${rest#*|}
    if [ "$expect" = fails ]; then
        # syntax alone catches most; bit fields are judged by the optimiser
        output=$(eval "$command -fsyntax-only" 2>&1) && output=$(eval "$command -O1 -S -o /dev/null" 2>&1) && {
            echo "FAIL $label: compiled, but must not"
            exit 0
        }
    else
        output=$(eval "$command -O1 -S -o /dev/null" 2>&1) || {
            echo "FAIL $label: $(printf '%s\n' "$output" | grep -m 1 -E 'error' || printf '%s\n' "$output" | head -n 1)"
            exit 0
        }
        echo "ok $label"
        exit 0
    fi
    # it failed as it should; was it an assertion that failed, and not a missing file?
    case $output in
    *abi-check*) echo "ok $label" ;;
    *) echo "FAIL $label: failed for another reason: $(printf '%s\n' "$output" | grep -m 1 error)" ;;
    esac
    exit 0
fi

quick=no
case ${1-} in
'') ;;
--quick) quick=yes ;;
-h | --help)
    sed -n '4,13s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
*)
    echo "check.sh: unknown argument '$1' (try --help)" >&2
    exit 2
    ;;
esac
[ $# -le 1 ] || { echo "check.sh: at most one argument" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd) || exit 1
self=$here/$(basename "$0")
cd "$here" || exit 1 # relative paths below, so that blanks in the checkout's own path do no harm
include=../../include
clang=${CLANG:-clang} clangxx=${CLANGXX:-clang++} gcc=${GCC:-gcc} gxx=${GXX:-g++}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
select=-DDXGKDDI_INTERFACE_VERSION=DXGKDDI_INTERFACE_VERSION_
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Werror'

work=$(mktemp -d "${TMPDIR:-/tmp}/dxgkmem-abi.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
: >"$work/list"
: >"$work/results"

run_list() { # pass name
    tr '\n' '\0' <"$work/list" | xargs -0 -r -n 1 -P "$jobs" sh "$self" --job >"$work/pass"
    planned=$(wc -l <"$work/list")
    reported=$(wc -l <"$work/pass")
    cat "$work/pass" >>"$work/results"
    failed=$(grep -c '^FAIL' "$work/pass")
    [ "$planned" -eq "$reported" ] || {
        echo "FAIL $1: $planned compiles planned, $reported reported" | tee -a "$work/results"
    }
    grep '^FAIL' "$work/pass" | sort | head -n 20
    echo "abi: $1: $((reported - failed)) of $planned"
    : >"$work/list"
}

# ---- layout -------------------------------------------------------------------------------------

versions=$(sed -n 's/^ *X(\([A-Z0-9_]*\), 0x.*/\1/p' layout_table.h)
[ "$(echo "$versions" | wc -l)" -eq 21 ] || {
    echo "FAIL layout_table.h: 21 versions expected" >&2
    exit 1
}

target() { # label, source, versions, command...
    label=$1 source=$2 only=$3
    shift 3
    case $source in *.cpp) probe=$work/probe.cpp ;; *) probe=$work/probe.c ;; esac
    printf '#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\nint probe;\n' >"$probe"
    if ! "$@" -S -o /dev/null "$probe" >/dev/null 2>&1; then
        echo "skip: $label: no compiler or no headers for it here"
        return
    fi
    for version in $only; do
        echo "passes|$label $version|$* $warnings -I$include $select$version $source"
    done >>"$work/list"
    echo "passes|$label default version|$* $warnings -I$include $source" >>"$work/list"
}

for std in c17 c11; do
    target "clang $std" layout.c "$versions" "$clang" -std=$std
    target "gcc $std" layout.c "$versions" "$gcc" -std=$std
done
target 'clang c++17' layout.cpp "$versions" "$clangxx" -std=c++17
target 'gcc c++17' layout.cpp "$versions" "$gxx" -std=c++17

for triple in x86_64-pc-windows-msvc i686-pc-windows-msvc x86_64-w64-windows-gnu x86_64-pc-windows-gnu \
    i686-w64-windows-gnu i386-pc-linux-gnu; do
    target "clang $triple c11" layout.c "$versions" "$clang" --target=$triple -ffreestanding -std=c11
    target "clang $triple c++17" layout.cpp "$versions" "$clangxx" --target=$triple -ffreestanding -std=c++17
done
target 'gcc -m32 c17' layout.c "$versions" "$gcc" -m32 -ffreestanding -std=c17
target 'gcc -m32 c++17' layout.cpp "$versions" "$gxx" -m32 -ffreestanding -std=c++17

# the Windows convention on another system's compiler
case $(uname -m) in
x86_64 | amd64)
    few='VISTA WDDM2_4 WDDM3_2'
    target 'clang ms_abi c17' layout.c "$few" "$clang" -std=c17 -DDXGKMEM_DDI_MS_ABI
    target 'clang ms_abi c++17' layout.cpp "$few" "$clangxx" -std=c++17 -DDXGKMEM_DDI_MS_ABI
    target 'gcc ms_abi c17' layout.c "$few" "$gcc" -std=c17 -DDXGKMEM_DDI_MS_ABI
    target 'gcc ms_abi c++17' layout.cpp "$few" "$gxx" -std=c++17 -DDXGKMEM_DDI_MS_ABI
    ;;
esac

# beside a Windows system header that has some of the same types; ddk headers in C only, they are no C++ here
mingw=${DXGKMEM_MINGW_INCLUDE:-/usr/share/mingw-w64/include}
few='VISTA WDDM3_2'
if [ -f "$mingw/windows.h" ]; then
    windows="--target=x86_64-w64-windows-gnu -isystem $mingw"
    # shellcheck disable=SC2086 # several words on purpose
    target 'after windows.h c17' layout.c "$few" "$clang" $windows -std=c17 -DABI_AFTER_WINDOWS_H
    # shellcheck disable=SC2086 # several words on purpose
    target 'after windows.h c++17' layout.cpp "$few" "$clangxx" $windows -std=c++17 -DABI_AFTER_WINDOWS_H
    # shellcheck disable=SC2086 # several words on purpose
    target 'after ntddk.h c17' layout.c "$few" "$clang" $windows -isystem "$mingw/ddk" -std=c17 -DABI_AFTER_NTDDK_H
else
    echo "skip: after windows.h, after ntddk.h: no $mingw/windows.h"
fi
run_list layout

# ---- falsify and order ----------------------------------------------------------------------------

# gcc first: it starts in half the time
prover=
for candidate in "$gcc" "$clang"; do
    "$candidate" --version >/dev/null 2>&1 && { prover=$candidate; break; }
done
if [ $quick = no ] && [ -n "$prover" ]; then
    # number 1 is the base of the count, so the last number is the end's minus one
    last=$("$prover" -std=c17 -I$include -DABI_COUNT -E layout.c | sed -n 's/^abi_end = \([0-9]*\);.*/\1/p')
    first=$("$prover" -std=c17 -I$include -DABI_COUNT -E layout.c | sed -n 's/.*abi_base = \([0-9]*\) .*/\1/p')
    total=$((last - first - 1))
    [ "$total" -gt 500 ] || echo "FAIL falsify: only $total assertions counted" | tee -a "$work/results"
    n=1
    while [ $n -le $total ]; do
        echo "fails|falsify assertion $n|$prover -Wfatal-errors -std=c17 -I$include -DFALSIFY=$n layout.c"
        n=$((n + 1))
    done >>"$work/list"
    # numbers 1 and 2 depend on the version
    for version in $versions; do
        for n in 1 2; do
            echo "fails|falsify $n in $version|$prover -Wfatal-errors -std=c17 -I$include $select$version -DFALSIFY=$n layout.c"
        done
    done >>"$work/list"
    run_list falsify

    # line numbers of members whose next line is a member of the same structure; union members have no order
    for header in ddi.h ddi_interface.h ddi_paging.h; do
        awk '
            { member = depth && kind[depth] == "struct" && /^ +[A-Za-z_].*;/ && !/\{|\}/ }
            member && before { print NR - 1 }
            { before = member }
            /\{ *$/ && /(struct|union)/ { depth++; kind[depth] = /union/ ? "union" : "struct" }
            /^ *\}/ && depth { depth-- }
        ' $include/dxgkmem/$header >"$work/lines"
        while read -r line; do
            copy=$work/$header.$line
            mkdir -p "$copy/dxgkmem"
            cp $include/dxgkmem/ddi*.h "$copy/dxgkmem"
            sed "$line{h;d;};$((line + 1)){G;}" $include/dxgkmem/$header >"$copy/dxgkmem/$header"
            echo "fails|order $header:$line|$prover -Wfatal-errors -std=c17 -I'$copy' layout.c"
        done <"$work/lines" >>"$work/list"
    done
    [ "$(wc -l <"$work/list")" -gt 100 ] || echo "FAIL order: too few neighbours found" | tee -a "$work/results"
    run_list order
fi

# ---- result ----------------------------------------------------------------------------------------

passed=$(grep -c '^ok' "$work/results")
failed=$(grep -c '^FAIL' "$work/results")
if [ "$failed" -ne 0 ]; then
    echo "abi: $failed of $((passed + failed)) checks failed" >&2
    exit 1
fi
if [ "$passed" -eq 0 ]; then
    echo "abi: nothing could be checked: no compiler found" >&2
    exit 1
fi
echo "abi: $passed checks passed"
