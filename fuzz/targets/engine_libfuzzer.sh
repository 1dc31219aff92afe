# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with campaign.sh, which reads this file
# SPDX-License-Identifier: MIT
#
# What campaign.sh needs to know of libFuzzer. Each job works in the live corpus itself.

binaries=build/libfuzzer/fuzz
tool=$binaries/dxgkmem

engine_prepare() { :; }

engine_job() {
    # Another seed for each process and each start; inputs of the others are taken in by -reload.
    # Weighing inputs by how rare their features are (entropic) costs more here than it finds.
    exec "$binaries/$target" -seed=$((1000 * $1 + started[$1])) -max_total_time="$2" -reload=1 \
        -max_len="$max_bytes" ${words:+-dict="$words"} -entropic=0 \
        -timeout=10 -rss_limit_mb=2048 -detect_leaks=0 -print_final_stats=1 \
        -artifact_prefix="$findings/" "$corpus" "$seeds"
}

engine_gather() { :; }

engine_corpus() { find "$corpus" -type f | wc -l; }

# libFuzzer names what it writes by content: a file whose name says otherwise was cut off.
engine_finish() {
    (cd "$corpus" && find . -maxdepth 1 -type f -regextype posix-extended -regex '\./[0-9a-f]{40}' -printf '%f\n' |
        xargs -r sha1sum | awk '$1 != $2 { print $2 }' | xargs -r rm -f)
}

# A process that still runs says it in its lines of progress: "#524288 pulse  cov: 1190 ft: ...".
engine_executions() {
    awk 'FNR == 1 { n += last; last = 0 }
        /^#[0-9]+/ { last = substr($1, 2) + 0 }
        /^stat::number_of_executed_units:/ { n += $2; last = 0 }
        END { print n + last }' "$home"/job.*/log
}

engine_edges() {
    awk '/^#[0-9]+.* cov: / { for (i = 2; i < NF; i++) if ($i == "cov:" && $(i + 1) > n) n = $(i + 1) }
        END { print n + 0 }' "$home"/job.*/log
}

engine_ended() { grep -qE '^(stat::number_of_executed_units|==[0-9]+== libFuzzer: run interrupted)' "$1"; }
