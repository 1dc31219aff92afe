#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Fuzzes a driver: dxgkmem drive with the command that serves requests in that kernel. Started by ./dev
# fuzz --host, in the project's folder, after the builds:
#
#   fuzz.sh HOST SECONDS [--keep-going] [--fresh]
#
# build/fuzz/HOST/ has corpus/, findings/ and the command's log.
set -u -o pipefail

host=$1 seconds=$2
shift 2
home=build/fuzz/$host
keep_going=()
for option in "$@"; do
    case $option in
    --keep-going) keep_going=(--keep-going) ;;
    --fresh) rm -rf "$home/corpus" ;;
    esac
done
mkdir -p "$home" || exit 2
seeds=()
for folder in corpus/seeds corpus/regressions "$home/corpus"; do
    compgen -G "$folder/*" >/dev/null && seeds+=("$folder")
done
exec build/tool/fuzz/dxgkmem drive --home "$home" --seconds "$seconds" ${keep_going[@]+"${keep_going[@]}"} \
    "${seeds[@]}" -- bash "src/driver/$host/serve.sh"
