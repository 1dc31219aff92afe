#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fuzz/oss-fuzz/build.sh with the variables set by hand, outside any container, for each combination of
# engine, sanitizer and architecture that can run here; then what OSS-Fuzz asks of a build before it takes
# it (its bad_build_check): instrumented edges, a start without a crash, the right architecture, the
# sanitizer in it and no other, seeds that run. And: the targets run from any folder, and link nothing
# dynamically but libc.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
for program in clang clang++ afl-clang-fast++ zip unzip file objdump; do
    command -v $program >/dev/null || {
        echo "skipped: there is no $program"
        exit 77
    }
done

# The flags of OSS-Fuzz's base-builder image.
common="-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
ubsan=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute
ubsan+=,shift,signed-integer-overflow,unreachable,vla-bound,vptr
declare -A flags=(
    [address]="-fsanitize=address -fsanitize-address-use-after-scope"
    [undefined]="-fsanitize=$ubsan,unsigned-integer-overflow -fno-sanitize-recover=$ubsan"
    [memory]="-fsanitize=memory -fsanitize-memory-track-origins"
    [coverage]="-fprofile-instr-generate -fcoverage-mapping -pthread -Wno-unused-command-line-argument"
)
export UBSAN_OPTIONS=silence_unsigned_overflow=1
# The kernel's headers are the same for 32 bits, but only gcc-multilib puts them where 32 bits look, and where
# there are cross compilers Debian does not install it.
headers32=
clang -m32 -x c -E - <<<'#include <asm/types.h>' >/dev/null 2>&1 ||
    headers32="-idirafter /usr/include/$(gcc -print-multiarch)"

# make ENGINE SANITIZER ARCHITECTURE: builds into $work/made, then moves it: nothing may depend on the place.
make_targets() {
    local cc=clang cxx=clang++ all="$common ${flags[$2]}"
    [[ $1 == afl ]] && cc=afl-clang-fast cxx=afl-clang-fast++
    [[ $1 == afl || $2 == coverage ]] || all+=" -fsanitize=fuzzer-no-link"
    [[ $3 == i386 ]] && all="-m32 $all $headers32"
    rm -rf made moved
    OUT=$work/made WORK=$work/work SRC=/nonexistent SANITIZER=$2 ARCHITECTURE=$3 CC=$cc CXX=$cxx CFLAGS=$all \
        CXXFLAGS=$all LIB_FUZZING_ENGINE=-fsanitize=fuzzer AFL_QUIET=1 \
        bash "$ROOT/fuzz/oss-fuzz/build.sh" >build.log 2>&1 || {
        fail "$1 $2 $3: build.sh failed: $(tail -n 5 build.log)"
        return 1
    }
    if grep -q 'warning: ' build.log; then fail "$1 $2 $3: $(grep -m 3 'warning: ' build.log)"; fi
    mv made moved
    for target in fuzz_program fuzz_text fuzz_ioctl; do
        [[ -x moved/$target && -s moved/${target}_seed_corpus.zip && -s moved/$target.options ]] ||
            fail "$1 $2 $3: something of $target is missing"
    done
}

calls() { objdump -d "$1" | grep -cE "callq? +[0-9a-f]+ <__$2"; }

# has_sanitizer SANITIZER ARCHITECTURE FILE: calls into its runtime in large numbers, into others' hardly.
has_sanitizer() {
    local asan msan ubsan most=200
    asan=$(calls "$3" asan) msan=$(calls "$3" msan) ubsan=$(calls "$3" ubsan)
    [[ $2 == i386 ]] && most=280
    case $1 in
    address) ((asan >= 1000 && msan <= 3 && ubsan <= most)) ;;
    memory) ((asan == 0 && msan >= 1000 && ubsan <= most)) ;;
    undefined) ((asan == 0 && msan <= 3 && ubsan >= 168)) ;;
    esac
}

# has_edges LOG: libFuzzer says how many it found.
has_edges() {
    local edges
    edges=$(sed -nE 's/^INFO: Loaded [0-9]+ modules? .*(counters|guards)\): ([0-9]+) .*/\2/p' "$1")
    ((${edges:-0} >= 100)) && ! grep -q 'no interesting inputs were found' "$1"
}

# check ENGINE SANITIZER ARCHITECTURE: of what was made.
check() {
    local target name=$*
    for target in "$work"/moved/fuzz_*; do
        [[ -x $target ]] || continue
        grep -q LLVMFuzzerTestOneInput "$target" || fail "$name: $target would not be taken for a target"
        file "$target" | grep -q "$([[ $3 == i386 ]] && echo 80386 || echo x86-64)" ||
            fail "$name: $(file "$target")"
        ldd "$target" | grep -vE 'linux-(vdso|gate)|ld-linux|lib(c|m|dl|rt|pthread)\.so' | grep -q . &&
            fail "$name: $target links $(ldd "$target")"
        [[ $2 == coverage ]] || has_sanitizer "$2" "$3" "$target" ||
            fail "$name: $target: calls: asan $(calls "$target" asan), msan $(calls "$target" msan), ubsan $(calls "$target" ubsan)"
        mkdir -p seeds && rm -rf seeds/* && unzip -q -o -d seeds "${target}_seed_corpus.zip"
        if [[ $1 == afl ]]; then
            check_afl "$target" "$name"
            continue
        fi
        (cd / && "$target" -seed=1337 -runs=4 >"$work/log" 2>&1)
        grep -q 'Done 4 runs' log || fail "$name: $target does not start: $(tail -n 3 log)"
        has_edges log || fail "$name: $target has hardly any edges"
        (cd / && LLVM_PROFILE_FILE=$work/profile "$target" -runs=0 -rss_limit_mb=2560 -timeout=25 "$work/seeds" >"$work/log" 2>&1) ||
            fail "$name: $target: a seed fails: $(tail -n 5 log)"
        grep -qE "INITED .* corp: [1-9]" log || fail "$name: $target read no seeds"
    done
}

check_afl() {
    rm -rf queue
    (cd / && AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_FORKSRV_INIT_TMOUT=30000 afl-fuzz -V 2 -t 5000+ -i "$work/seeds" -o "$work/queue" -- "$1" >"$work/log" 2>&1)
    grep -q 'All set and ready to roll' log || fail "$2: afl-fuzz does not start $1: $(tail -n 5 log)"
    ! grep -qE 'target binary (crashed|terminated)|results in a (crash|timeout)' log || fail "$2: $1: a seed fails"
    # The device of fuzz_ioctl counts what was asked of it, and tells.
    [[ $1 == */fuzz_ioctl ]] || grep -qE '^stability +: 100.00%' queue/default/fuzzer_stats || fail "$2: $1: $(grep stability queue/default/fuzzer_stats)"
}

combinations="libfuzzer undefined x86_64
libfuzzer memory x86_64
libfuzzer coverage x86_64
afl address x86_64
libfuzzer address x86_64"
if echo 'int main(void){return 0;}' | clang++ -x c++ -m32 -fsanitize=address -static-libstdc++ -o m32 - 2>/dev/null; then
    combinations+=$'\nlibfuzzer address i386'
else
    echo "no i386: nothing links with clang++ -m32"
fi
while read -r engine sanitizer architecture; do
    make_targets "$engine" "$sanitizer" "$architecture" || continue
    check "$engine" "$sanitizer" "$architecture"
    echo "$engine $sanitizer $architecture: $(calls moved/fuzz_program "(a|m|ub)san") calls of sanitizers"
    [[ $sanitizer != coverage || -s profile ]] || fail "the coverage build wrote no profile"
    # The checks can fail: no sanitizer passes for another one, nor a program for a target.
    [[ $sanitizer != address ]] || ! has_sanitizer undefined "$architecture" moved/fuzz_program || fail "ASan passes for UBSan"
    [[ $sanitizer != undefined ]] || ! has_sanitizer address "$architecture" moved/fuzz_program || fail "UBSan passes for ASan"
done <<<"$combinations"
: >log
! has_edges log || fail "a log without edges passes"

# What is wrong with the environment is said.
expect 1 env -u CC OUT=x bash "$ROOT/fuzz/oss-fuzz/build.sh"
grep -q 'CC' err || fail "a missing CC is not named"
finish
