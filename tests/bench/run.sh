#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The benchmarks, each beside what it is measured against, in one run and interleaved: medians.
# Started by ./dev bench when the release and fuzz presets are built.
set -u -o pipefail

usage() {
    cat <<'TEXT'
usage: ./dev bench [OPTION]...

  --live N     how many objects are alive in the loaded case (1000000; at most 8000000,
               each has two handles of the 2^24 - 1)
  --rounds N   how often each is measured (5)
  --runs N     inputs of one round of the fuzz targets (100000)
  --jobs 1     accepted; one thing is measured at a time
  --prices     what each hardening feature costs instead; --prices --help

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
        --live)
            live=$2
            ((live <= 8000000)) || {
                echo "bench: --live takes at most 8000000: each object has two handles" >&2
                exit 2
            }
            ;;
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

two=0 # two threads have two processors
(($(nproc) > 1)) && two=1

measure() { # measure FILE KEY COMMAND...
    local file=$1 key=$2
    shift 2
    "$@" | awk -v key="$key" '$1 == key { print $2 }' >>"$home/$file" || exit 2
}

median() { sort -n "$home/$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

lives() { # lives FILE COMMAND...
    local file=$1
    shift
    measure "$file" lives_per_second "$@"
}

# Nanoseconds that so many runs of a fuzz target take, the corpus in memory.
fuzzed() { # fuzzed TARGET SEED RUNS
    local begin end
    begin=$(date +%s%N)
    "${pin[@]}" "$fuzz/$1" -seed="$2" -runs="$3" -max_len=512 -entropic=0 -detect_leaks=0 \
        -artifact_prefix="$home/" >"$home/$1.log" 2>&1 </dev/null || {
        echo "bench: $1 failed; see $home/$1.log" >&2
        exit 2
    }
    end=$(date +%s%N)
    echo $((end - begin))
}

# Programs a second. What a process takes to start, and to find what is new in the first thousand, is left out.
rate() { # rate FILE TARGET ROUND
    local few many
    few=$(fuzzed "$2" "$3" 1000) && many=$(fuzzed "$2" "$3" $((runs + 1000))) || exit 2
    ((many > few)) || many=$((few + 1))
    echo $((runs * 1000000000 / (many - few))) >>"$home/$1"
}

for ((round = 1; round <= rounds; round++)); do
    printf 'round %d of %d\n' "$round" "$rounds" >&2
    for whose in core plain; do lives "$whose-1-0" "${pin[@]}" $lifecycle "$whose" 0 1000; done
    for many in 1000 "$live"; do
        for whose in core peer plain; do
            # The plain one walks lists: with a million on them one life takes seconds.
            [[ $whose == plain && $many != 1000 ]] ||
                lives "$whose-1-$many" "${pin[@]}" $lifecycle "$whose" "$many" 1000
        done
        ((two)) || continue
        lives "core-2-$many" $lifecycle core "$many" 1000 2 2
        lives "core-shared-$many" $lifecycle core "$many" 1000 2 1
        lives "peer-2-$many" $lifecycle peer "$many" 1000 2
        ((many > 1000)) || lives "plain-2-$many" $lifecycle plain "$many" 1000 2
    done
    rate fuzz bench_fuzz_16 "$round"
    rate baseline bench_fuzz_baseline "$round"
done
# Tables double when they are full, so that between two powers of two up to half of them waits for use.
# With the adapter's, two handles an object fill the slots of 2^21.
full=$(((1 << 20) - 1))
measure bytes bytes_per_live "${pin[@]}" $lifecycle core "$full" 1

# Every median by its file's name, and then what they say.
for file in "$home"/*; do
    [[ $file == *.log || ! -s $file ]] || echo "${file##*/} $(median "${file##*/}")"
done | awk -v live="$live" -v full="$full" -v two="$two" '
    { v[$1] = $2 }
    function line(what, value, against, other, ratio, bar, good) {
        printf "%-46s %11.0f  %-32s %11s %6s  %-10s %s\n", what, value, against, other == "" ? "" : sprintf("%.0f", other), \
               ratio == "" ? "" : sprintf("%.2f", ratio), bar, bar == "" ? "" : good ? "met" : "NOT MET"
        if (bar != "" && !good) failed = 1
    }
    function beside(what, mine, against, theirs, bar) {
        line(what, v[mine], against, v[theirs], v[mine] / v[theirs], bar == "" ? "" : ">= " bar, v[mine] >= bar * v[theirs])
    }
    BEGIN { many[0] = 1000; many[1] = live; others = live == 1000 ? 1 : 2 }
    END {
        printf "%-46s %11s  %-32s %11s %6s  %s\n", "lives of one page a second", "measured", "compared with", "", "ratio", "bar"
        line("one thread, 1000 others", v["core-1-1000"], "", "", "", ">= 1000000", v["core-1-1000"] >= 1e6)
        beside("one thread, no others", "core-1-0", "the plain one, mutex and lists", "plain-1-0")
        for (i = 0; i < others; i++) {
            with = sprintf(", %d others", many[i])
            beside("one thread" with, "core-1-" many[i], "one mutex and hash tables", "peer-1-" many[i], i ? "" : 5)
            if (!i) beside("one thread" with, "core-1-" many[i], "the plain one, mutex and lists", "plain-1-" many[i])
            if (!two) continue
            beside("two threads" with, "core-2-" many[i], "one mutex and hash tables", "peer-2-" many[i])
            if (!i) beside("two threads" with, "core-2-" many[i], "the plain one, mutex and lists", "plain-2-" many[i])
            beside("two threads" with, "core-2-" many[i], "one thread", "core-1-" many[i], 1.8)
            beside("  both on one adapter", "core-shared-" many[i], "one thread", "core-1-" many[i])
        }
        if (!two) print "two threads: not measured, there is one processor"
        cost = v["core-1-1000"] / v["core-1-" live]
        line(sprintf("cost of a life, %d others", live), 1e9 / v["core-1-" live], "ns; with 1000", 1e9 / v["core-1-1000"], \
             cost, "<= 1.5", cost <= 1.5)
        cost = v["peer-1-1000"] / v["peer-1-" live]
        line("  one mutex and hash tables", 1e9 / v["peer-1-" live], "ns; with 1000", 1e9 / v["peer-1-1000"], cost, "", 1)
        line("bytes of a live object, open, one ADL", v["bytes"], sprintf("of %d, which fill the tables", full), "", "", \
             "<= 384", v["bytes"] > 0 && v["bytes"] <= 384)
        beside("fuzzed programs of 16 operations a second", "fuzz", "16 x malloc, lock, set, free", "baseline", 0.5)
        exit failed
    }'
