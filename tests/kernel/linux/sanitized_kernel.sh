#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Owns the sanitised kernel: Debian's linux-source, tinyconfig and sanitized.config, built once and
# kept outside of the tree under the hash of all that it is made of. Prints the folder to build
# modules against; the kernel is arch/x86/boot/bzImage in it.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dxgkmem
package=linux-source-6.1
log=/dev/null

fail() {
    printf 'sanitized kernel: %s\n' "$*" >&2
    [[ $log == /dev/null ]] || printf 'sanitized kernel: all of it is in %s\n' "$log" >&2
    exit 2
}

(($# == 0)) || fail "it takes no argument, not '$1'"

# The newest version that is kept serves as long as apt knows of none; a machine without a network
# can still use what it has built.
version=$(apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p')
[[ $version ]] || fail "apt-get does not know $package; it is a package of Debian 12"

key=$({
    printf '%s\n' "$package $version"
    gcc --version | head -1
    cat "$here/sanitized.config"
} | sha256sum | cut -c1-16)
folder=$cache/kernel-$key
if [[ -e $folder/ready ]]; then
    printf '%s\n' "$folder/source"
    exit 0
fi

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # somebody else may be building the same one
if [[ ! -e $folder/ready ]]; then
    log=$folder/build.log
    printf 'sanitized kernel: building %s once into %s; this takes some minutes\n' "$package $version" "$folder" >&2
    cd "$folder"
    rm -rf source unpacked ./*.deb
    apt-get download "$package=$version" >"$log" 2>&1 || fail "$package cannot be downloaded"
    dpkg-deb -x ./*.deb unpacked >>"$log" 2>&1 || fail "$package cannot be unpacked"
    mkdir source
    tar -C source --strip-components=1 -xf "unpacked/usr/src/$package.tar.xz" >>"$log" 2>&1 ||
        fail "the archive of $package cannot be unpacked"
    rm -rf unpacked ./*.deb
    {
        make -C source tinyconfig &&
            (cd source && scripts/kconfig/merge_config.sh -m .config "$here/sanitized.config") &&
            make -C source olddefconfig
    } >>"$log" 2>&1 || fail "configuring failed"
    # What Kconfig dropped without a word would be a watcher that is not there.
    missing=$(grep '^CONFIG_' "$here/sanitized.config" | grep -vxF -f source/.config | tr '\n' ' ') || true
    [[ -z $missing ]] || fail "the kernel cannot have $missing"
    make -C source -j "$(nproc)" bzImage modules >>"$log" 2>&1 || fail "the build failed"
    touch ready
fi
printf '%s\n' "$folder/source"
