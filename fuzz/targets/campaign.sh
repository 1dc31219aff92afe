#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# One fuzzing run: starts the processes, shows what they do, gathers what they find.
# Started by ./dev fuzz, in the project's folder, after the build:
#
#   campaign.sh ENGINE TARGET SECONDS JOBS [--keep-going] [--fresh]
#
# DXGKMEM_PROVIDER: the shared object of an implementation to run on; the folder is then build/fuzz/TARGET.NAME.
#
# build/fuzz/TARGET/   corpus/    live corpus, named by content
#                      seeds/     the seed corpus in binary form
#                      findings/  inputs named by what went wrong and by content, and as text
#                      triage/    one of each finding made small, as text and C; report.html, findings.json, findings.sarif
#                      lock       held by the run that is under way
#                      job.N/     log and status of each process
#                      campaign.csv, campaign.html  the course of the last run, with the matrix as a heat map
#                      matrix.log  what running the corpus once more for that map printed, after a finding
#
# What differs between engines is in engine_ENGINE.sh beside this file:
#   binaries tool        where its programs are
#   engine_prepare       before the first process
#   engine_job JOB TIME  becomes the process of a job: TIME is how long, started[JOB] how often
#   engine_gather        makes what was found since appear in $findings
#   engine_corpus        prints how many inputs the live corpus has, or will have
#   engine_finish        after the last process: the live corpus is complete
#   engine_executions    prints how often the target ran so far
#   engine_edges         prints how many edges the process reached that reached most
#   engine_ended LOG     whether a log is that of a process that ended as it should
set -u -o pipefail

engine=$1 target=$2 seconds=$3 jobs=$4
shift 4
keep_going=0 fresh=0
for option in "$@"; do
    case $option in
    --keep-going) keep_going=1 ;;
    --fresh) fresh=1 ;;
    esac
done

home=build/fuzz/$target
# Another implementation has inputs of its own.
[[ ! ${DXGKMEM_PROVIDER-} ]] || home=$home.$(basename "$DXGKMEM_PROVIDER" .so)
corpus=$home/corpus findings=$home/findings seeds=$home/seeds
enough_kib=8192 # less room than this, and an input could be written in part

say() { printf 'fuzz: %s\n' "$*" >&2; }

# shellcheck source=fuzz/targets/engine_libfuzzer.sh
. "fuzz/targets/engine_$engine.sh"

room_kib() { df -Pk "$home" | awk 'NR == 2 { print $4 }'; }

# -- before ---------------------------------------------------------------------------

# What cannot be loaded is told before anything starts; what a program finds in it is the run's to tell.
if [[ ${DXGKMEM_PROVIDER-} ]]; then
    "$tool" run --quiet corpus/seeds/stop-first.txt >/dev/null
    (($? != 2)) || exit 2
fi
mkdir -p "$home" && exec {lock}>"$home/lock" || {
    say "$home: the folder cannot be made"
    exit 2
}
# The processes have it too: it is held until the last of them has ended, whatever becomes of this one.
flock -n "$lock" || {
    say "$home is being fuzzed already"
    exit 2
}
((fresh)) && rm -rf "$corpus"
mkdir -p "$corpus" "$findings" || {
    say "$home: the folders cannot be made"
    exit 2
}
if (($(room_kib) < enough_kib)); then
    say "$home: the disk is full: $(room_kib) KiB are free, $enough_kib are needed so that no input is lost"
    exit 2
fi
rm -rf "$seeds" "$home"/job.*
mkdir -p "$seeds" || exit 2
bash fuzz/targets/seeds.sh "$target" "$tool" "$seeds" corpus || exit 2
max_bytes=2048 words=
if [[ $target == fuzz_text ]]; then
    # The words of the language, which bytes alone would hardly ever hit.
    max_bytes=4096 words=$home/words
    bash fuzz/targets/words.sh "$tool" >"$words" || exit 2
fi
engine_prepare || exit 2
# With the time of writing: what an earlier run found and this one finds again is written again.
written() { find "$findings" -type f ! -name '*.txt' -printf '%p\t%T@\n' | sort; }
before=$(written)

# -- the processes ----------------------------------------------------------------------

declare -a pid started
begin=$SECONDS
end=$((begin + seconds))

start_job() {
    local job=$1 left=$((end - SECONDS))
    ((left > 0)) || return 0
    mkdir -p "$home/job.$job"
    started[job]=$((${started[job]-0} + 1))
    DXGKMEM_FUZZ_STATUS=$home/job.$job/status UBSAN_OPTIONS=print_stacktrace=1 \
    DXGKMEM_GUEST_COMMAND=build/kernel/fuzz.command DXGKMEM_GUEST_FOLDER=$home/job.$job/guest.${started[job]} \
        engine_job "$job" "$left" >>"$home/job.$job/log" 2>&1 </dev/null &
    pid[job]=$!
}

alive() { kill -0 "$1" 2>/dev/null; }

stop_jobs() {
    local job
    for job in "${!pid[@]}"; do alive "${pid[job]}" && kill -INT "${pid[job]}" 2>/dev/null; done
    for job in "${!pid[@]}"; do wait "${pid[job]}" 2>/dev/null; done
}

# Sums (or the largest) of one key over every status file.
counts() { find "$home"/job.* -name 'status.*[0-9]' -exec cat {} + 2>/dev/null; }
sum() { counts | awk -v key="$1" '$1 == key { n += $2 } END { print n + 0 }'; }
largest() { counts | awk -v key="$1" '$1 == key && $2 > n { n = $2 } END { print n + 0 }'; }

new_findings() { comm -13 <(printf '%s\n' "$before") <(written) | cut -f1 | grep .; }

count=$(find "$seeds" -type f | wc -l)
say "$target: $engine, $seconds s, $jobs processes, $count seeds, $(find "$corpus" -type f | wc -l) inputs of earlier runs"

interrupted=0 full=0
trap 'interrupted=1' INT TERM
for ((job = 1; job <= jobs; job++)); do start_job "$job"; done

# -- progress ---------------------------------------------------------------------------

show() {
    local now executions operations line
    executions=$(sum executions) operations=$(sum operations)
    now=$SECONDS
    line=$(printf '%4d s left  %7d exec/s  %8d operations/s  %4d/%d cells  %5d corpus  %d findings' \
        $((end > now ? end - now : 0)) \
        $(((executions - shown_executions) / (now > shown_at ? now - shown_at : 1))) \
        $(((operations - shown_operations) / (now > shown_at ? now - shown_at : 1))) \
        "$(largest cells)" "$(largest cells_feasible)" "$(engine_corpus)" "$(new_findings | wc -l)")
    [[ $target =~ ^fuzz_(program|faults|linux)$ ]] || line=$(printf '%4d s left  %5d corpus  %d findings' \
        $((end > now ? end - now : 0)) "$(engine_corpus)" "$(new_findings | wc -l)")
    if [[ -t 2 ]]; then printf '\r\033[K%s' "$line" >&2; else printf '%s\n' "$line" >&2; fi
    shown_executions=$executions shown_operations=$operations shown_at=$now
}

# A line of campaign.csv. Samples become rarer with time: an hour has some 250 of them, a day some 400.
course=$home/campaign.csv
sample() {
    local now=$((SECONDS - begin))
    printf '%d,%d,%d,%d,%d,%d,%d\n' $now "$(engine_executions)" "$(engine_corpus)" "$(largest cells)" \
        "$(largest cells_feasible)" "$(engine_edges)" "$(new_findings | wc -l)" >>"$course"
    next_sample=$((now + 1 + now / 50))
}
echo seconds,executions,corpus,cells,cells_feasible,edges,findings >"$course"
next_sample=0

shown_executions=0 shown_operations=0 shown_at=$SECONDS
every=1
[[ -t 2 ]] || every=10
while ((!interrupted && !full)); do
    running=0
    for job in "${!pid[@]}"; do
        if alive "${pid[job]}"; then
            running=$((running + 1))
        elif ((keep_going && SECONDS < end - 1)); then
            start_job "$job"
            running=$((running + 1))
        fi
    done
    engine_gather
    ((running)) || break
    ((keep_going)) || [[ -z $(new_findings) ]] || break
    (($(room_kib) >= enough_kib)) || full=1
    sleep 1 {lock}>&- &
    wait $!
    ((SECONDS - begin < next_sample)) || sample
    ((SECONDS - shown_at < every)) || show
done
trap '' INT
stop_jobs
engine_gather
[[ -t 2 ]] && printf '\r\033[K' >&2

# -- summary ------------------------------------------------------------------------------

sample
engine_finish
took=$((SECONDS - begin > 0 ? SECONDS - begin : 1))
if [[ $target =~ ^fuzz_(program|faults|linux)$ ]]; then
    executions=$(sum executions)
    printf '%d programs, %d operations in %d s: %d programs/s; of %d callbacks %d succeeded\n' "$executions" \
        "$(sum operations)" "$took" $((executions / took)) "$(sum callbacks)" "$(sum successes)"
    printf '%d of %d matrix cells; %d inputs in the live corpus, %s\n' "$(largest cells)" \
        "$(largest cells_feasible)" "$(find "$corpus" -type f | wc -l)" "$corpus"
else
    printf '%s executions in %d s; %d inputs in the live corpus, %s\n' \
        "$(engine_executions)" "$took" \
        "$(find "$corpus" -type f | wc -l)" "$corpus"
fi

# A process that ended otherwise than by time, interrupt or finding must not pass for a clean run; nor one
# that reported something of which no input was saved.
broken=()
for log in "$home"/job.*/log; do
    if ! engine_ended "$log" || grep -qE 'Test unit written to|^SUMMARY: ' "$log"; then broken+=("$log"); fi
done

# What the log says of one saved input: the finding before it, or what a sanitizer reported.
explain() { # explain LOG NAME
    awk -v name="$2" '
        /^finding: / { text = ""; on = 1 }
        /^program:$/ { on = 0 }
        on { text = text $0 "\n" }
        /^==[0-9]+== ?ERROR|^SUMMARY: |runtime error|^    #[0-5] |ALARM|panic/ { if (n++ < 12) report = report $0 "\n" }
        /Test unit written to/ {
            if (index($0, name)) { printf "%s", text ? text : report; exit }
            text = report = ""; on = n = 0
        }' "$1"
}

# The program that the log printed before it saved this input: with the plan of faults, or the schedule, in front.
planned() { # planned LOG NAME
    awk -v name="$2" '
        /^end of program$/ { on = 0 }
        on { text = text $0 "\n" }
        /^program:$/ { on = 1; text = "" }
        /Test unit written to/ && index($0, name) { printf "%s", text; exit text == "" }
        /Test unit written to/ { text = "" }' "$1"
}

on='' of='' # what a command to replay has of the implementation: an option, or a variable in front
if [[ ${DXGKMEM_PROVIDER-} ]]; then
    printf -v on ' --provider %q' "$DXGKMEM_PROVIDER"
    printf -v of 'DXGKMEM_PROVIDER=%q ' "$DXGKMEM_PROVIDER"
fi

found=0
declare -A known
while read -r file; do
    [[ $file ]] || continue
    found=$((found + 1))
    name=$(basename "$file")
    text=
    for log in "$home"/job.*/log; do
        if grep -qF "$name" "$log"; then
            text=$(explain "$log" "$name")
            break
        fi
    done
    # The same invariant broken by the same kind of operation in the same way is shown once.
    kind=$(sed -E '/^  operation/d; s/^  ([a-z_]+) [^:]*(:[^:]*)*: /  \1: /; /^    #/d; s/0x[0-9a-f]+|[0-9]{3,}//g' <<<"$text")
    if [[ $kind && ${known[$kind]-} ]]; then
        printf '\nfinding %d: %s: like finding %s\n' "$found" "$file" "${known[$kind]}"
        case $target in
        fuzz_program | fuzz_linux) "$tool" show --lenient "$file" >"$file.txt" ;;
        fuzz_schedule) planned "$log" "$name" >"$file.txt" || rm -f "$file.txt" ;;
        esac
        continue
    fi
    [[ $kind ]] && known[$kind]=$found
    printf '\nfinding %d: %s\n%s\n' "$found" "$file" "$text"
    console=$(sed -n 's/^  console: //p' <<<"$text")
    if [[ $console ]]; then
        # The folders of the processes go when the next run begins.
        cp "$console" "$file.console.txt"
        bash tests/kernel/linux/guest.sh explain "$file.console.txt" | sed 's/^/  /'
    fi
    if [[ ${name#*-} != "$(sha1sum <"$file" | cut -d' ' -f1)" ]]; then
        say "$file was cut off when it was written; $log has the program"
    fi
    if [[ $target =~ ^fuzz_(faults|schedule)$ ]] && planned "$log" "$name" >"$file.txt"; then
        sed 's/^/    /' "$file.txt"
        replay='./dev run'
        [[ $target == fuzz_faults ]] || replay='./dev schedule'
        printf 'replay: %s%s %s\n' "$replay" "$on" "$file.txt"
    elif [[ $target =~ ^fuzz_(program|linux)$ ]]; then
        replay='./dev run'
        [[ $target == fuzz_program ]] || replay='./dev replay --host linux'
        if "$tool" show --lenient "$file" >"$file.txt"; then
            sed 's/^/    /' "$file.txt"
            printf 'replay: %s%s %s\n' "$replay" "$on" "$file.txt"
        fi
    else
        printf 'replay: %s%s %s\n' "$of" "$binaries/$target" "$file"
    fi
done < <(new_findings)

# One of each made small, ranked, with reports; the folder has what earlier runs found, too.
if ((found)) && [[ $target == fuzz_program ]]; then
    printf '\n'
    # Making one small takes seconds, but of a busy machine more.
    "$tool" triage --time 60 -o "$home/triage" "$findings" || (($? == 1)) || say "triage came to no end; see above"
fi

# The course of the run as a page; of programs with the matrix.
programs=()
if [[ $target =~ ^fuzz_(program|faults|linux)$ ]]; then
    programs=("$seeds")
    [[ -z $(ls -A "$corpus") ]] || programs+=("$corpus")
fi
page() { "$@" "$tool" matrix --html --lenient --campaign "$course" -o "$home/campaign.html" ${programs[@]+"${programs[@]}"}; }
if ((found)) || [[ ${DXGKMEM_PROVIDER-} ]]; then
    # Programs that break what they run on, or hang, must not keep the page away: then it has no matrix.
    page timeout -k 5 20 >"$home/matrix.log" 2>&1
    (($? <= 1)) || {
        programs=()
        page env -u DXGKMEM_PROVIDER
    }
else
    page
fi && printf 'course: %s\n' "$home/campaign.html"

if ((full)); then
    say "stopped: the disk is full ($(room_kib) KiB free); everything found so far is kept"
    exit 2
fi
((interrupted)) && {
    say "interrupted; everything found so far is kept"
    exit 130
}
((found)) && exit 1
if ((${#broken[@]})); then
    say "a process ended in an unexpected way; its log is ${broken[0]}"
    tail -n 5 "${broken[0]}" >&2
    exit 2
fi
echo "nothing found"
