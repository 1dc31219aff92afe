#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Loads the driver of build/nt in Wine, in a prefix of its own below build, and
#
#   wine.sh replay FOLDER...   runs programs in it; compares every trace with the golden hash and
#                              with what the same program does in a process
#   wine.sh misuse             tests/kernel/nt_misuse.c: bad requests, clients that go, two at once
#   wine.sh serve              starts the driver and gives it the messages of standard input; replies go to
#                              standard output. For `dxgkmem drive`
#
# Started by ./dev in the project's folder after the builds. Exit status 0 clean, 1 a finding or a
# failed test, 2 it did not run. Wine runs the driver in a process: this says that the image loads,
# answers and unloads, and what its code does; nothing of IRQL, paging, signing or Driver Verifier.
set -u -o pipefail

wine=/usr/lib/wine/wine64 server=/usr/lib/wine/wineserver64
files=build/nt/src/driver/nt
driver=$files/dxgkmem.sys client=$files/dxgkmem_client.exe
tool=${DXGKMEM:-build/tool/fuzz/dxgkmem}
home=build/nt/run log=build/nt/wine.log
trouble='err:ntoskrnl:KeBugCheckEx|wine: (Unhandled|Call from)' # lines of the log that tell of a stop
patience=120 # seconds that one run of a client may take

export WINEPREFIX=$PWD/build/nt/wine WINEDLLOVERRIDES='mscoree,mshtml,winedbg.exe=' WINEARCH=win64 WINEDEBUG=-all
unset DISPLAY

say() { printf 'wine: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 2
}

# Only what belongs to the prefix.
end_wine() { "$server" -k 2>/dev/null && "$server" -w 2>/dev/null; }

# The prefix is made once. Half of one is thrown away.
make_prefix() {
    [[ -e $WINEPREFIX/made ]] && return
    rm -rf "$WINEPREFIX"
    mkdir -p "$WINEPREFIX" || die "$WINEPREFIX cannot be made"
    "$wine" wineboot -i >"$log" 2>&1 </dev/null || die "wineboot failed; see $log"
    "$server" -w
    touch "$WINEPREFIX/made"
}

windows_path() {
    local path
    path=$(readlink -f "$1")
    printf 'Z:%s' "${path//\//\\}"
}

# client ARGUMENT...: 124 when it is still at it after all that patience.
run_client() { timeout "$patience" "$wine" "$client" "$@" </dev/null; }

start_driver() {
    end_wine         # what an earlier run may have left
    "$server" -p600 # services stay, and the driver with them, when no client runs for a while
    WINEDEBUG=err+ntoskrnl,+loaddll run_client start "$(windows_path "$driver")" >"$log" 2>&1 || {
        explain
        say "the driver does not start; see $log"
        return 1
    }
}

# -- what went wrong in the driver ---------------------------------------------------------

# Whether an address lies in the driver; then `place` is where the linker put it.
in_driver() {
    local address=$((16#$1)) base
    base=$(grep -aoE 'dxgkmem\.sys" at [0-9A-F]+' "$log" | tail -n 1 | grep -oE '[0-9A-F]+$')
    [[ $base ]] || return 1
    place=$((address - 16#$base))
    ((place > 0 && place < $(stat -c %s "$driver"))) || return 1
    place=$(printf '0x%x' $((place + 0x140000000)))
}

# Function and line, and whom it was inlined into; then the line itself.
show_place() {
    local where
    where=$(llvm-symbolizer --obj="$driver" --functions=short --relativenames "$place" 2>/dev/null | sed '/^$/d')
    [[ $where == '??'* ]] && return # data
    sed -e "s|$PWD/||" -e 's/^/    /' <<<"$where"
    where=$(llvm-symbolizer --obj="$driver" --no-inlines "$place" 2>/dev/null | sed -n 2p)
    # Code that no line of the source made has line 0.
    [[ -e ${where%%:*} && $(cut -d: -f2 <<<"$where") != 0 ]] && sed -n "$(cut -d: -f2 <<<"$where")s/^ */        > /p" "${where%%:*}"
}

# The bug check or the fault that the log tells of. False: it tells of none.
explain() {
    local line word place
    line=$(grep -aE "$trouble" "$log" | head -n 1)
    [[ $line ]] || return 1
    printf 'finding: the driver stopped the system\n  %s\n' \
        "$(sed -E 's/^[0-9a-f]+:err:ntoskrnl:KeBugCheckEx/bug check/; s/, starting debugger.*//; s/^wine: //' <<<"$line")"
    while read -r word; do
        in_driver "$word" && show_place
    done < <(grep -oE '\b[0-9a-fA-F]{6,16}\b' <<<"$line")
    return 0
}

# A client failed: why.
failed() {
    local status=$1
    explain && return
    if ((status == 124)); then
        printf 'finding: the driver does not answer: %s s\n' "$patience"
    else
        printf 'finding: the client ended with %s\n' "$status"
        sed 's/^/  /' "$home/client.log" | tail -n 5
    fi
}

# -- verbs ----------------------------------------------------------------------------------

# unload: the service stops and the image goes.
stop_driver() {
    run_client stop >"$home/client.log" 2>&1 || {
        failed $?
        return 1
    }
}

call() { # call REQUEST REPLY
    run_client call "$(windows_path "$1")" "$(windows_path "$2")" >"$home/client.log" 2>&1
    client_status=$?
    return $client_status
}

replay() {
    local status=0 golden=()
    [[ ${1-} == --golden ]] && golden=(--golden "$2") && shift 2
    "$tool" batch write -o "$home/request" --trace "$@" || exit 2
    "$tool" batch write -o "$home/coverage-request" --function coverage || exit 2
    start_driver || exit 1
    if ! call "$home/request" "$home/reply" || ! call "$home/coverage-request" "$home/coverage"; then
        failed "$client_status"
        return 1
    fi
    "$tool" batch read "${golden[@]}" "$home/reply" "$@" || status=$?
    "$tool" batch read "$home/coverage" || status=1
    stop_driver || status=1
    return $status
}

misuse() {
    local status=0
    start_driver || exit 1
    "$tool" batch write -o "$home/request" corpus/seeds || exit 2
    timeout "$patience" "$wine" "$files/nt_misuse.exe" "$(windows_path "$home/request")" "$(windows_path "$client")" \
        "$(windows_path "$driver")" >"$home/client.log" 2>&1 </dev/null || status=$?
    if ((status == 1)) && ! grep -qaE "$trouble" "$log"; then
        grep -a FAIL "$home/client.log"
    elif ((status)); then
        failed $status
        status=1
    fi
    grep -a passed "$home/client.log"
    return $status
}

serve() {
    start_driver >&2 || exit 1
    "$wine" "$client" serve 2>"$home/client.log" && return
    failed $? >&2
    return 1
}

case ${1-} in
replay | misuse | serve) ;;
*) die 'usage: wine.sh replay [--golden FILE] FOLDER... | misuse | serve' ;;
esac
[[ -e $driver ]] || die "$driver is not built"
mkdir -p "$home" || exit 2
exec 9>build/nt/wine.lock
flock 9 # one at a time in the prefix
trap end_wine EXIT
trap 'exit 130' INT TERM
make_prefix 9>&-
"$@" 9>&-
