#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes one object of an installed library and hides every symbol of it that does not begin with dxgkmem_, so
# that a client may have names like object_free of its own. The library in the build folder stays as it is: tests
# look inside.
# usage: localise.sh LIBRARY...     environment: LD, OBJCOPY, AR
set -eu
for library in "$@"; do
    object=${library%.a}.o
    trap 'rm -f "$object"' EXIT
    "${LD:-ld}" -r --whole-archive "$library" -o "$object"
    "${OBJCOPY:-objcopy}" --wildcard --keep-global-symbol='dxgkmem_*' "$object"
    rm -f "$library"
    "${AR:-ar}" qcs "$library" "$object"
    rm -f "$object"
done
