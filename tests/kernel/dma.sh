#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The real machine of the Linux module: DMA of a device through the callbacks, the control without an IOMMU,
# and threads that use it at once. Started by ./dev after the tool is built; src/driver/README.md says what
# it proves. Exit status: 0 clean, 1 a case failed, 2 it did not run.
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 2
exec bash tests/kernel/linux/test.sh dma dma-control stress-real
