#!/bin/bash
# SPDX-License-Identifier: MIT
# ClusterFuzzLite wants a build.sh in this folder; the project has one for both services.
exec bash "$(dirname "${BASH_SOURCE[0]}")/../fuzz/oss-fuzz/build.sh" "$@"
