#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The words of the language of programs as a dictionary for fuzzing engines:
#
#   words.sh TOOL
set -u -o pipefail
"$1" operations | grep -oE '[a-z_]+=?' | sort -u | sed 's/.*/"&"/'
