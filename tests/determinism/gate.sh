#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The determinism gate: the same program gives the same trace and executes the same blocks of src/core, in the
# same order, twice in one process (coverage.c looks) and in two. The second process has its stack and
# its heap elsewhere. Arguments: the program of coverage.c, files and folders.
set -u -o pipefail
first=$(mktemp) second=$(mktemp)
trap 'rm -f "$first" "$second"' EXIT

"$@" >"$first"
one=$?
MALLOC_PERTURB_=165 MALLOC_MMAP_THRESHOLD_=4096 PADDING=$(printf '%5000s' x) "$@" >"$second"
other=$?
if ((one != 0 || other != 0)); then
    grep -A 1 -v '^trace ' "$first" "$second" | head -n 20
    exit 1
fi
diff "$first" "$second" || exit 1
printf '%s programs: the same trace and the same blocks, twice in each of two processes\n' "$(wc -l <"$first")"
