#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds dxgkmem_test.ko (tests/kernel/linux/test) and boots a guest for each thing that it is to do:
#
#   test.sh [--rounds N] LEG...
#
#   dma           two edu devices of QEMU behind its IOMMU, driven through the callbacks on the real machine
#   dma-control   the same devices without the IOMMU: what was blocked must go through
#   user          a process of the guest has memory of objects mapped (process.c), behind the IOMMU
#   stress        threads of the kernel on the simulated machine, on two processors
#   stress-real   the same on the real machine, behind the IOMMU
#
# Started in the project's folder. Exit status: 0 clean, 1 a case failed, 2 it did not run.
set -u -o pipefail
# shellcheck source=tests/kernel/linux/lib.sh
. tests/kernel/linux/lib.sh

here=tests/kernel/linux/test
patience=${GUEST_PATIENCE:-120} # seconds that one boot may take
edu=edu,dma_mask=0xffffffffffffffff
devices=(-device "$edu" -device "$edu" -device "$edu")
iommu=(-device "intel-iommu,intremap=off")
strict="intel_iommu=on iommu.passthrough=0 iommu.strict=1"
rounds=400
if [[ ${1-} == --rounds ]]; then
    rounds=$2
    shift 2
fi

mkdir -p "$guest_home" || exit 2
exec 8>"$guest_home/lock"
flock 8 # one at a time in this tree
guest_fetch
guest_folder=$here guest_module test || {
    echo "test: the module does not build without a warning" >&2
    exit 1
}
module=$guest_home/test/$here/dxgkmem_test.ko
guest_program "$guest_home/load" tests/kernel/linux/load.c || exit 2
guest_program "$guest_home/process" tests/kernel/linux/{load,process}.c || exit 2
strip --strip-debug -o "$guest_home/dxgkmem_test.ko" "$module" || exit 2
for init in load process; do
    guest_initramfs "$guest_home/$init-initramfs" init="$guest_home/$init" test.ko="$guest_home/dxgkmem_test.ko" || exit 2
done

# leg NAME OPTIONS PARAMETERS [QEMU OPTION]...: all cases of one boot; options of the module, parameters of the kernel
leg() {
    local log=$guest_home/$1.log name=$1 init=load parameters="module=dxgkmem_test options=\"$2\" $3" end
    shift 3
    [[ $name != user ]] || init=process
    if guest_boot "$log" "$patience" "$guest_home/$init-initramfs" "$parameters" "$@"; then
        end=$(sed -nE 's/.*test: done: ([0-9]+ cases), 0 failed$/\1/p' "$log")
    fi
    if [[ ! ${end-} ]] || grep -q 'test: FAIL' "$log"; then
        printf 'FAIL %s\n' "$name"
        grep -oE 'test: FAIL .*' "$log" | sed 's/^/  /'
        guest_explain "$log" "$module" | sed 's/^/  /'
        return 1
    fi
    printf '%s: %s' "$name" "$end"
    [[ $name != stress* ]] || sed -nE 's/.*test: ok .*: ([0-9]+) calls, ([0-9]+) violations$/\1 \2/p' "$log" |
        awk '{ c += $1; v += $2 } END { printf ", %d calls of which %d were misuse", c, v }'
    [[ $name != user ]] || sed -nE 's/^process: ([0-9]+ checks), 0 failed$/, \1/p' "$log" | tr -d '\n'
    printf '\n'
}

status=0
for name in "$@"; do
    case $name in
    # Pages that the kernel had zeroed would hide that ours are not.
    dma) leg dma run=dma "init_on_alloc=0 init_on_free=0 $strict" "${iommu[@]}" "${devices[@]}" ;;
    dma-control) leg dma-control run=control "" "${devices[@]}" ;;
    user) leg user run=user "$strict" "${iommu[@]}" "${devices[@]}" ;;
    stress) leg stress "run=stress rounds=$rounds" "" -smp 2 ;;
    # Each of its mappings costs a flush of an emulated IOMMU, and one of every processor.
    stress-real) leg stress-real "run=stress-real rounds=$((rounds / 4))" "$strict" -smp 2 "${iommu[@]}" "${devices[@]}" ;;
    *) guest_fail "there is no leg '$name'" ;;
    esac || status=1
done
exit $status
