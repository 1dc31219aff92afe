#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Linux module in a stock kernel in QEMU: the corpus, everything done wrong, memory that is mapped
# for a process, threads at once. Started by ./dev test after the tool is built; src/driver/README.md says what it proves.
set -u -o pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 2
status=0

if [[ $(uname -m) != x86_64 ]] || ! apt-cache show linux-headers-amd64 >/dev/null 2>&1; then
    echo "linux: not run: the stock kernel is one of Debian's packages for x86-64" >&2
    exit 77
fi
folders=(corpus/seeds)
compgen -G 'corpus/regressions/*' >/dev/null && folders+=(corpus/regressions)
bash tests/kernel/linux/guest.sh replay --golden corpus/golden.txt "${folders[@]}" || status=1
# shellcheck source=tests/kernel/core_files.sh
. tests/kernel/core_files.sh

# Of the module that was just built. noreturn.h puts the two ends that do not return in terms of the module's own.
core() {
    local tree=build/kernel/module objects
    objects=$(printf '%s\n' "$tree"/src/core/*.o)
    find "$tree" -name '*.o' ! -name '*.mod.o' | sed 's/\.o$/.c/' >build/kernel/module.files
    same_files build/kernel/module.files && only_host_h nm "$objects" __fentry__ __stack_chk_fail \
        __x86_return_thunk __x86_indirect_thunk_{rax,rbx,rcx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15} \
        dxgkmem_linux_bug_check dxgkmem_linux_panic && echo 'the same files'
}
printf 'linux: core: '
core || status=1
bash tests/kernel/linux/guest.sh misuse || status=1
bash tests/kernel/linux/test.sh user stress || status=1
exit $status
