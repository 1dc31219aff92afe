#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An installed tree: a client finds it with CMake's find_package and with pkg-config, in C and C++.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

run() { "$@" >log 2>&1 || fail "$*: $(tail -n 5 log)"; }

run cmake -S "$ROOT" -B build -DDXGKMEM_FUZZ=OFF -DDXGKMEM_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix" \
    -DCMAKE_C_COMPILER="$CC"
run cmake --build build -j 2
run cmake --install build

mkdir client
cat >client/client.c <<'C'
#include <dxgkmem/dxgkmem.h>
#include <dxgkmem/sim.h>
int main(void)
{
    struct dxgkmem_sim_config machine = {{{256, 4096, false}}, 1, 40, 0, NULL, NULL};
    struct dxgkmem_sim *sim;
    if (dxgkmem_sim_create(&machine, &sim) != STATUS_SUCCESS)
        return 1;
    struct dxgkmem_config config = {0};
    config.machine = dxgkmem_sim_machine(sim);
    if (dxgkmem_start(&config) != STATUS_SUCCESS)
        return 2;
    struct dxgkmem_leaks leaks;
    dxgkmem_stop(&leaks);
    dxgkmem_sim_destroy(sim);
    return leaks.objects != 0;
}
C
cat >client/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.21)
project(client LANGUAGES C)
find_package(dxgkmem 0.1 REQUIRED)
add_executable(client client.c)
target_link_libraries(client PRIVATE dxgkmem::dxgkmem dxgkmem::sim)
CMAKE
run cmake -S client -B client/build -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$CC"
run cmake --build client/build
run client/build/client

# A client may have any name of its own: none but dxgkmem_ is taken.
if command -v objcopy >/dev/null; then
    for library in dxgkmem dxgkmem_host_user dxgkmem_sim; do
        file=$(find "$work/prefix" -name "lib$library.a")
        nm -g --defined-only "$file" | awk 'NF == 3 { print $3 }' >names
        grep -q '^dxgkmem_' names || fail "lib$library.a defines nothing"
        grep -v '^dxgkmem_' names >taken && fail "lib$library.a takes the name $(head -n 1 taken)"
    done
fi

if command -v pkg-config >/dev/null; then
    path=$(find "$work/prefix" -name pkgconfig -type d)
    read -ra flags <<<"$(PKG_CONFIG_PATH=$path pkg-config --cflags --libs dxgkmem-sim)"
    run "$CC" client/client.c -o by_pkg_config "${flags[@]}"
    run ./by_pkg_config
    if command -v c++ >/dev/null; then
        sed 's/= {0}/= {}/' client/client.c >client/client.cpp
        run c++ -std=c++17 client/client.cpp -o in_cpp "${flags[@]}"
        run ./in_cpp
    fi
fi
finish
