#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Plants each race, deadlock and wrong memory order, and measures how soon schedules that the input decides
# find it (fuzz_schedule, from nothing), and how soon threads of the system do: the stress test
# claims/concurrent_calls_are_safe.c, run again and again, as it is and with ThreadSanitizer. All in seconds of
# processor time, so that what else the machine does matters little, and two cores are no advantage.
# Started by ./dev mutants --schedules in the project's folder, when the presets fuzz, gcc and tsan are built.
#
# The bugs are those of tests/mutants whose oracle is `schedule`, and tests/mutants/kernel/order-*.
set -u -o pipefail

usage() {
    cat <<'TEXT'
usage: ./dev mutants --schedules [OPTION]... [NAME]...

Plants each race, deadlock and wrong memory order of tests/mutants (or those named), and
prints after how many seconds of processor time fuzz_schedule finds it, and beside it
threads of the system that do the same to each other, without and with ThreadSanitizer.

  --seconds N  at most so much processor time for each of the three (60)
  --seed N     the engine's seed (1)

exit status: 0 fuzz_schedule found every one but those of memory order, which it cannot
see, and ThreadSanitizer found those; 1 not so; 2 a patch that does not apply or build
TEXT
}

root=$PWD
home=$root/build/mutants-schedules
stress=claims_concurrent_calls_are_safe
. tests/mutants/lib.sh

say() { printf 'mutants: %s\n' "$*" >&2; }

# stress_of PRESET PATCH TREE OUT: the stress test, linked with what the patch changes before the libraries.
stress_of() {
    local base=$root/build/$1 source object command objects=()
    while read -r source; do
        object=$4.$(tr / _ <<<"$source").o
        compile "$stress" "$source" "$3" "$object" || return 1
        objects+=("$object")
    done < <(touched "$2")
    command=$(ninja -C "$base" -t commands "$stress" | tail -n 1)
    [[ $command == *" -o tests/$stress "* ]] || return 1
    (cd "$base" && eval "${command/" -o tests/$stress "/" ${objects[*]} -o $4 "}")
}

# spent LOG COMMAND...: runs it, its output to LOG; sets status, and adds what it took to `time`, in milliseconds.
spent() {
    local log=$1 TIMEFORMAT='%3U %3S' user system
    shift
    { time "$@" >"$log" 2>&1 </dev/null; } 2>"$log.time"
    status=$?
    read -r user system < <(tail -n 1 "$log.time")
    time=$((time + 10#${user/./} + 10#${system/./}))
}

# found_after HOW: "SECONDS HOW" of `time`.
found_after() { echo "$((time / 1000)).$((time / 100 % 10)) $1"; }

# run_stress BINARY LOG: "SECONDS HOW" until a run fails, or "- -". A run takes far less than a second; one that
# takes a minute waits for ever.
run_stress() {
    local time=0 status=0 how
    export TSAN_OPTIONS='halt_on_error=1 exitcode=66'
    while ((status == 0)); do
        if ((time >= seconds * 1000)); then
            echo "- -"
            return
        fi
        spent "$2" timeout -k 1 60 setarch "$(uname -m)" -R "$1"
    done
    case $status in
    66) how=race ;;
    124 | 137) how=hangs ;;
    1) how=wrong ;;
    *) how=crash ;;
    esac
    grep -q '^dxgkmem: ' "$2" && how=assertion
    found_after $how
}

limited() {
    ulimit -t "$seconds"
    exec "$@"
}

# run_schedules BINARY FOLDER: the same for fuzz_schedule.
run_schedules() {
    local time=0 status how
    mkdir -p "$2/corpus"
    spent "$2/log" bash -c "$(declare -f limited); seconds=$seconds; limited \"\$@\"" limited "$1" -seed="$seed" \
        -max_total_time=$((seconds * 20)) -max_len=512 -timeout=60 -rss_limit_mb=1024 -detect_leaks=0 -entropic=0 \
        -artifact_prefix="$2/" "$2/corpus"
    how=$(sed -nE 's/^finding: invariant ([0-9]+):.*/invariant-\1/p' "$2/log" | head -n 1)
    [[ $how ]] || ! grep -qE '^dxgkmem: ' "$2/log" || how=assertion
    [[ $how ]] || how=$(sed -nE 's/^SUMMARY: AddressSanitizer: ([^ ]+).*/\1/p' "$2/log" | head -n 1)
    if [[ $how ]]; then found_after "$how"; else echo "- -"; fi
}

# one PATCH: a row; the result is "NAME ORDER SCHEDULE THREADS TSAN", seconds or -.
one() {
    local patch=$1 name work tree preset row=() order=0
    name=$(basename "$patch" .patch)
    work=$home/$name tree=$home/$name/tree
    [[ $patch != */kernel/* ]] || order=1
    rm -rf "$work"
    mkdir -p "$tree" || return 2
    cp -r include src fuzz tests "$tree" || return 2
    patch -d "$tree" -p1 -s --no-backup-if-mismatch <"$patch" >"$work/log" 2>&1 || {
        say "$name: the patch does not apply; see $work/log"
        return 2
    }
    rm -rf "build/mutants/$name"
    ORACLE=schedule bash tests/mutants/run.sh --one "$patch" >/dev/null || return 2
    row=("$(run_schedules "build/mutants/$name/fuzz_schedule" "$work/schedules")")
    for preset in gcc tsan; do
        stress_of $preset "$patch" "$tree" "$work/$preset" >>"$work/log" 2>&1 || {
            say "$name: $stress of the preset $preset does not build; see $work/log"
            return 2
        }
        row+=("$(run_stress "$work/$preset" "$work/$preset.log")")
    done
    rm -rf "$tree" "$work"/*.o
    echo "$name $order ${row[*]}" >"$work/result"
    awk '{ printf "%-44s %-22s %-20s %s\n", $1, show($3, $4), show($5, $6), show($7, $8) }
        function show(time, how) { return time == "-" ? "not found" : time " " how }' "$work/result"
}

seconds=60 seed=1 names=()
while (($#)); do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --seconds | --seed)
        [[ ${2-} =~ ^[1-9][0-9]{0,5}$ ]] || {
            say "$1 takes a number above 0"
            exit 2
        }
        [[ $1 == --seconds ]] && seconds=$2 || seed=$2
        shift
        ;;
    -*)
        say "unknown option '$1'; ./dev mutants --schedules --help lists them"
        exit 2
        ;;
    *) names+=("$1") ;;
    esac
    shift
done

patches=()
if ((${#names[@]})); then
    for name in "${names[@]}"; do
        patch=$(compgen -G "tests/mutants/$(basename "$name" .patch).patch" ||
            compgen -G "tests/mutants/kernel/$(basename "$name" .patch).patch") || {
            say "there is no tests/mutants/$name.patch"
            exit 2
        }
        patches+=("$patch")
    done
else
    mapfile -t patches < <(grep -lE '^oracle: *schedule' tests/mutants/*.patch
        compgen -G 'tests/mutants/kernel/order-*.patch')
fi

mkdir -p "$home" build/mutants || exit 2
# run.sh builds it, and looks for a second.
export ENGINE=libfuzzer SEED=$seed SECONDS_EACH=1 SECONDS_PLAIN=0 SEEDS='' LINKER='' LENGTHS=0
command -v ld.lld >/dev/null && LINKER=-fuse-ld=lld
trap 'exit 130' INT TERM
printf '%-44s %-22s %-20s %s\n' "planted bug, seconds until it is found by" "fuzz_schedule" "threads" \
    "threads, ThreadSanitizer"
bad=0 results=()
for patch in "${patches[@]}"; do
    one "$patch" || bad=1
    results+=("$home/$(basename "$patch" .patch)/result")
done
((bad == 0)) || exit 2
cat "${results[@]}" | awk -v limit="$seconds" '
    $2 == 0 { n++; schedule += $3 != "-"; threads += $5 != "-"; tsan += $7 != "-"; if ($3 + 0 > longest) longest = $3 + 0 }
    $2 == 1 { orders++; order_schedule += $3 != "-"; order_threads += $5 != "-"; order_tsan += $7 != "-" }
    END {
        printf "\nof %d races and deadlocks within %d s: %d by fuzz_schedule (bar: all; longest %.1f s), %d by threads, %d by threads with ThreadSanitizer\n",
            n, limit, schedule, longest, threads, tsan
        if (orders)
            printf "of %d wrong memory orders: %d, %d, %d (bar: all by ThreadSanitizer)\n", orders, order_schedule, order_threads, order_tsan
        exit schedule < n || order_tsan < orders
    }'
