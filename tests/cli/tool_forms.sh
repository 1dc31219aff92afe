#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Text to binary and back, generated programs, tables, golden hashes.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

# what is generated is the same for the same seed, another for another, and runs clean
for seed in $(seq 20); do
    "$DXGKMEM" generate --seed "$seed" --lines 24 >"g$seed.txt" || fail "generate $seed"
    "$DXGKMEM" generate --seed "$seed" --lines 24 | cmp -s - "g$seed.txt" || fail "seed $seed gives two programs"
done
cmp -s g1.txt g2.txt && fail 'two seeds give one program'

# show of pack of show is show
mkdir texts && mv g*.txt texts
expect 0 "$DXGKMEM" pack -o binaries texts
[[ $(find binaries -type f | wc -l) == 20 ]] || fail 'not every program was packed'
for seed in $(seq 20); do
    "$DXGKMEM" show "binaries/g$seed" | cmp -s - "texts/g$seed.txt" || fail "g$seed does not round-trip"
done

# the same trace from both forms and both kinds of mapping
expect 0 "$DXGKMEM" run --golden golden.txt --update texts
cp golden.txt first.txt
expect 0 "$DXGKMEM" run --golden golden.txt texts
expect 0 "$DXGKMEM" run --golden golden.txt --windows real texts
sed 's#texts/#binaries/#; s/\.txt / /' golden.txt >golden_binaries.txt
expect 0 "$DXGKMEM" run --golden golden_binaries.txt binaries
expect 0 "$DXGKMEM" run --golden golden.txt --update texts
cmp -s golden.txt first.txt || fail 'updating twice gives two files'

# a changed, a missing and a superfluous hash
sed -i 's#^\(texts/g1.txt\) .*#\1 0123456789abcdef#' golden.txt
expect 1 "$DXGKMEM" run --golden golden.txt texts
prints 'texts/g1.txt: trace '
sed '/g2.txt/d' first.txt >golden.txt
expect 1 "$DXGKMEM" run --golden golden.txt texts
prints 'texts/g2.txt: no golden hash'
rm texts/g3.txt
expect 1 "$DXGKMEM" run --golden first.txt texts
prints 'texts/g3.txt: in the golden file'
expect 0 "$DXGKMEM" run --golden first.txt texts/g4.txt
echo nonsense >golden.txt
expect 2 "$DXGKMEM" run --golden golden.txt texts
one_line 'golden.txt:1: '
expect 2 "$DXGKMEM" run --golden nowhere.txt texts
one_line 'nowhere.txt: cannot be read'

# a violation is shown with the line that made it, and the line that made it one
printf 'world small\n# twice\nadd d0\ncreate o0 a0 adapter=d0 size=0x1000\n\ndestroy o0 with=a0\nclose a0\n' >after.txt
expect 0 "$DXGKMEM" run after.txt
prints 'close_after_destroy'
prints 'at after.txt:7'
prints 'at after.txt:6'

expect 0 "$DXGKMEM" operations
prints '| `create o a '
expect 0 "$DXGKMEM" violations
[[ $(grep -c '^| `' out) -ge 50 ]] || fail 'violations are missing from the table'
expect 1 "$DXGKMEM" matrix --missing after.txt
prints ' feasible cells are hit'

# what each program is for: one does what the other does and closes twice; a copy leaves neither anything alone
head -n 6 after.txt >before.txt
expect 0 "$DXGKMEM" matrix --files before.txt after.txt
prints 'close a exact ended-by-destroy'
prints '1 of 2 programs hit a cell or try an invariant that no other does'
grep -B 9 '^what these serve, others serve too:' out | grep -q 'after.txt' || fail 'the program that serves something alone is not first'
grep -A 9 '^what these serve, others serve too:' out | grep -q ', *0 alone; invariants none: .*before.txt' ||
    fail 'a program that serves nothing alone is not told'
cp after.txt again.txt
expect 0 "$DXGKMEM" matrix --files after.txt again.txt
prints '0 of 2 programs hit a cell or try an invariant that no other does'
expect 2 "$DXGKMEM" matrix --files --missing after.txt
one_line '--files goes with neither'
finish
