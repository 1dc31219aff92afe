# SPDX-License-Identifier: MIT
#
# gcc for 64-bit Arm Linux; what it makes runs under qemu-user. Of Debian, with the architecture arm64 added:
# gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user libcmocka-dev:arm64
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# The cross compiler's libc and the libraries of the foreign architecture are in two places: one emulator sees both.
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64 -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib:/usr/lib/aarch64-linux-gnu -L /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
