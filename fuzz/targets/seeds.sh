#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Writes the seeds of a target, made from the corpus of the tree (seeds and regressions):
#
#   seeds.sh TARGET TOOL OUT CORPUS
set -u -o pipefail

target=$1 tool=$2 out=$3 corpus=$4
folders=()
for folder in "$corpus"/seeds "$corpus"/regressions; do
    compgen -G "$folder/*" >/dev/null && folders+=("$folder")
done
((${#folders[@]})) || exit 0
case $target in
fuzz_text) for folder in "${folders[@]}"; do cp "$folder"/* "$out" || exit; done ;;
fuzz_ioctl) bash "$(dirname "$0")/ioctl_seeds.sh" "$tool" "$out" "${folders[@]}" ;;
*) "$tool" pack -o "$out" "${folders[@]}" ;;
esac
