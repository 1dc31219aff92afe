#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Bad input of every sort: one clear line, exit 2.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

printf 'world small\nadd d0\ncreate o0 a0 adapter=d0 size=0x1000\nclose a0\ndestroy o0\n' >good.txt
expect 0 "$DXGKMEM" run good.txt
prints 'clean: 1 program'

# usage
expect 2 "$DXGKMEM"
expect 2 "$DXGKMEM" nonsense
one_line "unknown verb 'nonsense'"
expect 2 "$DXGKMEM" run
one_line 'no file is named'
expect 2 "$DXGKMEM" run --nonsense good.txt
one_line 'nonsense'
expect 2 "$DXGKMEM" run --windows glass good.txt
one_line "'glass'"
expect 2 "$DXGKMEM" run --update good.txt
one_line '--golden'
expect 2 "$DXGKMEM" generate --lines 129
one_line '128'
expect 2 "$DXGKMEM" generate --seed minus
one_line "'minus'"
for verb in run minimize triage promote show pack batch drive generate matrix operations violations; do
    expect 0 "$DXGKMEM" "$verb" --help
    prints 'usage: dxgkmem'
    expect 0 "$DXGKMEM" help "$verb"
done
expect 0 "$DXGKMEM" help
expect 0 "$DXGKMEM" version

# files that cannot be read
expect 2 "$DXGKMEM" run missing.txt
one_line 'missing.txt: cannot be read: No such file'
mkdir empty
expect 2 "$DXGKMEM" run empty
one_line 'empty: no programs in this folder'
mkfifo pipe
expect 2 "$DXGKMEM" run pipe
one_line 'pipe: not a regular file'
if [[ $(id -u) != 0 ]]; then
    mkdir closed && cp good.txt closed && chmod 0 closed
    expect 2 "$DXGKMEM" run closed
    one_line 'closed: cannot be read: Permission denied'
    chmod 700 closed
    cp good.txt shut.txt && chmod 0 shut.txt
    expect 2 "$DXGKMEM" run shut.txt
    one_line 'shut.txt: cannot be read: Permission denied'
fi
expect 2 "$DXGKMEM" run /proc/self/mem
expect 2 "$DXGKMEM" matrix missing
one_line 'missing: cannot be read'

# text that is no program: the file and the line
printf 'world small\nadd d0\nclose b0\n' >wrong.txt
expect 2 "$DXGKMEM" run wrong.txt
one_line 'dxgkmem: wrong.txt:3: '
printf 'world nowhere\n' >world.txt
expect 2 "$DXGKMEM" show world.txt
one_line 'dxgkmem: world.txt:1: '
printf 'world small\n\n# a comment\ndance d0\n' >verb.txt
expect 2 "$DXGKMEM" pack -o packed verb.txt
one_line 'dxgkmem: verb.txt:4: '
[[ ! -e packed ]] || fail 'a refused program was written'
{
    echo world small
    for _ in $(seq 129); do echo stop; done
} >long.txt
expect 2 "$DXGKMEM" run long.txt
one_line 'long.txt:130: '
head -c 300000 /dev/zero | tr '\0' '#' >huge.txt
expect 2 "$DXGKMEM" run huge.txt
one_line 'huge.txt: too large'

# binary that is no program
: >nothing
expect 2 "$DXGKMEM" run nothing
one_line 'nothing: empty'
printf '\1' >header
expect 2 "$DXGKMEM" run header
one_line 'cut off'
printf '\7\0\0\0' >version
expect 2 "$DXGKMEM" run version
one_line 'neither text nor a program of version'
head -c 20000 /dev/zero >large
expect 2 "$DXGKMEM" run large
one_line 'large: too large'
expect 0 "$DXGKMEM" pack -o good good.txt
head -c "$(($(wc -c <good) - 1))" good >cut.bin
expect 2 "$DXGKMEM" run cut.bin
one_line 'cut.bin: cut off'
for verb in run show csource minimize promote 'pack -o none'; do
    for file in nothing header version cut.bin large; do
        # shellcheck disable=SC2086 # a verb and its option
        expect 2 "$DXGKMEM" $verb "$file"
        one_line "dxgkmem: $file: "
    done
done
[[ ! -e none ]] || fail 'a refused program was written'
# the bytes of an engine: a program if one says so
for verb in minimize promote; do
    expect 2 "$DXGKMEM" $verb --lenient version
    one_line 'version: nothing is found'
done
for size in $(seq 3 "$(wc -c <good)"); do
    head -c "$size" good >cut.bin
    "$DXGKMEM" run --lenient cut.bin >out 2>err || fail "lenient run of the first $size bytes"
done
for seed in 1 2 3 4 5 6 7 8; do
    head -c 3000 /dev/urandom >noise
    "$DXGKMEM" run --lenient --quiet noise >out 2>err || fail "noise $seed: $(cat out err; cp noise "$ROOT/build/noise" 2>/dev/null)"
done

# one bad file among good ones: the others run, the exit says so
mkdir mixed && cp good.txt wrong.txt mixed
expect 2 "$DXGKMEM" run mixed
one_line 'mixed/wrong.txt:3: '
prints 'mixed/good.txt'
finish
