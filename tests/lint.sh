#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# clang-tidy, cppcheck and shellcheck over the sources; started by ./dev lint with the debug
# preset configured. Exit: 0 nothing found, 1 something.
set -u -o pipefail
cores=$(nproc)
status=0

# What the preset compiles: code for a kernel as far as there are stand-ins for its headers.
mapfile -t sources < <(sed -nE "s#.*\"file\": \"$PWD/(.*\.c)\".*#\1#p" build/debug/compile_commands.json | sort -u |
    grep -E '^(src|fuzz|tests)/' | grep -vE '^tests/(abi|bench)/')
mapfile -t scripts < <(find . -path ./build -prune -o -path ./.git -prune -o -type f \
    \( -name '*.sh' -o -path ./dev -o -path ./.ci/run \) -print | sort)

echo "clang-tidy: ${#sources[@]} files"
# One file a process, and once: its check of va_list takes every one after the first file for uninitialized.
mkdir -p build/lint
python3 - build/debug/compile_commands.json >build/lint/compile_commands.json <<'PYTHON' || exit 2
import json, sys
print(json.dumps(list({entry["file"]: entry for entry in json.load(open(sys.argv[1]))}.values())))
PYTHON
printf '%s\n' "${sources[@]}" | xargs -P "$cores" -n 1 clang-tidy -p build/lint --quiet 2>/dev/null |
    grep -E '(warning|error):' | sort -u && status=1

echo "cppcheck: ${#sources[@]} files"
cppcheck --project=build/lint/compile_commands.json -j "$cores" --quiet --std=c11 --inline-suppr \
    --enable=warning,performance,portability --error-exitcode=1 \
    --suppress=missingIncludeSystem --template='{file}:{line}: {severity}: {message} [{id}]' 2>&1 | sort -u
((PIPESTATUS[0])) && status=1

echo "shellcheck: ${#scripts[@]} files"
shellcheck "${scripts[@]}" || status=1

((status)) || echo "nothing found"
exit $status
