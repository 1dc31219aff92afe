#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The benchmarks, each beside what it is measured against, in one run and interleaved: medians.
# Started by ./dev bench when the release and fuzz presets are built.
set -u -o pipefail

usage() {
    cat <<'TEXT'
usage: ./dev bench [OPTION]...

  --live N     how many objects are alive in the loaded case (1000000)
  --rounds N   how often each is measured (5)
  --runs N     inputs of one round of the fuzz targets (100000)
  --jobs 1     accepted; everything here is one core

Prints what is measured, what it is compared with, the ratio and the bar.
exit status: 0 every bar is met, 1 not every one, 2 usage
TEXT
}

live=1000000 rounds=5 runs=100000
while (($#)); do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --live | --rounds | --runs | --jobs)
        [[ ${2-} =~ ^[1-9][0-9]{0,8}$ ]] || {
            echo "bench: $1 takes a number above 0" >&2
            exit 2
        }
        case $1 in
        --live) live=$2 ;;
        --rounds) rounds=$2 ;;
        --runs) runs=$2 ;;
        esac
        shift
        ;;
    *)
        echo "bench: unknown option '$1'; ./dev bench --help lists them" >&2
        exit 2
        ;;
    esac
    shift
done
trap 'exit 130' INT TERM

home=build/bench
lifecycle=build/release/tests/bench/bench_lifecycle
fuzz=build/libfuzzer/fuzz
rm -rf $home
mkdir -p $home || exit 2

pin=()
command -v taskset >/dev/null && pin=(taskset -c 0)

measure() { # measure FILE KEY COMMAND...
    local file=$1 key=$2
    shift 2
    "${pin[@]}" "$@" | awk -v key="$key" '$1 == key { print $2 }' >>"$home/$file" || exit 2
}

median() { sort -n "$home/$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# Programs a second of a fuzz target, start of the process included, the corpus in memory.
rate() { # rate FILE TARGET ROUND
    local begin end
    begin=$(date +%s%N)
    "${pin[@]}" "$fuzz/$2" -seed="$3" -runs="$runs" -max_len=512 -entropic=0 -detect_leaks=0 \
        -artifact_prefix="$home/" >"$home/$2.log" 2>&1 </dev/null || {
        echo "bench: $2 failed; see $home/$2.log" >&2
        exit 2
    }
    end=$(date +%s%N)
    echo $((runs * 1000000000 / (end - begin))) >>"$home/$1"
}

for ((round = 1; round <= rounds; round++)); do
    printf 'round %d of %d\n' "$round" "$rounds" >&2
    measure core lives_per_second $lifecycle core 1000 1000
    measure peer lives_per_second $lifecycle peer 1000 1000
    measure core_live lives_per_second $lifecycle core "$live" 1000
    measure peer_live lives_per_second $lifecycle peer "$live" 1000
    rate fuzz bench_fuzz_16 "$round"
    rate baseline bench_fuzz_baseline "$round"
done
# Tables double when they are full, so that between two powers of two up to half of them waits for use.
# With the adapter's, two handles an object fill the slots of 2^21.
full=$(((1 << 20) - 1))
measure bytes bytes_per_live $lifecycle core "$full" 1

awk -v core="$(median core)" -v peer="$(median peer)" -v core_live="$(median core_live)" \
    -v peer_live="$(median peer_live)" -v fuzz="$(median fuzz)" -v baseline="$(median baseline)" \
    -v bytes="$(median bytes)" -v live="$live" -v full="$full" '
    function line(what, value, against, ratio, bar, good) {
        printf "%-44s %12s  %-34s %7s  %-12s %s\n", what, value, against, ratio, bar, good ? "met" : "NOT MET"
        if (!good) failed = 1
    }
    BEGIN {
        printf "%-44s %12s  %-34s %7s  %s\n", "", "measured", "compared with", "ratio", "bar"
        line("lives of one page a second, 1000 others", sprintf("%.0f", core), "", "", ">= 1000000", core >= 1e6)
        line("  against one mutex and hash tables", sprintf("%.0f", core), sprintf("%.0f", peer), \
             sprintf("%.2f", core / peer), ">= 5", core >= 5 * peer)
        line(sprintf("  cost with %d others", live), sprintf("%.0f", core_live), sprintf("%.0f with 1000", core), \
             sprintf("%.2f", core / core_live), "<= 1.5", core <= 1.5 * core_live)
        printf "%-44s %12.0f  %-34s %7.2f\n", "  the peer with as many", peer_live, sprintf("%.0f with 1000", peer), peer / peer_live
        line("bytes of a live object, open, one ADL", sprintf("%.1f", bytes), \
             sprintf("of %d, which fill the tables", full), "", "<= 384", bytes > 0 && bytes <= 384)
        line("fuzzed programs of 16 operations a second", sprintf("%.0f", fuzz), sprintf("%.0f x 16 malloc/lock/set/free", baseline), \
             sprintf("%.2f", fuzz / baseline), ">= 0.5", fuzz >= 0.5 * baseline)
        exit failed
    }'
