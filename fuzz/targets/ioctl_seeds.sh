#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The seeds of fuzz_ioctl: a byte for the room of the reply, and a request.
#
#   ioctl_seeds.sh TOOL OUT FOLDER...
set -u -o pipefail

tool=$1 out=$2
shift 2
mkdir -p "$out" || exit 2

# seed NAME OPTION...: what `batch write` makes of the options, and of no more reply than the target has.
# Bytes 24 to 27 of the header say how long the reply may become.
seed() {
    local name=$1
    shift
    "$tool" batch write -o "$out/.request" "$@" || exit 2
    {
        printf '\377'
        head -c 24 "$out/.request"
        printf '\200\177\0\0' # 255 * 128
        tail -c +29 "$out/.request"
    } >"$out/$name" || exit 2
}

for function in query coverage reset; do seed "$function" --function "$function"; done
seed coverage-clear --function coverage --clear
for folder in "$@"; do
    for program in "$folder"/*; do seed "run-$(basename "$program" .txt)" "$program"; done
done
# shellcheck disable=SC2012 # names of the corpus are plain
mapfile -t few < <(ls "$1"/* | head -n 3)
seed run-three --trace "${few[@]}"
rm -f "$out/.request"
