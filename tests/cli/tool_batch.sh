#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Requests and replies as files: whole, in parts, cut off, and of others.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

mkdir programs
for seed in $(seq 9); do "$DXGKMEM" generate --seed "$seed" --lines 20 >"programs/$seed.txt"; done
"$DXGKMEM" run --quiet --golden golden --update programs >out || fail 'no golden file'

for options in '' --trace '--programs 1' '--programs 4 --trace'; do
    # shellcheck disable=SC2086
    expect 0 "$DXGKMEM" batch write -o request $options programs
    expect 0 "$DXGKMEM" batch run -o reply request
    expect 0 "$DXGKMEM" batch read --golden golden reply programs
    prints 'clean: 9 programs'
done
grep -q 'add d0.* -> STATUS_SUCCESS' reply || fail 'no trace in the reply'
for function in query coverage reset; do
    expect 0 "$DXGKMEM" batch write -o request --function $function
    expect 0 "$DXGKMEM" batch run -o reply request
    expect 0 "$DXGKMEM" batch read reply
    [[ $function != query ]] || prints 'host user'
done

# A trace that is another one: a byte of the first hash is behind the header.
"$DXGKMEM" batch write -o request --trace programs
"$DXGKMEM" batch run -o reply request
{
    head -c 32 reply
    head -c 33 reply | tail -c 1 | tr '\000-\377' '\001-\377\000'
    tail -c +34 reply
} >other
expect 1 "$DXGKMEM" batch read other programs
prints 'programs/1.txt: trace '
prints '1 of 9 programs: another trace'
sed -i 's/^programs.1.txt .*/programs\/1.txt 0000000000000000/' golden
expect 1 "$DXGKMEM" batch read --golden golden reply programs
prints 'golden 0000000000000000'

# More programs than results, and fewer.
expect 2 "$DXGKMEM" batch read reply programs/[1-8].txt
one_line 'more results than programs'
expect 2 "$DXGKMEM" batch read reply programs programs/1.txt
one_line 'fewer results than programs'

for cut in 1 100 $(($(wc -c <request) - 33)) $(($(wc -c <request) - 31)) $(($(wc -c <request) - 1)); do
    head -c "-$cut" reply >part
    expect 2 "$DXGKMEM" batch read part programs
    one_line 'part: byte 0: cut off'
    head -c "-$cut" request >part
    expect 2 "$DXGKMEM" batch run -o nothing part
    one_line 'part: byte 0: cut off'
done
[[ ! -e nothing ]] || fail 'a bad request left a file'
{ cat request && echo; } >behind
expect 2 "$DXGKMEM" batch run -o nothing behind
one_line 'cut off within a header'
tr X Y <request >wrong
expect 2 "$DXGKMEM" batch run -o nothing wrong
one_line 'no message of dxgkmem'
{ head -c 4 request && printf '\2' && tail -c +6 request; } >newer
expect 2 "$DXGKMEM" batch run -o nothing newer
one_line 'another version of the protocol'
: >empty
expect 2 "$DXGKMEM" batch read empty programs
one_line 'empty: empty'

expect 2 "$DXGKMEM" batch
one_line 'write, run, serve or read?'
expect 2 "$DXGKMEM" batch wrong
one_line "not 'wrong'"
expect 2 "$DXGKMEM" batch write programs
one_line '-o REQUEST'
expect 2 "$DXGKMEM" batch write -o x --function query programs
one_line 'query takes no program'
expect 2 "$DXGKMEM" batch write -o x --function wrong
one_line "not 'wrong'"
expect 2 "$DXGKMEM" batch write -o x --programs 0 programs
one_line "not '0'"
expect 2 "$DXGKMEM" batch write -o x --programs 4097 programs
one_line "not '4097'"
expect 2 "$DXGKMEM" batch write -o x --clear programs
one_line '--clear belongs to'
expect 2 "$DXGKMEM" batch write -o x --trace --function query
one_line '--trace belongs to'
expect 2 "$DXGKMEM" batch write -o x
one_line 'no file is named'
expect 2 "$DXGKMEM" batch run -o x
one_line 'takes one file'
expect 2 "$DXGKMEM" batch run request
one_line '-o REPLY'
expect 2 "$DXGKMEM" batch read missing programs
one_line 'missing: cannot be read'
finish
