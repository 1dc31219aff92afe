#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every program of the corpus as C: builds with one command against an installed tree, without a
# warning, and prints the program's trace. The driver's form compiles, and runs in a test driver. The same
# of the plain implementation, which the C form loads.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v pkg-config >/dev/null || {
    echo "skipped: pkg-config is not installed"
    exit 77
}

{ cmake -S "$ROOT" -B build -DDXGKMEM_FUZZ=OFF -DDXGKMEM_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$work/prefix" \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$CC" >log 2>&1 &&
    cmake --build build -j 2 >>log 2>&1 && cmake --install build >>log 2>&1; } || fail "$(tail -n 5 log)"
PKG_CONFIG_PATH=$(find "$work/prefix" -name pkgconfig -type d)
export PKG_CONFIG_PATH DXGKMEM CC

# one FILE: the C form's words and exit status against those of the tool.
cat >one.sh <<'SH'
name=$(basename "$1" .txt)
flags=$(pkg-config --cflags --libs dxgkmem-sim)
"$DXGKMEM" csource -o "$name.c" "$1" || echo "FAIL $name: no C form"
"$CC" -Wall -Wextra -Werror "$name.c" -o "$name.out" $flags 2>"$name.err" || { echo "FAIL $name: $(head -n 3 "$name.err")"; exit; }
"./$name.out" >"$name.is" || echo "FAIL $name: ended with $?"
"$DXGKMEM" run --trace "$1" | grep -vE '^       |^clean:' >"$name.must"
grep -vE '^everything is' "$name.is" | cmp -s - "$name.must" || echo "FAIL $name: $(diff "$name.is" "$name.must" | head -n 4)"
"$DXGKMEM" csource --driver --name driver_part -o "$name.driver.c" "$1" || echo "FAIL $name: no driver's form"
"$CC" -Wall -Wextra -Werror -DDXGKMEM_WITHOUT_WDK -c "$name.driver.c" -o "$name.driver.o" $(pkg-config --cflags dxgkmem) \
    2>"$name.err" || echo "FAIL $name, driver's form: $(head -n 3 "$name.err")"
SH

# plain.sh FILE: the same through a provider. It tells nobody what was refused and counts nothing at the stop.
cat >plain.sh <<'SH'
name=$(basename "$1" .txt)
"$DXGKMEM" csource --provider ../plain.so -o "$name.c" "$1" || echo "FAIL $name: no C form"
"$CC" -Wall -Wextra -Werror "$name.c" -o "$name.out" $(pkg-config --cflags --libs dxgkmem-sim) -ldl 2>"$name.err" ||
    { echo "FAIL $name: $(head -n 3 "$name.err")"; exit; }
"./$name.out" >"$name.is" || echo "FAIL $name: ended with $?"
"$DXGKMEM" run --trace --provider ../plain.so "$1" | sed -E '/^       |^clean:|^not run/d
    s/-> refused for .*/-> done/; s/(-> STATUS_[A-Z_]+) for [a-z_]+$/\1/; s/^(.* (stop|the end) -> done) objects=.*/\1/' >"$name.must"
grep -vE '^everything is' "$name.is" | cmp -s - "$name.must" || echo "FAIL $name: $(diff "$name.is" "$name.must" | head -n 4)"
SH

every_program() { # every_program SCRIPT: run in a folder of its own on each program of the corpus
    mkdir "$1.forms"
    (cd "$1.forms" && find "$ROOT/corpus/seeds" "$ROOT/corpus/regressions" -type f -print0 |
        xargs -0 -n 1 -P 2 bash "../$1.sh" >../failures)
    [[ ! -s failures ]] || fail "$(grep -c FAIL failures) of the C forms, $1: $(head -n 12 failures)"
    (($(find "$1.forms" -name '*.out' | wc -l) > 150)) ||
        fail "only $(find "$1.forms" -name '*.out' | wc -l) C forms were built, $1"
}
every_program one
provide plain.so "$ROOT/tests/providers/plain"
every_program plain

# The driver's form in a driver: the calls of the program are made and answered as expected.
cat >host.c <<'C'
#include <dxgkmem/dxgkmem.h>
#include <dxgkmem/sim.h>
#include <stdarg.h>
#include <stdio.h>
void driver_part(DXGKRNL_INTERFACE *dxgk, HANDLE adapter);
ULONG DbgPrint(const char *format, ...);
ULONG DbgPrint(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    return 0;
}
int main(void)
{
    static const struct dxgkmem_sim_config machine = {
        .range = {{.page = 0x100, .pages = 0x4000}}, .ranges = 1, .address_bits = 48};
    struct dxgkmem_adapter_config adapter = {.version = DXGKDDI_INTERFACE_VERSION_WDDM3_2,
                                             .frame_buffer_bytes = 0x4000};
    DXGKRNL_INTERFACE dxgk = {.Size = sizeof dxgk};
    struct dxgkmem_config config = {0};
    struct dxgkmem_leaks leaks;
    struct dxgkmem_sim *sim;
    HANDLE handle;
    adapter.memory_caps.HighestVisibleAddress.QuadPart = -1;
    adapter.iommu_caps.DmaRemappingSupported = 1;
    if (!NT_SUCCESS(dxgkmem_sim_create(&machine, &sim)))
        return 2;
    config.machine = dxgkmem_sim_machine(sim);
    if (!NT_SUCCESS(dxgkmem_start(&config)) || !NT_SUCCESS(dxgkmem_add_adapter(&adapter, &handle)) ||
        !NT_SUCCESS(dxgkmem_query_interface(handle, &dxgk)))
        return 2;
    driver_part(&dxgk, handle);
    dxgkmem_stop(&leaks);
    return leaks.objects != 0;
}
C
read -ra flags <<<"$(pkg-config --cflags --libs dxgkmem-sim)"
for name in pin-counted-once violation-close_after_destroy; do
    "$CC" host.c "one.forms/$name.driver.o" -o host "${flags[@]}" 2>err || fail "$name: $(head -n 3 err)"
    expect 0 ./host
    prints 'line '
    awk '$3 == "0x00000000," && $5 !~ /STATUS_SUCCESS/ || $3 != "0x00000000," && $5 ~ /STATUS_SUCCESS/ { exit 1 }' out ||
        fail "$name: $(cat out)"
done

# What the file says itself: another answer than the expected one ends with 1.
sed 's/refused: close_after_destroy/done: close_after_destroy/' one.forms/violation-close_after_destroy.c >other.c
"$CC" other.c -o other "${flags[@]}" 2>err || fail "$(cat err)"
expect 1 ./other
prints '       expected done: close_after_destroy'
prints '1 differences'

# Bad input.
expect 2 "$DXGKMEM" csource
one_line 'no file is named'
expect 2 "$DXGKMEM" csource --name 3x "$ROOT/corpus/seeds/driver-ring.txt"
one_line "--name takes a C identifier, not '3x'"
printf 'add d0\ncraete o0\n' >bad.txt
expect 2 "$DXGKMEM" csource bad.txt
one_line 'bad.txt:2: unknown operation'
finish
