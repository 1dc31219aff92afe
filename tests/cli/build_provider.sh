#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Providers that are no good: each is one clear line or a finding, and the tool outlives it. The plain one in
# every verb that takes a provider.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
program=$ROOT/corpus/seeds/violation-close_after_destroy.txt
here=$ROOT/tests/providers

broken() { # broken NAME: its number is that of the enumeration
    local number
    number=$(sed -n '/^enum {/,/^};/p' "$here/broken/broken.c" | grep -nx " *$1,\{0,1\}" | cut -d: -f1)
    "$CC" -g -std=c17 -D_GNU_SOURCE -I"$ROOT/include" -shared -fPIC -DBROKEN=$((number - 2)) -o broken.so \
        "$here/broken/broken.c" 2>err || fail "$1 does not build: $(head -n 3 err)"
}

refused() { # refused NAME TEXT
    broken "$1"
    expect 2 "$DXGKMEM" run --provider broken.so "$program"
    one_line "broken.so: "
    one_line "$2"
}
refused NO_ENTRY 'it has no function dxgkmem_provider'
refused NO_TABLE 'dxgkmem_provider() returned NULL'
refused OTHER_VERSION 'its table has version 3, this harness takes version 2'
refused OTHER_SIZE 'bytes, that of version 2 has'
refused NO_START 'its table has no start'
refused HALF_OF_THE_CPU 'one of cpu_read and cpu_write, not both'
refused RULE_TWICE 'its profile, rule 2 (stale_handle in DxgkCbMapPhysicalMemory): an earlier rule is about the same'
refused RULE_AGAINST_DOCUMENTATION 'rule 2 (second_open in every call): that is documented: it must be refused'
refused RULE_WITH_SUCCESS 'it refuses with a status that means success'
refused STATUS_OF_CLOSE 'it refuses with a status, and that call returns none'
refused ORDER_AND_REPORTS 'its profile: any_order and reports'
refused CRASH_WHEN_LOADED 'it crashes when it is loaded: Aborted'
refused END_WHEN_LOADED 'it ends the process when it is loaded'
expect 2 "$DXGKMEM" run --provider no-such.so "$program"
one_line 'no-such.so: cannot be loaded'
expect 2 "$DXGKMEM" csource --provider no-such.so -o no-such.c "$program"
one_line 'no-such.so: cannot be loaded'
expect 2 "$DXGKMEM" show --html --provider no-such.so -o no-such.html "$program"
one_line 'no-such.so: cannot be loaded'
echo 'no object' >text.so
expect 2 "$DXGKMEM" run --provider text.so "$program"
one_line 'text.so: cannot be loaded'

found() { # found NAME TEXT
    broken "$1"
    expect 1 "$DXGKMEM" run --provider broken.so "$program"
    prints "$2"
    prints '1 of 1 programs: findings'
}
found NOTHING 'add d0 returned STATUS_NO_MEMORY, expected STATUS_SUCCESS'
found CRASH_IN_CALL 'finding: broken crashes: Aborted'
prints '  operation 1: add d0'
found HANG_IN_CALL 'finding: broken hangs: no end of an operation within 10 s'
found END_IN_CALL 'finding: broken ended the process, with status 0'
found CRASH_IN_START '  before the first operation of a program'
# Triage ranks them as what they are, with the place in the provider, and does not wait for each hang.
ranked() { # ranked NAME TEXT...
    broken "$1"
    expect 1 "$DXGKMEM" triage --provider broken.so -o ranked "$ROOT"/corpus/seeds/violation-c*.txt
    prints 'denial'
    for text in "${@:2}"; do prints "$text"; done
}
ranked CRASH_IN_CALL SIGABRT 'in add_adapter, ' 'broken.c:'
ranked END_IN_CALL 'exit 0' 'a call ended the process, with status 0'
ranked HANG_IN_CALL timeout # also: what the provider before this one did is forgotten
broken CRASH_IN_CALL
expect 1 "$DXGKMEM" matrix --missing --provider broken.so "$program"
prints 'finding: broken crashes: Aborted'
prints 'close a exact live'
prints ' feasible cells are hit'

broken NO_SUCH_WORLD
expect 0 "$DXGKMEM" run --provider broken.so "$program"
prints 'not run, for broken has no world like small'
prints 'clean: 0 programs; 1 not run'
expect 0 "$DXGKMEM" triage --provider broken.so -o unlike "$program"
prints '1 inputs: 0 findings; of the inputs 0 are fixed, 0 flaky, 0 unreadable, 1 not run'
prints 'not run, for broken has no world like small: 1 inputs'
expect 0 "$DXGKMEM" triage --provider broken.so -o unlike "$program" # it is still known
prints '0 are fixed, 0 flaky, 0 unreadable, 1 not run'
for target in fuzz_program fuzz_faults; do # a fuzz target tells it, too
    expect 0 "$DXGKMEM" triage --provider broken.so --binary "${DXGKMEM%/*}/$target" -o unlike.$target "$program"
    prints '0 are fixed, 0 flaky, 0 unreadable, 1 not run'
    prints 'not run, for broken has no world like small: 1 inputs'
done
expect 2 "$DXGKMEM" minimize --provider broken.so "$program"
one_line 'broken has no world like small'
expect 2 "$DXGKMEM" explore --depth 1 --provider broken.so
one_line 'broken has no world like small'
expect 2 "$DXGKMEM" csource --provider broken.so -o none.c "$program"
one_line 'broken has no world like small'

# The other verbs make as much of a process that ends.
broken END_IN_CALL
expect 0 "$DXGKMEM" minimize --provider broken.so "$program"
prints '# exit 0: a call ended the process, with status 0'
mkdir ended && cp "$program" ended/
expect 1 "$DXGKMEM" triage --provider broken.so -o triage-of-ended ended
prints 'a call ended the process, with status 0'
expect 0 "$DXGKMEM" csource --provider broken.so -o ended.c "$program"
grep -q 'Finding: exit 0' ended.c || fail 'the C form does not name the finding'
expect 1 "$DXGKMEM" explore --depth 1 --provider broken.so
prints 'finding: broken ended the process, with status 0'

# What cannot be used is one line of every verb.
broken CRASH_WHEN_LOADED
for verb in run faults 'explore --depth 1' minimize csource 'show --html' matrix; do
    file=("$program")
    [[ $verb != explore* ]] || file=()
    # shellcheck disable=SC2086 # a verb and its option
    expect 2 "$DXGKMEM" $verb --provider broken.so "${file[@]}"
    one_line 'broken.so: it crashes when it is loaded'
done
expect 2 "$DXGKMEM" triage --provider broken.so -o none ended
one_line 'broken.so: it crashes when it is loaded'
expect 2 "$DXGKMEM" reads --provider broken.so "$program"
one_line 'there is no --provider'

broken CRASH_IN_CALL
expect 1 "$DXGKMEM" explore --depth 1 --provider broken.so
prints 'finding: broken crashes: Aborted'
expect 2 "$DXGKMEM" faults --provider broken.so "$program"
one_line 'broken lets no call of its host fail: its table has no fail_at'
expect 0 "$DXGKMEM" minimize --provider broken.so "$program"
prints 'add d0'

# A finding in the plain one goes through the other verbs.
mkdir -p tree/tests/providers
cp -r "$here/plain" tree/tests/providers/
patch -s -p1 -d tree <"$here/mutants/map-first-page.patch" || fail 'the patch does not apply'
provide plain.so tree/tests/providers/plain
"$DXGKMEM" run --quiet --provider plain.so "$ROOT"/corpus/seeds >out 2>err
found=$(grep -B1 '^finding: invariant 10' out | sed -n 's/:$//p' | head -n 1)
expect 0 "$DXGKMEM" minimize --provider plain.so -o small.txt "$found"
expect 1 "$DXGKMEM" run --provider plain.so small.txt
prints 'finding: invariant 10'
mkdir inputs && cp small.txt inputs/
expect 1 "$DXGKMEM" triage --provider plain.so -o triage inputs
prints 'invariant 10'
expect 0 "$DXGKMEM" show --html --provider plain.so -o small.html small.txt
expect 0 "$DXGKMEM" csource --provider plain.so -o small.c small.txt
grep -q 'provider_file' small.c || fail 'the C form loads no provider'

# The C form shows the finding: the plain one with the bug differs, the one without does not.
provide sound.so "$here/plain"
"$CC" -D_GNU_SOURCE -Wall -Wextra -Werror -I"$ROOT/include" -o small small.c "$ROOT"/src/core/*.c \
    "$ROOT"/src/machine/sim/*.c "$ROOT"/src/host/user/*.c -lpthread -ldl 2>err || fail "$(head -n 3 err)"
expect 1 ./small
prints 'its physical page is also another one'
expect 0 ./small ./sound.so
expect 0 "$DXGKMEM" run small.txt

# One that was compiled for the fuzzer's coverage can be loaded by every verb.
if command -v clang >/dev/null; then
    CC=clang provide counted.so "$here/plain" -fsanitize-coverage=inline-8bit-counters,pc-table
    expect 0 "$DXGKMEM" run --provider counted.so "$program"
fi
finish
