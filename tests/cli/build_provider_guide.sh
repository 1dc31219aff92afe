#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guide for implementers, fuzz/PROVIDER.md, as somebody who pastes its commands: one finding, clean with a profile, another finding.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
for name in include src corpus fuzz; do ln -s "$ROOT/$name" "$name"; done
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$ROOT/fuzz/PROVIDER.md" |
    sed "s#^\./dev run#\"$DXGKMEM\" run#; s#^cc #\"$CC\" #" >commands.sh
expect 1 bash commands.sh
[[ $(grep -c '^finding' out) == 2 ]] || fail "not two findings: $(cat out)"
prints "the new adapter's interface has an empty member"
prints 'the final stop: pages were not given back to the machine'
prints 'destroy o0 -> skipped: nobody looks for stale_handle'
# What the guide shows is what was printed, whole.
awk '/^```$/ { on = ++fences % 2; next } /^```/ { fences++; next } on && !/^(\.\/dev|cmake|build\/linked)/' "$ROOT/fuzz/PROVIDER.md" >shown
cmp -s shown out || fail "the guide shows something else than was printed: $(diff shown out)"
finish
