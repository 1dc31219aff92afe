#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that is in the Windows driver compiles with clang's msvc target, and for ARM with the gnu one as well.
# The kernel's declarations are those of tests/kernel/fake: mingw's know no ARM kernel.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v clang >/dev/null || exit 77

flags=(-std=c17 -ffreestanding -nostdlibinc -fms-extensions -c -o object -DDXGKMEM_LOCK_WORDS=8 -Wall -Wextra
    -Wconversion -Wshadow -Wvla -Werror -I"$ROOT/include" -I"$ROOT/src" -I"$ROOT/fuzz" -I"$ROOT/tests/kernel/fake")
for target in x86_64-pc-windows-msvc aarch64-w64-windows-gnu aarch64-pc-windows-msvc; do
    for file in "$ROOT"/src/{core,machine/sim,driver,host/nt,machine/nt}/*.c "$ROOT"/fuzz/{program,model}/*.c \
        "$ROOT"/src/driver/nt/{driver,image}.c; do
        clang --target=$target "${flags[@]}" "$file" >out 2>&1 ||
            fail "$target ${file#"$ROOT"/}: $(grep -m 1 error out)"
    done
done
finish
