#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fuzzing through requests and replies: here of the tool itself, which answers them as a driver does; and of
# commands that end, say nothing of the kind, or are not there.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"

mkdir programs
for seed in $(seq 9); do "$DXGKMEM" generate --seed "$seed" --lines 20 >"programs/$seed.txt"; done

expect 0 "$DXGKMEM" drive --home home --seconds 2 programs -- "$DXGKMEM" batch serve
prints 'nothing found'
grep -qE '^[1-9][0-9]{2,} programs in' out || fail "hardly anything ran: $(head -n 1 out)"

# A driver to which everything is news: what is kept is named by its content, so a later run writes over nothing.
cat >curious <<END
#!/bin/sh
"$DXGKMEM" batch serve | perl -e '
    binmode STDIN, ":raw"; binmode STDOUT, ":raw"; \$| = 1;
    while (read(STDIN, my \$head, 32) == 32) {
        my (\$count, \$bytes) = unpack("x16 V2", \$head);
        read(STDIN, my \$rest, \$bytes - 32);
        vec(\$rest, 272 * \$_ + 28, 8) |= 2 for 0 .. \$count - 1;
        print \$head, \$rest;
    }'
END
expect 0 "$DXGKMEM" drive --home curious_home --seconds 1 programs -- sh curious
(cd curious_home/corpus && md5sum -- *) >kept
[[ -s kept ]] || fail 'nothing is kept'
expect 0 "$DXGKMEM" drive --home curious_home --seed 2 --seconds 1 programs -- sh curious
(cd curious_home/corpus && md5sum --quiet -c) <kept || fail 'a later run wrote over what an earlier one kept'

# It ends in the middle, and again: told, saved where one program did it, and gone on from.
cat >short <<END
#!/bin/sh
dd bs=65536 count=3 2>/dev/null | "$DXGKMEM" batch serve
echo 'the place of the fault' >&2
END
expect 1 "$DXGKMEM" drive --home short_home --seconds 30 programs -- sh short
prints 'finding 1: the driver stopped'
prints '  the place of the fault'

# Once every program ends it, each by itself.
cat >fragile <<END
#!/bin/sh
if [ -e once ]; then exec dd bs=65536 count=1 of=/dev/null 2>/dev/null; fi
touch once
dd bs=65536 count=3 2>/dev/null | "$DXGKMEM" batch serve
END
expect 1 "$DXGKMEM" drive --home fragile_home --seconds 30 programs -- sh fragile
prints 'saved: fragile_home/findings/finding-1.txt'
expect 0 "$DXGKMEM" run fragile_home/findings/finding-1.txt
rm once
expect 1 "$DXGKMEM" drive --home fragile_home --seconds 30 programs -- sh fragile
prints 'saved: fragile_home/findings/finding-2.txt'

expect 2 "$DXGKMEM" drive --home home --seconds 5 programs -- /nowhere/at/all
one_line 'does not work'
grep -q 'No such file' home/log || fail 'the log does not say why'
expect 2 "$DXGKMEM" drive --home home --seconds 5 programs -- sh -c 'cat; cat </dev/zero'
one_line 'does not work'
expect 2 "$DXGKMEM" drive --seconds 5 programs -- cat
one_line '--home'
expect 2 "$DXGKMEM" drive --home home programs
one_line '-- COMMAND'
expect 2 "$DXGKMEM" drive --home home --seconds 0 -- cat
one_line "not '0'"
expect 2 "$DXGKMEM" drive --home home missing -- cat
one_line 'missing: cannot be read'
finish
