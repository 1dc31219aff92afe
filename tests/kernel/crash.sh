#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Fuzzing in ring 0 goes on when the guest has died: with crash.patch a guest dies at its thousandth program,
# whatever that is. Each death must be a finding with program, console and place; the next guest must begin from
# the snapshot. What programs reach in the module must be what guides the fuzzer. Started by ./dev test --full after
# tool and fuzz_linux are built.
#
# It works in a copy of the tree below build, so that corpus and findings of real runs are left alone.
set -u -o pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 2
if [[ $(uname -m) != x86_64 ]] || ! apt-cache show linux-headers-amd64 >/dev/null 2>&1; then
    echo "crash: not run: the stock kernel is one of Debian's packages for x86-64" >&2
    exit 77
fi
project=$PWD tree=$PWD/build/crash failed=0

fail() {
    printf 'FAIL %s\n' "$*"
    failed=1
}

# The kernel is fetched where all legs have it.
(
    # shellcheck source=tests/kernel/linux/lib.sh
    . tests/kernel/linux/lib.sh
    mkdir -p "$guest_home" && exec 8>"$guest_home/lock" && flock 8 && guest_fetch
) || exit 2
rm -rf "$tree"
mkdir -p "$tree/build/kernel" || exit 2
cp -r src include fuzz tests corpus "$tree" || exit 2
ln -s "$project/build/kernel/root" "$tree/build/kernel/root"
ln -s "$project/build/libfuzzer" "$tree/build"
cd "$tree" || exit 2
patch -p1 <tests/kernel/linux/crash.patch >patch.log || exit 2
bash tests/kernel/linux/guest.sh fuzz-build || exit 2

# As long as two of them take: on a busy machine that can be minutes.
for seconds in 20 60 300; do
    bash fuzz/targets/campaign.sh libfuzzer fuzz_linux "$seconds" 1 --keep-going >campaign.log 2>&1
    findings=(build/fuzz/fuzz_linux/findings/crash-*.console.txt)
    ((${#findings[@]} < 2)) || break
done
((${#findings[@]} >= 2)) || fail "$(grep -c '^finding' campaign.log) guests died, not two"
for console in "${findings[@]}"; do
    grep -q 'BUG: kernel NULL pointer dereference' "$console" || fail "$console does not say what happened"
    ! grep -q 'Linux version' "$console" || fail "$console: the guest booted anew"
    [[ -s ${console%.console.txt} ]] || fail "${console%.console.txt}: the program was not saved"
    build/libfuzzer/fuzz/dxgkmem show --lenient "${console%.console.txt}" >/dev/null || fail "its program cannot be read"
done
grep -qE '^ +(\(inlined by\) )?runner_run at runner\.c:[0-9]+' campaign.log || fail "the place is not told"
programs=$(sed -nE 's/^([0-9]+) programs, .*/\1/p' campaign.log)
((${programs:-0} > 1000)) || fail "it did not go on: ${programs:-no} programs"
# libFuzzer's features: what the module's edges tell must be among them, not the cells of the matrix alone.
features=$(sed -nE 's/^#.* ft: ([0-9]+) .*/\1/p' build/fuzz/fuzz_linux/job.1/log | sort -n | tail -n 1)
cells=$(sed -nE 's/^([0-9]+) of [0-9]+ matrix cells.*/\1/p' campaign.log)
((${features:-0} > 4 * ${cells:-0} && ${cells:-0} > 0)) || fail "edges do not guide it: ${features:-no} features, ${cells:-no} cells"
((failed == 0)) || printf 'crash: the run is in %s\n' "$tree/campaign.log"
((failed != 0)) || printf 'crash: %d guests died, %d programs ran\n' "${#findings[@]}" "$programs"
exit $failed
