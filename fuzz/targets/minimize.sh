#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Prunes the live corpus of a target: what is left reaches the same edges and cells of the matrix.
# Started by ./dev corpus --minimize, in the project's folder, after the build of the fuzz preset:
#
#   minimize.sh TARGET
#
# The new corpus is made beside the old one and takes its place at the end. Interrupted at any moment,
# the old one is there, or the new one. Nothing but build/fuzz/TARGET is written.
set -u -o pipefail

target=$1
home=build/fuzz/$target
corpus=$home/corpus new=$home/corpus.new old=$home/corpus.old
binaries=build/libfuzzer/fuzz

say() { printf 'corpus: %s\n' "$*" >&2; }
count() { find "$1" -maxdepth 1 -type f | wc -l; }
cells() { [[ $target != fuzz_program ]] || "$binaries/dxgkmem" matrix --lenient "$1" | tail -n 1 | cut -d' ' -f1; }

# What an earlier run left between two steps.
[[ -d $corpus || ! -d $old ]] || mv "$old" "$corpus" || exit 2
rm -rf "$new" "$old"
[[ -d $corpus && $(count "$corpus") -gt 0 ]] || {
    say "$corpus: there is no live corpus; ./dev fuzz makes one"
    exit 2
}
trap 'say "interrupted; the corpus is as it was"; rm -rf "$new"; exit 130' INT TERM

mkdir -p "$new" || exit 2
touch "$home/begun"
before=$(count "$corpus") cells_before=$(cells "$corpus")
"$binaries/$target" -merge=1 -max_len=4096 -timeout=10 -rss_limit_mb=2048 -detect_leaks=0 "$new" "$corpus" \
    >"$home/minimize.log" 2>&1 </dev/null || {
    say "libFuzzer's merge failed; its log is $home/minimize.log; the corpus is as it was"
    rm -rf "$new"
    exit 2
}
# Inputs that a fuzzer added meanwhile stay.
find "$corpus" -maxdepth 1 -type f -newer "$home/begun" -exec cp -n {} "$new" \; || exit 2
rm -f "$home/begun"
cells_after=$(cells "$new")
if (($(count "$new") == 0 || ${cells_after:-0} < ${cells_before:-0})); then
    say "the result reaches less: ${cells_after:-0} cells of ${cells_before:-0}; the corpus is as it was, the result is $new"
    exit 2
fi
trap '' INT TERM
mv "$corpus" "$old" && mv "$new" "$corpus" && rm -rf "$old" || exit 2
printf '%d of %d inputs are left in %s%s\n' "$(count "$corpus")" "$before" "$corpus" \
    "${cells_after:+; $cells_after cells of the matrix, as before}"
