#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tool for 32-bit x86: it links, and every short program comes to the same there.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
[[ $(uname -m) == x86_64 ]] && echo 'int main(void) { return 0; }' | "$CC" -m32 -x c -o /dev/null - 2>/dev/null || exit 77

# The kernel's headers are the same for 32 bits, but not every installation has them where 32 bits look.
flags=-m32
"$CC" -m32 -x c -E - <<<'#include <asm/types.h>' >/dev/null 2>&1 ||
    flags+=" -idirafter /usr/include/$("$CC" -print-multiarch)"
cmake -S "$ROOT" -B build -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release \
    -DDXGKMEM_TESTS=OFF -DDXGKMEM_TRIAGE=OFF >log 2>&1 &&
    cmake --build build --target dxgkmem_tool >>log 2>&1 || fail "it does not build: $(tail -n 5 log)"
file -L build/fuzz/dxgkmem | grep -q 'ELF 32-bit' || fail "it is no program of 32 bits: $(file -L build/fuzz/dxgkmem)"
expect 0 "$DXGKMEM" explore --depth 2
cp out wide
expect 0 build/fuzz/dxgkmem explore --depth 2
cmp -s wide out || fail "32 bits: $(cat out); 64 bits: $(cat wide)"
finish
