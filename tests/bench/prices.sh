#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What each hardening feature costs: core as it is beside core without that one feature, a patch in without/.
# Started by ./dev bench --prices when the target bench_prices of the release preset is built.
set -u -o pipefail

usage() {
    cat <<'TEXT'
usage: ./dev bench --prices [--rounds N] [--milliseconds N] [NAME]...

  --rounds N        how often each is measured (61)
  --milliseconds N  how long at a time (30)

Each patch of tests/bench/without takes one hardening feature out of a copy of core. A
life of one page (create, open, ADL, map, unmap, free, close, destroy; with quotas,
and 1000 other objects alive) is measured with core as it is and without each,
interleaved. Prints, the dearest first: ns of a life that are saved (median of the
rounds, and quartiles), how many times cheaper a life gets, the instructions of a life
that are saved (counted by valgrind: of these it is certain), and bytes of a live object.
`nothing` takes nothing out: core as it is installed, whose functions are elsewhere.
NAME: only these patches.
exit status: 0, 2 usage, or a patch that does not apply or build
TEXT
}

rounds=61 milliseconds=30 names=()
while (($#)); do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --rounds | --milliseconds)
        [[ ${2-} =~ ^[1-9][0-9]{0,5}$ ]] || {
            echo "bench: $1 takes a number above 0" >&2
            exit 2
        }
        if [[ $1 == --rounds ]]; then rounds=$2; else milliseconds=$2; fi
        shift
        ;;
    -*)
        echo "bench: unknown option '$1'; ./dev bench --prices --help lists them" >&2
        exit 2
        ;;
    *)
        [[ -e tests/bench/without/$(basename "$1" .patch).patch ]] || {
            echo "bench: there is no tests/bench/without/$(basename "$1" .patch).patch" >&2
            exit 2
        }
        names+=("$(basename "$1" .patch)")
        ;;
    esac
    shift
done
trap 'exit 130' INT TERM

((${#names[@]})) || mapfile -t names < <(compgen -G 'tests/bench/without/*.patch' | sed -E 's#.*/(.*)[.]patch#\1#' | sort)
names+=(nothing)
folder=build/release/tests/bench
pin=()
command -v taskset >/dev/null && pin=(taskset -c 0)

results=build/bench/prices
mkdir -p build/bench && : >$results || exit 2

binary() { if [[ $1 == nothing ]]; then echo bench_lifecycle; else echo "bench_without_$1"; fi; }

life() { # life KEY BINARY: "KEY ns" of a life
    "${pin[@]}" "$folder/$2" limited 1000 "$milliseconds" |
        awk -v key="$1" '$1 == "lives_per_second" { print key, 1e9 / $2; good = 1 } END { exit !good }' >>$results || exit 2
}

# With the adapter's, two handles an object fill the slots of 2^21: no table waits to be filled.
# Of a life: nothing else is alive, and 2 x 1024 lives are lived, half of them to warm up.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$folder/$1" limited 0 0 2>&1 |
        awk '$2 == "Collected" { print $4 / 2048; good = 1 } END { exit !good }' || exit 2
}
bytes() { "$folder/$1" limited $(((1 << 20) - 1)) 1 | awk '$1 == "bytes_per_live" { print $2 }'; }

for ((round = 0; round < rounds; round++)); do
    echo "round" >>$results
    for ((i = 0; i < ${#names[@]}; i++)); do # no feature is always behind the same one
        ((i % 9)) || life base bench_with_all
        name=${names[(i + round) % ${#names[@]}]}
        life "$name" "$(binary "$name")"
    done
done

base=$(bytes bench_with_all)
all=$(instructions bench_with_all) || exit 2
for name in "${names[@]}"; do
    removes=$(sed -n 's/^removes: *//p' "tests/bench/without/$name.patch" 2>/dev/null | head -n 1)
    without=$(instructions "$(binary "$name")") || exit 2
    echo "$name $(awk -v a="$base" -v b="$(bytes "$(binary "$name")")" -v i="$all" -v k="$without" \
        'BEGIN { print a - b, i - k }') ${removes:-the places of functions alone}"
done >$results.bytes

# The base of a round is the median of its measurements.
awk -v bytes="$base" '
    function at(v, n, share,    i, k, t) {
        for (i = 2; i <= n; i++)
            for (k = i; k > 1 && v[k] < v[k - 1]; k--) { t = v[k]; v[k] = v[k - 1]; v[k - 1] = t }
        i = 1 + (n - 1) * share
        k = int(i)
        return k == n ? v[k] : v[k] + (i - k) * (v[k + 1] - v[k])
    }
    function end_round(    name, middle) {
        if (!n) return
        middle = at(base, n, 0.5)
        all[++rounds] = middle
        for (name in now) saved[name, rounds] = middle - now[name]
        n = 0
        delete now
    }
    FNR == NR && $1 == "round" { end_round(); next }
    FNR == NR && $1 == "base" { base[++n] = $2; next }
    FNR == NR { now[$1] = $2; next }
    FNR == 1 {
        end_round()
        life = at(all, rounds, 0.5)
        printf "a life with all of them: %.0f ns, %.1f bytes of a live object\n\n", life, bytes
        printf "%-20s %8s %16s %7s %12s %6s  %s\n", "feature", "ns", "quartiles", "ratio", "instructions", "bytes", "what it is"
    }
    {
        for (i = 1; i <= rounds; i++) v[i] = saved[$1, i]
        middle = at(v, rounds, 0.5)
        line = sprintf("%-20s %8.1f %16s %7.3f %12d %6.1f ", $1, middle, sprintf("%.1f to %.1f", at(v, rounds, 0.25), at(v, rounds, 0.75)), life / (life - middle), $3 + ($3 < 0 ? -0.5 : 0.5), $2)
        what = $0
        sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", what)
        printf "%012.3f %s %s\n", middle + 1e6, line, what | "sort -rn | cut -d\" \" -f2-"
    }' $results $results.bytes
