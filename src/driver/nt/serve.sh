#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# For ./dev fuzz --host nt: the driver in Wine, requests on standard input, replies on standard output.
exec bash "$(dirname "${BASH_SOURCE[0]}")/wine.sh" serve
