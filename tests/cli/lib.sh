# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the tests of the command line share. Environment: DXGKMEM the tool, ROOT the project's
# folder. Each test works in a folder of its own and ends with `finish`.
set -u -o pipefail
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0

fail() {
    printf 'FAIL line %s: %s\n' "${BASH_LINENO[1]}" "$*"
    failed=1
}

# expect STATUS COMMAND...: stdout and stderr are left in the files out and err.
expect() {
    local want=$1 got
    shift
    "$@" >out 2>err </dev/null
    got=$?
    [[ $got == "$want" ]] || fail "$* ended with $got, not $want: $(head -n 3 err out)"
}

# One clear line on stderr that holds the text.
one_line() {
    [[ $(wc -l <err) == 1 ]] || fail "stderr is not one line: $(cat err)"
    grep -qF -- "$1" err || fail "stderr does not say '$1': $(cat err)"
}

prints() { grep -qF -- "$1" out || fail "stdout does not say '$1': $(head -n 5 out)"; }

finish() { exit $failed; }

# provide OUT FOLDER [FLAG]: the sources of the folder on the simulated machine, as a provider.
provide() {
    "$CC" -std=c17 -D_GNU_SOURCE -I"$ROOT/include" -shared -fPIC ${3:+"$3"} -o "$1" "$2"/*.c "$ROOT"/src/machine/sim/*.c \
        "$ROOT"/src/host/user/*.c -lpthread 2>err || fail "$(head -n 3 err)"
}
