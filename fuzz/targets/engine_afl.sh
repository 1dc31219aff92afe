# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with campaign.sh, which reads this file
# SPDX-License-Identifier: MIT
#
# What campaign.sh needs to know of AFL++. Instances share build/fuzz/TARGET/afl, where each has a
# queue of its own; at the end the queues join the live corpus.
#
# One job in four has ASan and UBSan, the first of them the second job; a single job has them as
# well, because nothing else would see a wrong access that breaks no invariant. The first of
# several jobs is the main instance. No setting of the system is changed.

binaries=build/afl/fuzz
tool=build/tool/fuzz/dxgkmem
mutator=$PWD/build/tool/fuzz/dxgkmem_afl.so
queues=$home/afl
crash_kinds=(crashes:crash hangs:timeout)

# copy_new FROM TO PREFIX: the files of the list that is read, named by content.
copy_named() {
    local prefix=$1 to=$2 file name
    while read -r file; do
        name=$to/$prefix$(sha1sum <"$file" | cut -d' ' -f1)
        [[ -e $name ]] || { cp "$file" "$name.part" && mv "$name.part" "$name"; }
    done
}

engine_prepare() {
    rm -rf "$queues" "$home/begin"
    mkdir -p "$queues" "$home/begin" || return 1
    find "$seeds" "$corpus" -type f | copy_named '' "$home/begin"
    [[ -n $(ls -A "$home/begin") ]] || printf '\1\0' >"$home/begin/empty"
}

# Power schedules of the third job and of those after it.
schedules=(explore coe rare exploit lin quad)

engine_job() {
    local job=$1 time=$2 role=(-S "job$1") schedule=fast build=build/afl-fast input=$home/begin
    ((job == 1 && jobs > 1)) && role=(-M "job$1") schedule=explore
    ((jobs == 1 || job % 4 == 2)) && build=build/afl
    ((job > 2)) && schedule=${schedules[(job - 3) % ${#schedules[@]}]}
    if [[ $target =~ ^fuzz_(program|faults|schedule)$ ]]; then
        [[ $target != fuzz_schedule ]] || export DXGKMEM_AFL_WOVEN=1
        export AFL_CUSTOM_MUTATOR_LIBRARY=$mutator
        # One in four mixes the project's mutations with those of AFL++.
        ((job % 4 == 0)) || export AFL_CUSTOM_MUTATOR_ONLY=1
    fi
    ((started[job] > 1)) && input=-
    export AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_FORKSRV_INIT_TMOUT=30000 AFL_IMPORT_FIRST=1
    exec afl-fuzz "${role[@]}" -p "$schedule" -s $((1000 * job + started[job])) -i "$input" -o "$queues" \
        -V "$time" -t 10000 -G "$max_bytes" ${words:+-x "$words"} -- "$build/fuzz/$target"
}

# A finding becomes a file like those of the other engine; what it is about is told by running it once more.
engine_gather() {
    local kind file name
    for kind in "${crash_kinds[@]}"; do
        while read -r file; do
            name=${kind#*:}-$(sha1sum <"$file" | cut -d' ' -f1)
            [[ -e $home/job.again/$name ]] && continue
            mkdir -p "$home/job.again"
            : >"$home/job.again/$name"
            echo "$file" | copy_named "${kind#*:}-" "$findings"
            touch "$findings/$name" # found by an earlier run, too: it counts for this one
            {
                timeout 20 "$binaries/$target" "$file"
                echo "Test unit written to $findings/$name"
            } >>"$home/job.again/log" 2>&1
        done < <(compgen -G "$queues/job*/${kind%:*}/id:*"; seeds_that "${kind%:*}")
    done
}

# Inputs that fail from the beginning are left out by afl-fuzz; it only says so. They stay where they are, so
# that one of them is enough to end a run.
seeds_that() {
    local what=crash
    [[ $1 == hangs ]] && what=timeout
    sed -nE "s/.*Test case 'id:[0-9]+,time:[0-9]+,execs:[0-9]+,orig:([0-9a-f]+)' results in a $what.*/\1/p" \
        "$home"/job.[0-9]*/log 2>/dev/null | sort -u | sed "s#^#$home/begin/#; $( ((keep_going)) || echo 1q)"
}

# Inputs that an instance took over from another one have sync in their names.
queued() { find "$queues"/job*/queue -maxdepth 1 -name 'id:*' ! -name '*,orig:*' ! -name '*,sync:*' 2>/dev/null; }

engine_corpus() { echo $(($(find "$corpus" -type f | wc -l) + $(queued | wc -l))); }

engine_finish() {
    queued | copy_named '' "$corpus"
    rm -f "$corpus"/*.part
}

engine_executions() { cat "$queues"/job*/fuzzer_stats 2>/dev/null | awk '$1 == "execs_done" { n += $3 } END { print n + 0 }'; }

engine_edges() { cat "$queues"/job*/fuzzer_stats 2>/dev/null | awk '$1 == "edges_found" && $3 > n { n = $3 } END { print n + 0 }'; }

engine_ended() { [[ $1 == */job.again/log ]] || grep -qF "We're done here." "$1"; }
