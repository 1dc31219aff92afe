#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Windows driver in Wine: the corpus' traces are those of a process, and no misuse of its device
# does any harm. Started by ./dev test after the builds, in the project's folder.
set -u -o pipefail
status=0
folders=(corpus/seeds)
compgen -G 'corpus/regressions/*' >/dev/null && folders+=(corpus/regressions)

# shellcheck source=tests/kernel/core_files.sh
. tests/kernel/core_files.sh

core() {
    local objects built
    built=$(mktemp) || return 2
    objects=$(printf '%s\n' build/nt/src/driver/nt/CMakeFiles/dxgkmem_sys.dir/__/__/core/*.obj)
    sed -nE 's/.*"file": "(.*\.c)".*/\1/p' build/nt/compile_commands.json >"$built"
    same_files "$built" && only_host_h llvm-nm "$objects" __stack_chk_fail __stack_chk_guard \
        __guard_dispatch_icall_fptr __sanitizer_cov_8bit_counters_init __start___sancov_cntrs \
        __stop___sancov_cntrs && echo 'the same files'
    local result=$?
    rm -f "$built"
    return $result
}

step() {
    printf 'nt: %s: ' "$1"
    bash src/driver/nt/wine.sh "$@" || status=1
}

printf 'nt: core: '
core || status=1
step replay --golden corpus/golden.txt "${folders[@]}"
step misuse
exit $status
