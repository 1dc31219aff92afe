#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Linux module in a stock kernel in QEMU: the corpus and everything done wrong. Started by ./dev test
# after the tool is built; src/driver/README.md says what it proves.
set -u -o pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 2
status=0

if [[ $(uname -m) != x86_64 ]] || ! apt-cache show linux-headers-amd64 >/dev/null 2>&1; then
    echo "linux: not run: the stock kernel is one of Debian's packages for x86-64" >&2
    exit 0
fi
folders=(corpus/seeds)
compgen -G 'corpus/regressions/*' >/dev/null && folders+=(corpus/regressions)
bash tests/kernel/linux/guest.sh replay --golden corpus/golden.txt "${folders[@]}" || status=1
bash tests/kernel/linux/guest.sh misuse || status=1
exit $status
