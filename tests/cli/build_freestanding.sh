#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What also runs in kernels compiles without any libc header, for 64-bit and 32-bit processors.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v clang >/dev/null || exit 77

flags=(-std=c17 -ffreestanding -nostdlibinc -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Wvla -Werror
    -I"$ROOT/include" -I"$ROOT/fuzz")
for target in x86_64-linux-gnu i686-linux-gnu aarch64-linux-gnu x86_64-windows-gnu; do
    for file in "$ROOT"/src/core/*.c "$ROOT"/src/machine/sim/*.c "$ROOT"/fuzz/program/*.c "$ROOT"/fuzz/model/*.c \
        "$ROOT"/src/driver/*.c; do
        clang --target=$target "${flags[@]}" "$file" >out 2>&1 || fail "$target ${file#"$ROOT"/}: $(grep -m 1 error out)"
    done
done
finish
