#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Windows driver in Wine: the corpus' traces are those of a process, and no misuse of its device
# does any harm. Started by ./dev test after the builds, in the project's folder.
set -u -o pipefail
status=0
folders=(corpus/seeds)
compgen -G 'corpus/regressions/*' >/dev/null && folders+=(corpus/regressions)

# The same files of core, sim, program and model as everywhere; and of core nothing but host.h is asked.
same_files() {
    local folder there here
    for folder in src/core src/machine/sim fuzz/program fuzz/model; do
        there=$(grep -oE "\"file\": \".*/$folder/[a-z_]+\.c\"" build/nt/compile_commands.json |
            sed -E 's/.*\/([a-z_]+\.c)"/\1/' | sort)
        here=$(cd "$folder" && printf '%s\n' *.c | sort)
        if [[ $there != "$here" ]]; then
            printf 'FAIL the files of %s in the driver are others than in the tree\n' "$folder"
            return 1
        fi
    done
    local extra
    extra=$(llvm-nm -u build/nt/src/driver/nt/CMakeFiles/dxgkmem_sys.dir/__/__/core/*.obj | awk '$1 == "U" { print $2 }' |
        sort -u | comm -23 - <({
            llvm-nm --defined-only -g build/nt/src/driver/nt/CMakeFiles/dxgkmem_sys.dir/__/__/core/*.obj | awk 'NF == 3 { print $3 }'
            grep -oE '\bdxgkmem_host_[a-z_]+' include/dxgkmem/host.h
            printf '%s\n' memcpy memset __stack_chk_fail __stack_chk_guard __guard_dispatch_icall_fptr \
                __sanitizer_cov_8bit_counters_init __start___sancov_cntrs __stop___sancov_cntrs
        } | sort -u) | tr '\n' ' ')
    if [[ $extra ]]; then
        printf 'FAIL core asks for more than host.h offers: %s\n' "$extra"
        return 1
    fi
    echo 'the same files'
}

step() {
    printf 'nt: %s: ' "$1"
    bash src/driver/nt/wine.sh "$@" || status=1
}

printf 'nt: core: '
same_files || status=1
step replay --golden corpus/golden.txt "${folders[@]}"
step misuse
exit $status
