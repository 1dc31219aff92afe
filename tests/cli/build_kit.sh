#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guide of src/kit/README.md, typed as it stands in a copy of the tree; then bad input to the kit, and the
# stand-ins' headers in every order, in C and C++.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v clang >/dev/null || exit 77
command -v addr2line >/dev/null || command -v llvm-addr2line >/dev/null || exit 77

# -- the guide ---------------------------------------------------------------------------------
mkdir tree
(cd "$ROOT" && find . -path ./build -prune -o -path ./.git -prune -o -type f -print0 | tar -c --null -T -) | tar -x -C tree
# One script a heading, so that what each prints can be looked at.
awk '/^## /{ n++ } /^```sh$/{ on = 1; next } /^```$/{ on = 0 } on { print > ("guide" n ".sh") }' tree/src/kit/README.md
[[ -s guide1.sh && -s guide2.sh && -s guide3.sh && -s guide4.sh ]] || fail 'the guide has no four steps'
for step in 1 2 3 4; do
    (cd tree && CC=clang bash -e ../guide$step.sh) >"out$step" 2>&1 || fail "step $step of the guide: $(tail -n 5 "out$step")"
done
grep -qE 'finding 1: .*ring\.c:[0-9]+: access_violation: .*Offset' out3 || fail "the guide's mistake is not found: $(head -n 9 out3)"
# What step 3 shows was printed, but for addresses.
awk '/^## /{ at = /^## 3/ } /^```/{ if (fence) fence = on = 0; else { fence = 1; on = at && $0 == "```"; next } } on' \
    tree/src/kit/README.md | sed 's/0x[^:]*:/0x:/' >shown3
sed 's/0x[^:]*:/0x:/' out3 >said3
[[ -s shown3 ]] || fail 'step 3 shows nothing'
while IFS= read -r line; do
    grep -qxF -- "$line" said3 || fail "step 3 of the guide shows what was not printed: $line"
done <shown3
grep -q 'exit status 1' out3 || fail 'a finding is not exit 1'
grep -q '^clean: ' out3 || fail 'the mended driver is not clean'
grep -q 'page-array-when-contiguous' out4 || fail 'the mistakes were not run'
# shellcheck disable=SC2154 # work is of lib.sh
prefix=$work/tree/build/prefix

# -- bad input: what is wrong, in one line that names it -------------------------------------------
# configure TEXT LINES: a project with these lines must be refused with this text.
configure() {
    rm -rf bad && mkdir bad
    echo 'int nothing;' >bad/a.c
    cp bad/a.c bad/b.cpp
    printf 'cmake_minimum_required(VERSION 3.21)\nproject(bad LANGUAGES C)\nfind_package(dxgkmem REQUIRED)\n%s\n' "$2" >bad/CMakeLists.txt
    cmake -S bad -B bad/build -DCMAKE_PREFIX_PATH="$prefix" >out 2>&1 && fail "accepted: $2"
    tr -s ' \n' ' ' <out | grep -qF -- "$1" || fail "'$2' is not told '$1': $(grep -A 4 Error out)"
}
configure "unknown argument 'SOURCE'" 'dxgkmem_add_driver_test(t SOURCE a.c)'
configure 'SOURCES names no file' 'dxgkmem_add_driver_test(t)'
configure 'nothing stands behind SOURCES' 'dxgkmem_add_driver_test(t SOURCES)'
configure 'no such file: missing.c' 'dxgkmem_add_driver_test(t SOURCES missing.c)'
configure 'add CXX to the languages' 'dxgkmem_add_driver_fuzzer(t SOURCES b.cpp)'
configure 'there is a target of this name already' 'add_executable(t a.c) 
dxgkmem_add_driver_test(t SOURCES a.c)'

lib=$(dirname "$(find "$prefix" -name libdxgkmem_kit.a)")
flags=(-g -fshort-wchar -fno-omit-frame-pointer -I"$prefix/include" -I"$prefix/include/wdk")
libraries=("$lib/libdxgkmem_kit_test.a" "$lib/libdxgkmem_kit.a" "$lib/libdxgkmem.a" "$lib/libdxgkmem_sim.a"
    "$lib/libdxgkmem_host_user.a" -pthread)
driver() { "$CC" -std=c17 "${flags[@]}" driver.c "${libraries[@]}" -o driver >log 2>&1; }

echo '#include <ntddk.h>' >driver.c
driver && fail 'a harness without dxgkmem_harness links'
grep -q 'undefined reference to .dxgkmem_harness' log || fail "the missing harness is not named: $(cat log)"
printf '#include <dxgkmem/kit.h>\nconst struct dxgkmem_harness dxgkmem_harness = {0};\n' >driver.c
driver || fail "an empty harness: $(cat log)"
expect 2 ./driver
one_line "no function 'life'"
cat >driver.c <<'C'
#include <ntddk.h>
#include <dxgkmem/kit.h>
static void life(struct dxgkmem_kit *kit)
{
    (void)kit;
    MmUnmapIoSpace(0, 1);
}
const struct dxgkmem_harness dxgkmem_harness = {life};
C
driver && fail 'a routine that is not there links'
grep -q "undefined reference to .MmUnmapIoSpace" log || fail "the routine is not named: $(cat log)"
for part in __finally __leave; do # what __try does not have says so by its name
    sed "s/MmUnmapIoSpace(0, 1);/__try { $part; } __except (1) { }/" driver.c >part.c
    "$CC" -std=c17 "${flags[@]}" -fsyntax-only part.c 2>log && fail "$part compiles"
    grep -q "the stand-ins have no $part" log || fail "$part is not named: $(cat log)"
done
sed -i 's/MmUnmapIoSpace(0, 1);//; s/{life}/{.life = life, .memory_bytes = 4096}/' driver.c
driver || fail "a harness: $(cat log)"
expect 2 ./driver
one_line 'between 4 MiB and 1 GiB'
sed -i 's/.memory_bytes = 4096/.visible = 0xffff, .domains = DXGKMEM_KIT_IDENTITY/' driver.c
driver && expect 2 ./driver
one_line 'highest visible address'
sed -i 's/, .visible.*IDENTITY//' driver.c
driver && expect 0 ./driver
prints 'clean: '
expect 2 ./driver --world flat
one_line "'flat'"
expect 2 ./driver --sweep all
one_line "'all'"
expect 2 ./driver --fail 1,two
one_line "'two'"
expect 2 ./driver --rounds
one_line '--rounds'
expect 2 ./driver --nonsense
one_line "'--nonsense'"
expect 2 ./driver more
one_line "'more'"
expect 0 ./driver --help
prints 'usage: '

# -- headers: each alone, and in both orders; in C and in C++, as drivers wrap them --------------------------
headers=()
for header in "$prefix"/include/wdk/*.h; do headers+=("$(basename "$header")"); done
((${#headers[@]} >= 16)) || fail 'headers are missing'
compile() { # NAME HEADER...
    local name=$1 header
    shift
    for header in "$@"; do echo "#include <$header>"; done >"$name.c"
    echo 'NTSTATUS last = STATUS_SUCCESS;' >>"$name.c"
    "$CC" -std=c17 -Wall -Wextra -Werror -Wno-unknown-pragmas "${flags[@]}" -fsyntax-only "$name.c" 2>log ||
        fail "C, $*: $(grep -m 1 error log)"
    if command -v c++ >/dev/null; then
        { echo 'extern "C" {' && grep include "$name.c" && echo '}' && grep -v include "$name.c"; } >"$name.cpp"
        c++ -std=c++17 -Wall -Wextra -Werror "${flags[@]}" -fsyntax-only "$name.cpp" 2>log || fail "C++, $*: $(grep -m 1 error log)"
    fi
}
for header in "${headers[@]}"; do compile alone "$header"; done
compile forward "${headers[@]}"
mapfile -t backward < <(printf '%s\n' "${headers[@]}" | tac)
compile backward "${backward[@]}"
compile kit_first dxgkmem/kit.h "${headers[@]}"
finish
