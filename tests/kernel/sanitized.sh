#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Linux module in a kernel with sanitizers: that they are awake; the corpus; everything done wrong;
# memory that is mapped for a process, threads at once; each allocation of each program failing in turn; DMA of
# a device. Nothing may be in the console that a sanitizer wrote, but for the first.
#
#   sanitized.sh [style | selftest | replay | misuse | stress | sweep | dma]...    these parts of it; all of them when none is named
#
# Started by ./dev in the project's folder after the tool is built. Exit status: 0 clean, 1 a finding or a
# failed test, 2 it did not run.
set -u -o pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 2

parts=("$@")
(($#)) || parts=(style selftest replay misuse stress sweep dma)
for name in "${parts[@]}"; do
    case $name in
    style | selftest | replay | misuse | stress | sweep | dma) ;;
    *)
        printf "sanitized: there is no part '%s'\n" "$name" >&2
        exit 2
        ;;
    esac
done
if [[ $(uname -m) != x86_64 ]] || ! apt-cache show linux-source-6.1 >/dev/null 2>&1; then
    echo "sanitized: not run: the kernel is built from Debian's package linux-source-6.1, for x86-64" >&2
    exit 77
fi
guest_headers=$(bash tests/kernel/linux/sanitized_kernel.sh) || exit 2
guest_kernel=$guest_headers/arch/x86/boot/bzImage
guest_home=$PWD/build/kernel-sanitized
GUEST_PATIENCE=${GUEST_PATIENCE:-900} # the sweep's
export guest_headers guest_kernel guest_home GUEST_PATIENCE

# What each of the bugs of the self-test must make the kernel print.
declare -A bugs=(
    ['lock inversion']='possible circular locking dependency detected'
    ['sleep under a spin lock']='BUG: sleeping function called from invalid context'
    ['bad shift']='UBSAN: shift-out-of-bounds in .*selftest.c'
    ['use after free']='BUG: KASAN: use-after-free in use_after_free'
)
selftest() {
    # shellcheck source=tests/kernel/linux/lib.sh
    . tests/kernel/linux/lib.sh
    local log=$guest_home/selftest.log bug asleep=0
    mkdir -p "$guest_home"
    guest_folder=tests/kernel/linux/selftest guest_module selftest || return 2
    guest_program "$guest_home/load" tests/kernel/linux/load.c || return 2
    guest_initramfs "$guest_home/selftest-initramfs" init="$guest_home/load" \
        test.ko="$guest_home/selftest/tests/kernel/linux/selftest/dxgkmem_selftest.ko" || return 2
    guest_boot "$log" "$GUEST_PATIENCE" "$guest_home/selftest-initramfs" module=dxgkmem_selftest
    for bug in "${!bugs[@]}"; do
        grep -q "${bugs[$bug]}" "$log" || {
            printf 'FAIL the %s was not noticed; the console: %s\n' "$bug" "$log"
            asleep=1
        }
    done
    ((asleep == 0)) && printf 'selftest: %d of %d bugs noticed\n' "${#bugs[@]}" "${#bugs[@]}"
    return $asleep
}

folders=(corpus/seeds)
compgen -G 'corpus/regressions/*' >/dev/null && folders+=(corpus/regressions)
part() {
    case $1 in
    style) bash tests/kernel/linux/style.sh "$guest_headers" ;;
    selftest) (selftest) ;;
    replay) bash tests/kernel/linux/guest.sh replay --golden corpus/golden.txt "${folders[@]}" ;;
    misuse) bash tests/kernel/linux/guest.sh misuse ;;
    stress) bash tests/kernel/linux/test.sh --rounds 1000 user stress ;;
    sweep) bash tests/kernel/linux/guest.sh sweep "${folders[@]}" ;;
    dma) bash tests/kernel/dma.sh ;;
    esac
}

status=0
for name in "${parts[@]}"; do
    part "$name" || status=1
done
exit $status
