#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Triage and promotion with bugs really planted: the tool is built from a patched copy of the tree.
# Findings of several bugs become as many groups; crashes, hangs and memory eaters are told apart;
# what is fixed, flaky or no program is sorted out; interrupted, it goes on.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v patch >/dev/null || exit 77

build_tool() { # build_tool FOLDER: quietly
    if ! cmake -S "$1" -B "$1/build" -DDXGKMEM_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" \
        -DCMAKE_C_COMPILER="${CC:-cc}" >log 2>&1 ||
        ! cmake --build "$1/build" --target dxgkmem_tool -j 2 >>log 2>&1; then
        fail "the build: $(tail -n 5 log)"
        finish
    fi
}

mkdir tree
cp -r "$ROOT"/CMakeLists.txt "$ROOT"/include "$ROOT"/src "$ROOT"/fuzz tree
bugs=(cache-type-lost io-over-ram-accepted adl-past-the-end unmap-any-size adl-flush-missing adl-device-writes-read-only)
for bug in "${bugs[@]}"; do
    patch -d tree -p1 -s <"$ROOT/tests/mutants/$bug.patch" || fail "$bug does not apply"
done
# A call that crashes, one that hangs, one that eats memory: unpin with an index that nobody has. The
# three are far from each other, so that making one small does not try the others.
sed -i '/^void runner_unpin(/,/^{/s/^{/{\n    if (runner_number(runner, UNPIN_INDEX) == 17) *(volatile int *)8 = 1;\n    while (runner_number(runner, UNPIN_INDEX) == 259) dxgkmem_host_yield();\n    while (runner_number(runner, UNPIN_INDEX) == 8197) memset(dxgkmem_host_alloc(1 << 20), 1, 1 << 20);/' \
    tree/fuzz/program/calls.c
grep -q 'host_yield' "$ROOT/include/dxgkmem/host.h" || sed -i 's/dxgkmem_host_yield();/runner->round++;/' tree/fuzz/program/calls.c
build_tool tree
planted=$PWD/tree/build/fuzz/dxgkmem

# Inputs: programs of the corpus, which provoke each of the planted bugs, and some of the generator's.
mkdir in
for file in "$ROOT"/corpus/seeds/*.txt; do
    "$planted" run --quiet "$file" >out 2>&1 || cp "$file" "in/crash-$(basename "$file" .txt)"
done
for seed in $(seq 1 100); do
    "$planted" generate --seed "$seed" --lines 16 >program.txt
    "$planted" run --quiet program.txt >out 2>&1 || cp program.txt "in/crash-$seed"
done
# What another bug hides in all of these.
printf 'world small\nadd d0\ncreate o0 a0 type=section protection=readonly\nadl l0 a0\n' >in/crash-read-only
many=$(find in -type f | wc -l)
((many >= 20)) || fail "only $many inputs"
printf 'world small\nadd d0\ndma_read d0 l0\n%s\n' 'unpin d0 index=17' >in/id:000001,sig:11,src:000000
printf 'world small\nadd d0\n%s\n' 'unpin d0 index=259' >in/timeout-1
printf 'world small\nadd d0\n%s\n' 'unpin d0 index=8197' >in/oom-1
printf 'world small\nadd d0\n' >in/crash-fixed
printf 'world small\nadd d0\n' >beside && cp beside in/timeout-1.txt # a text beside an input is none itself
mkdir bad && printf 'dance d0\n' >bad/crash-words && head -c 20000 /dev/zero >bad/crash-long

expect 1 "$planted" triage -o results --time 300 --timeout 5 --memory 128 in
cp out table
prints "$((many + 4)) inputs"
prints 'of the inputs 1 are fixed, 0 flaky, 0 unreadable'
groups=$(sed -nE 's/^[0-9]+ inputs: ([0-9]+) findings.*/\1/p' out)
((groups == ${#bugs[@]} + 3)) || fail "$groups groups of ${#bugs[@]} bugs and a crash, a hang, an eater: $(cat out)"
for word in SIGSEGV timeout out-of-memory 'invariant 4' 'invariant 11'; do prints "$word"; done
[[ $(grep -nE 'two owners|corruption|denial' table | head -n 1) == *'two owners'* ]] || fail "not the worst first: $(cat table)"
for file in results/*.txt; do
    lines=$(grep -vcE '^(#|world)' "$file")
    ((lines <= 5)) || fail "$file has $lines operations"
    grep '^#' "$file" | grep -oE '\([a-z_]+, line [0-9]+\)' | tr -d '(),' | while read -r operation _ line; do
        echo "$operation" >>named
        sed -n "${line}p" "$file" | grep -q "^$operation " || echo "$file: $operation is not in line $line"
    done >wrong
    [[ ! -s wrong ]] || fail "$(cat wrong)"
done
[[ -s named ]] || fail 'no finding names an earlier line'

# The C forms: with the bugs in the library each shows its finding, without them none does.
forms() { # forms SOURCES STATUS
    cmake -S "$1" -B library -DDXGKMEM_FUZZ=OFF -DDXGKMEM_TESTS=OFF -DCMAKE_C_COMPILER="${CC:-cc}" \
        -DCMAKE_INSTALL_PREFIX="$work/prefix" >log 2>&1 && cmake --build library >>log 2>&1 &&
        cmake --install library >>log 2>&1 || fail "$(tail -n 5 log)"
    read -ra flags <<<"$(PKG_CONFIG_PATH=$(find prefix -name pkgconfig -type d) pkg-config --cflags --libs dxgkmem-sim)"
    for file in results/invariant-*.c; do
        "${CC:-cc}" -Wall -Wextra -Werror "$file" -o form "${flags[@]}" 2>err || fail "$file: $(head -n 3 err)"
        expect "$2" ./form
    done
    rm -rf library prefix
}
if command -v pkg-config >/dev/null; then
    forms tree 1
    forms "$ROOT" 0
fi

# JSON and SARIF.
if python3 -c 'import json' 2>/dev/null; then
    python3 "$ROOT/tests/cli/sarif.py" results/findings.json results/findings.sarif "$groups" >log 2>&1 ||
        fail "the reports: $(cat log)"
fi

# Started again it has nothing to do; with the end of its progress cut off it does the rest, with the same result.
expect 1 "$planted" triage -o results --time 300 --timeout 5 --memory 128 in
cmp -s out table || fail 'the second time the table is another one'
cp results/findings.json first.json
head -c $(($(wc -c <results/progress) / 2)) results/progress >part && cp part results/progress && rm results/findings.json
expect 1 "$planted" triage -o results --time 300 --timeout 5 --memory 128 in
cmp -s results/findings.json first.json || fail 'after an interrupt the result is another one'

# One that has gone, one that is no program: a line each, the others go on.
expect 2 "$planted" triage -o mixed in/crash-fixed bad missing
[[ $(wc -l <err) == 3 ]] || fail "not a line each: $(cat err)"
prints '3 inputs: 0 findings; of the inputs 1 are fixed, 0 flaky, 2 unreadable'
# An empty file is no program; what an engine leaves is one, whatever its bytes.
mkdir raw && : >raw/crash-nothing && printf '\7\0\0\0' >raw/crash-version
"$DXGKMEM" pack -o whole in/crash-fixed && head -c -1 whole >raw/crash-cut && cp whole raw/crash-whole
expect 2 "$planted" triage -o mixed raw
one_line 'raw/crash-nothing: empty: no program'
prints '4 inputs: 0 findings; of the inputs 3 are fixed, 0 flaky, 1 unreadable'
prints 'raw bytes of an engine, of another version or cut off: 2 inputs, the first raw/crash-cut'
expect 2 "$planted" triage -o mixed raw # it is still known
one_line 'raw/crash-nothing: empty: no program'
# When every program is a finding, libFuzzer saves the empty one.
printf '#!/bin/sh\necho "dxgkmem: /x/src/core/adl.c:1: always" >&2\nkill -ABRT $$\n' >always && chmod +x always
expect 1 "$planted" triage -o all --binary ./always raw/crash-nothing
prints '1 inputs: 1 findings; of the inputs 0 are fixed, 0 flaky, 0 unreadable'
expect 2 "$planted" triage -o beside in/crash-fixed
one_line 'beside: not a folder'
expect 2 "$planted" triage -o results --binary ./vanished in
one_line './vanished: cannot be run'
expect 2 "$planted" triage
one_line 'no file is named'

# A target that finds something every other time.
cat >flaky <<'SH'
#!/bin/sh
if [ -e odd ]; then rm odd; exit 0; fi
touch odd
echo 'dxgkmem: /x/src/core/adl.c:1: sometimes' >&2
kill -ABRT $$
SH
chmod +x flaky
expect 0 "$planted" triage -o other --binary ./flaky in/crash-fixed
prints 'of the inputs 0 are fixed, 1 flaky'

# Without the bugs everything is fixed.
rm in/crash-fixed
expect 0 "$DXGKMEM" triage -o clean in/crash-*
prints " 0 findings; of the inputs $many are fixed"

# Promotion: with the bug there, and after the fix.
mkdir -p corpus/regressions && echo '# hashes' >corpus/golden.txt
crash=$(ls results/invariant-4-*.txt)
expect 0 "$planted" promote --name io-over-ram "$crash"
prints 'the finding is still there'
grep -q '^# invariant 4: ' corpus/regressions/io-over-ram.txt || fail 'the comment does not say what went wrong'
expect 2 "$planted" promote --name io-over-ram "$crash"
one_line 'is there already'
expect 0 "$DXGKMEM" promote --name io-over-ram-again "$crash"
grep -qE '^regressions/io-over-ram-again.txt [0-9a-f]{16}$' corpus/golden.txt || fail "no hash: $(cat corpus/golden.txt)"
expect 1 "$planted" run --quiet corpus/regressions/io-over-ram-again.txt
expect 0 "$DXGKMEM" run --quiet --golden corpus/golden.txt corpus/regressions/io-over-ram-again.txt
expect 2 "$DXGKMEM" promote --name silent beside
one_line 'no comment says what went wrong'
[[ ! -e corpus/regressions/silent.txt ]] || fail 'it was written all the same'
expect 2 "$DXGKMEM" promote --name ../x "$crash"
one_line "'../x'"
finish
