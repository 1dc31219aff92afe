#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Boots Debian's stock kernel in QEMU, loads the module, and
#
#   guest.sh replay [--golden FILE] FOLDER...   runs programs in it; compares every trace with the golden
#                                               hash and with what the same program does in a process
#   guest.sh sweep FOLDER...                    runs them while each allocation of the kernel fails in turn
#   guest.sh misuse                             bad requests, clients that go, two at once, unloading
#   guest.sh fuzz-build                         what fuzzing needs; leaves build/kernel/fuzz.command
#   guest.sh explain CONSOLE                    what a guest of fuzzing died of, and where
#
# Started by ./dev in the project's folder after the tool is built. Exit status: 0 clean, 1 a finding or
# a failed test, 2 it did not run.
set -u -o pipefail
# shellcheck source=tests/kernel/linux/lib.sh
. tests/kernel/linux/lib.sh

here=tests/kernel/linux
tool=${DXGKMEM:-build/tool/fuzz/dxgkmem}
patience=${GUEST_PATIENCE:-120} # seconds that one boot may take
half=$((16 << 20))              # of the shared memory: guest.h

verb=${1-}
(($#)) && shift

if [[ $verb == explain ]]; then
    guest_explain "$1" "$guest_home/fuzz.ko"
    exit
fi
mkdir -p "$guest_home" || exit 2
exec 8>"$guest_home/lock"
flock 8 # one at a time in this tree
guest_fetch

# make_module NAME [MAKE=VALUE]...: leaves $module, and an initramfs with it.
make_module() {
    guest_module "$@" || {
        echo "linux: the module does not build without a warning" >&2
        exit 1
    }
    module=$guest_home/$1/src/driver/linux/dxgkmem.ko
    guest_program "$guest_home/init" "$here"/{init,misuse,storm,sweep}.c || exit 2
    # Debug information stays here, where places are looked up.
    strip --strip-debug -o "$guest_home/dxgkmem.ko" "$module" || exit 2
    guest_initramfs "$guest_home/initramfs" init="$guest_home/init" dxgkmem.ko="$guest_home/dxgkmem.ko" || exit 2
}

# run MODE: the shared memory is build/kernel/shared.
run() {
    rm -f "$guest_home/$1.log"
    if ! guest_boot "$guest_home/$1.log" "$patience" "$guest_home/initramfs" "mode=$1" \
        -object memory-backend-file,id=shared,size=$((2 * half)),mem-path="$guest_home/shared",share=on \
        -device ivshmem-plain,memdev=shared; then
        guest_explain "$guest_home/$1.log" "$module" | sed '1s/^/finding: the guest: /; 2,$s/^/  /'
        return 1
    fi
}

# The programs go into the first half of the shared memory.
share() {
    "$tool" batch write -o "$guest_home/request" "$@" || return 2
    (($(stat -c %s "$guest_home/request") < half)) || guest_fail "the programs are too many for one boot"
    cp "$guest_home/request" "$guest_home/shared" && truncate -s $((2 * half)) "$guest_home/shared" || return 2
}

replay() {
    local golden=() bytes
    make_module module
    [[ ${1-} != --golden ]] || {
        golden=(--golden "$2")
        shift 2
    }
    share "$@" || return
    run replay || return 1
    bytes=$(sed -n 's/^DONE \([0-9]*\)$/\1/p' "$guest_home/replay.log")
    tail -c +$((half + 1)) "$guest_home/shared" | head -c "$bytes" >"$guest_home/reply"
    "$tool" batch read ${golden[@]+"${golden[@]}"} "$guest_home/reply" "$@"
}

# A guest that has booted, with the module loaded, from which fuzzing starts and starts again: kept as long
# as all that is in it stays the same.
fuzz_snapshot() {
    local key
    key=$({
        qemu-system-x86_64 --version
        printf '%s\n' "$guest_kernel" "${guest_command[@]}"
        cat "$guest_home/init" "$guest_home/dxgkmem.ko"
    } | sha256sum)
    [[ ! -e $guest_home/fuzz.snapshot || $key != $(cat "$guest_home/fuzz.snapshot.key" 2>/dev/null) ]] || return 0
    rm -f "$guest_home"/fuzz.snapshot*
    : >"$guest_home/snapshot.shared"
    guest_snapshot "$guest_home/fuzz.snapshot" "$guest_home/snapshot.log" "$patience" \
        "${guest_command[@]/SHARED/$guest_home/snapshot.shared}" &&
        rm -f "$guest_home/snapshot.shared" && echo "$key" >"$guest_home/fuzz.snapshot.key"
}

case $verb in
replay) replay "$@" ;;
sweep)
    make_module module
    share --programs 1 "$@" || exit
    run sweep || exit 1
    grep '^sweep: ' "$guest_home/sweep.log"
    ;;
misuse)
    make_module covered DXGKMEM_COVERAGE=1
    : >"$guest_home/shared"
    truncate -s $((2 * half)) "$guest_home/shared" || exit 2
    run misuse || exit 1
    grep '^misuse: ' "$guest_home/misuse.log"
    ;;
fuzz-build)
    # TCG does rep stos and rep movs step by step: none in place of memset and memcpy.
    strategy=unrolled_loop:256:noalign,libcall:-1:noalign
    make_module fuzzed DXGKMEM_COVERAGE=1 "KCFLAGS=-O3 -mmemset-strategy=$strategy -mmemcpy-strategy=$strategy"
    cp "$guest_home/initramfs" "$guest_home/fuzz.initramfs" && cp "$module" "$guest_home/fuzz.ko" || exit 2
    # master: the shared memory belongs to this guest, so it is part of a snapshot.
    guest_qemu "$guest_home/fuzz.initramfs" mode=fuzz \
        -object memory-backend-file,id=shared,size=$((2 * half)),mem-path=SHARED,share=on \
        -device ivshmem-plain,memdev=shared,master=on -serial file:CONSOLE
    fuzz_snapshot || guest_fail "no snapshot of the guest: $(tail -n 1 "$guest_home/snapshot.log.qemu")"
    printf '%s\n' "${guest_command[@]}" -incoming "exec:cat '$guest_home/fuzz.snapshot'" >"$guest_home/fuzz.command"
    ;;
*) guest_fail "unknown verb '$verb'" ;;
esac
