#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The kernel's own checkpatch over what is written as kernel code: src/driver/linux, src/host/linux and
# src/machine/linux. Nothing is ignored; lines may have the 100 columns that the kernel allows.
#
#   style.sh SOURCE    the folder of a kernel's source, which has scripts/checkpatch.pl
set -u -o pipefail
checkpatch=$1/scripts/checkpatch.pl
[[ -e $checkpatch ]] || {
    echo "style: there is no $checkpatch" >&2
    exit 2
}
check() { perl "$checkpatch" --no-tree --quiet --no-summary --terse --show-types --max-line-length=100 -f "$@" 2>&1; }

# A file that is wrong must be called wrong, or nothing is shown by silence.
bad=$(mktemp --suffix=.c) || exit 2
trap 'rm -f "$bad"' EXIT
printf '// SPDX-License-Identifier: GPL-2.0\nint f(int a)\n{\n\tif(a) {\n\t\treturn 1 ;\n\t}\n\treturn 0;\n}\n' >"$bad"
if check "$bad" >/dev/null; then
    echo 'FAIL checkpatch finds nothing wrong with a file that is'
    exit 1
fi
files=(src/driver/linux/*.[ch] src/host/linux/*.[ch] src/machine/linux/*.[ch])
if ! check "${files[@]}"; then
    echo 'FAIL checkpatch finds something'
    exit 1
fi
printf 'style: checkpatch finds nothing in %d files\n' "${#files[@]}"
