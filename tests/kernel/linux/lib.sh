# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Debian's stock kernel in QEMU, with the module: what every leg with a Linux guest shares. Sourced in
# the project's folder. Packages are unpacked below build/kernel; the host is left alone.
#
#   guest_fetch                       the kernel and its headers -> $guest_headers, $guest_kernel
#   guest_module NAME [MAKE=VALUE]... builds the module -> build/kernel/NAME/src/driver/linux/dxgkmem.ko
#   guest_program OUT SOURCE...       a static program for the guest
#   guest_initramfs OUT PATH=FILE...  an initramfs; the kernel starts /init
#   guest_boot LOG SECONDS INITRAMFS PARAMETERS [QEMU OPTION]...
#                                     boots and waits; 0 when the console has the line DONE at the end
#   guest_snapshot OUT LOG SECONDS COMMAND...
#                                     boots until the console has the line READY; writes the whole machine
#                                     to OUT. In the command CONSOLE stands for LOG
#   guest_explain LOG MODULE          what went wrong, and where
#
# The caller may set guest_headers and guest_kernel before, to another kernel that was built, and guest_home
# to a folder for it; guest_folder to where another module than the driver has its Kbuild.

guest_home=${guest_home-$PWD/build/kernel}
guest_memory=${guest_memory-512M}

guest_fail() {
    printf 'linux: %s\n' "$*" >&2
    exit 2
}

guest_fetch() {
    local release headers root=$guest_home/root package
    [[ ${guest_kernel-} ]] && return
    # Those of the tree once they are there: a newer version is fetched when build/kernel is removed.
    if [[ ! -e $root/ready ]]; then
        command -v apt-get >/dev/null || guest_fail "the stock kernel comes from Debian's packages; there is no apt-get"
        release=$(apt-cache depends linux-headers-amd64 2>/dev/null | sed -n 's/^ *Depends: linux-headers-//p' | head -n 1)
        if [[ ! $release ]]; then
            apt-get update >/dev/null 2>&1
            release=$(apt-cache depends linux-headers-amd64 2>/dev/null | sed -n 's/^ *Depends: linux-headers-//p' | head -n 1)
        fi
        [[ $release ]] || guest_fail "apt-get does not know linux-headers-amd64; it is a package of Debian 12"
        rm -rf "$guest_home/packages" "$root"
        mkdir -p "$guest_home/packages" "$root"
        headers=$(apt-cache depends "linux-headers-$release" | sed -n 's/^ *Depends: *\(linux-[a-z0-9.+-]*\)$/\1/p')
        # shellcheck disable=SC2086
        (cd "$guest_home/packages" && apt-get download "linux-image-$release" "linux-headers-$release" $headers) \
            >"$guest_home/fetch.log" 2>&1 || guest_fail "the kernel's packages cannot be fetched; see build/kernel/fetch.log"
        for package in "$guest_home"/packages/*.deb; do
            dpkg -x "$package" "$root" || guest_fail "$package cannot be unpacked"
        done
        rm -rf "$guest_home/packages" "$root"/lib/modules/*/kernel # nothing of it is loaded
        # The one absolute path that matters.
        sed -i "s#^include /usr/src/#include $root/usr/src/#" "$root/usr/src/linux-headers-$release/Makefile"
        guest_unpack_kernel "$root/boot/vmlinuz-$release" "$root/vmlinux"
        echo "$release" >"$root/ready"
    fi
    release=$(<"$root/ready")
    guest_headers=$root/usr/src/linux-headers-$release
    guest_kernel=$root/vmlinux
}

# The kernel inside a bzImage: QEMU starts it three times as fast. Where: the boot protocol's header.
guest_unpack_kernel() {
    local setup offset length
    read -r setup < <(od -An -tu1 -j $((0x1f1)) -N 1 "$1")
    read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$1")
    tail -c +$(((setup + 1) * 512 + offset + 1)) "$1" | head -c "$length" | xz -dc --single-stream >"$2" 2>/dev/null
    [[ $(head -c 4 "$2" | tail -c 3) == ELF ]] || guest_fail "$1 has no kernel compressed with xz in it"
}

# A tree of links, so that objects stay out of the sources.
guest_module() {
    local tree=$guest_home/$1
    shift
    mkdir -p "$tree"
    find "$tree" -type l -delete
    mkdir -p "$tree/tests"
    cp -rs "$PWD/src" "$PWD/include" "$PWD/fuzz" "$tree" || return 2
    cp -rs "$PWD"/tests/{kernel,stress,support} "$tree/tests" || return 2
    make -C "$guest_headers" M="$tree/${guest_folder-src/driver/linux}" -j "$(nproc)" "$@" >"$tree/build.log" 2>&1 || {
        cat "$tree/build.log" >&2
        return 2
    }
    # The compiler of the distribution may be a little newer than that of its kernel.
    ! grep -iE 'warning' "$tree/build.log" | grep -v 'the compiler differs from' >&2
}

guest_program() {
    local out=$1
    shift
    ${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -I"$PWD/src" -I"$PWD/include" -o "$out" "$@"
}

guest_initramfs() {
    local out=$1 tree entry
    shift
    tree=$(mktemp -d "$guest_home/initramfs.XXXXXX") || return 2
    chmod 755 "$tree" # other users get as far as to what is tested
    mkdir "$tree"/{dev,proc,sys}
    for entry in "$@"; do
        mkdir -p "$tree/$(dirname "${entry%%=*}")"
        cp "${entry#*=}" "$tree/${entry%%=*}" || return 2
    done
    (cd "$tree" && find . | cpio --quiet -o -H newc) >"$out" || return 2
    rm -rf "$tree"
}

# The command that boots, without where its console goes; in the array guest_command.
guest_qemu() {
    local initramfs=$1 parameters=$2
    shift 2
    # TCG executes rep movs and rep stos step by step, so the processor does not say that they are
    # fast, and the kernel does not believe it anyway (rep_good). Nor that it has five levels of page tables:
    # a kernel with KASAN that is interrupted while it learns what its processor has would take its own
    # memory for wild.
    # shellcheck disable=SC2054 # commas are QEMU's
    guest_command=(qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu "max,-erms,-fsrm,-la57" -m "$guest_memory"
        -nodefaults -no-reboot -display none -kernel "$guest_kernel" -initrd "$initramfs"
        -append "console=ttyS0 rdinit=/init panic=-1 oops=panic mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests clearcpuid=rep_good $parameters"
        "$@")
}

guest_boot() {
    local log=$1 seconds=$2
    shift 2
    guest_qemu "$@" -serial "file:$log"
    : >"$log"
    timeout --kill-after=5 "$seconds" "${guest_command[@]}" >"$log.qemu" 2>&1 </dev/null
    local status=$?
    sed -i 's/\r$//' "$log"
    ((status == 0)) && grep -qE '^DONE( |$)' "$log" && ! guest_splat "$log" >/dev/null
}

guest_snapshot() {
    local out=$1 log=$2 seconds=$3
    shift 3
    : >"$log"
    # The monitor reads on when the machine is written. It stands still meanwhile: TCG loses what is written to
    # memory that is being copied. Nobody is to know that, or it would stand still when it goes on.
    {
        for ((i = 0; i < 20 * seconds; i++)); do
            ! grep -q '^READY' "$log" || break
            sleep 0.05
        done
        printf 'stop\nmigrate "exec:cat >\x27%s.new\x27"\nquit\n' "$out"
    } | timeout --kill-after=5 "$seconds" "${@/CONSOLE/$log}" -monitor stdio \
        -global migration.store-global-state=off >"$log.qemu" 2>&1
    grep -q '^READY' "$log" && mv "$out.new" "$out"
}

# What a kernel prints when something is wrong.
guest_splat() {
    grep -nE 'BUG:|kernel BUG at|WARNING: |Oops|general protection fault|Kernel panic|KASAN|UBSAN|possible circular locking|sleeping function called|unreferenced object|blocked for more than|soft lockup|rcu.*stall' "$1"
}

# ADDRESS of the console's "function+0x10/0x20 [dxgkmem]" -> file and line.
guest_explain() {
    local log=$1 module=$2 place function offset base back
    guest_splat "$log" | head -n 3 | cut -d: -f2-
    grep -E '^FAIL |dxgkmem: .*(bug check|\.[ch]:[0-9])' "$log" | head -n 5
    grep -qE '^DONE( |$)' "$log" || echo "it did not come to its end"
    while read -r place; do
        # An offset behind a call is that of the next instruction; where it stopped, marked with =, is what it is.
        back=1
        [[ $place != =* ]] || back=0
        place=${place#=}
        function=${place%%+*} offset=${place#*+}
        base=$(nm "$module" | awk -v name="$function" '$3 == name { print $1; exit }')
        [[ $base ]] || continue
        printf '  %s\n' "$place"
        addr2line -sfip -e "$module" -j .text "$(printf '%x' $((0x$base + ${offset%%/*} - back)))" | sed 's/^/    /'
    done < <(grep -oE '(RIP: [0-9a-f]+:)?[A-Za-z_0-9.]+\+0x[0-9a-f]+/0x[0-9a-f]+ \[dxgkmem\]' "$log" | sed 's/^RIP: [0-9a-f]*:/=/; s/ .*//' | awk '!n[$0]++' | head -n 6)
    [[ ! -s $log.qemu ]] || head -n 3 "$log.qemu"
    echo "the console: $log"
}
