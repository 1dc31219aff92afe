#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# DMA for real: two edu devices of QEMU behind its IOMMU, driven through the callbacks on the real
# machine. Then once more without the IOMMU: what was blocked before must go through now.
#
# Started by ./dev in the project's folder. Exit status: 0 clean, 1 a case failed, 2 it did not run.
set -u -o pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 2
# shellcheck source=tests/kernel/linux/lib.sh
. tests/kernel/linux/lib.sh

here=tests/kernel/linux/dma
patience=${GUEST_PATIENCE:-120} # seconds that one boot may take
edu=edu,dma_mask=0xffffffffffffffff

mkdir -p "$guest_home" || exit 2
exec 8>"$guest_home/lock"
flock 8 # one at a time in this tree
guest_fetch
guest_folder=$here guest_module dma || {
    echo "dma: the module does not build without a warning" >&2
    exit 1
}
module=$guest_home/dma/$here/dxgkmem_dma.ko
guest_program "$guest_home/load" tests/kernel/linux/load.c || exit 2
strip --strip-debug -o "$guest_home/dxgkmem_dma.ko" "$module" || exit 2
guest_initramfs "$guest_home/dma-initramfs" init="$guest_home/load" test.ko="$guest_home/dxgkmem_dma.ko" || exit 2

# leg NAME PARAMETERS [QEMU OPTION]...: all cases of one boot
leg() {
    local log=$guest_home/$1.log name=$1 parameters=$2 end
    shift 2
    if guest_boot "$log" "$patience" "$guest_home/dma-initramfs" "$parameters" "$@"; then
        end=$(sed -nE 's/.*dma: done: ([0-9]+ cases), 0 failed$/\1/p' "$log")
    fi
    if [[ ! ${end-} ]]; then
        printf 'FAIL %s\n' "$name"
        grep -oE 'dma: FAIL .*' "$log" | sed 's/^/  /'
        guest_explain "$log" "$module" | sed 's/^/  /'
        return 1
    fi
    printf '%s: %s\n' "$name" "$end"
}

status=0
# Pages that the kernel had zeroed would hide that ours are not.
leg dma "module=dxgkmem_dma init_on_alloc=0 init_on_free=0 intel_iommu=on iommu.passthrough=0 iommu.strict=1" -device intel-iommu,intremap=off \
    -device $edu -device $edu || status=1
leg dma-control "module=dxgkmem_dma options=control=1" -device $edu -device $edu || status=1
exit $status
