#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Ten planted bugs become ten groups of triage, and no two of them one. Each bug has a tool of its own, so
# that none hides another; what the ten tools learnt is put together as if one triage had been interrupted.
# INPUTS=N: so many inputs a bug (30). All triages together may take a minute of processor time.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v patch >/dev/null || exit 77

bugs=(map-first-page-lost handle-check-ignored adl-flush-missing pages-not-zeroed adl-base-ignores-offset
    cache-type-lost io-over-ram-accepted adl-past-the-end unmap-any-size adl-contiguous-unasked)
most=${INPUTS:-30}

plant() { # plant BUG [-R]
    patch -d tree -p1 -s --no-backup-if-mismatch "${@:2}" <"$ROOT/tests/mutants/$1.patch"
}

build_tool() { # build_tool BUG: tool.BUG
    if ! plant "$1" || ! cmake --build tree/build --target dxgkmem_tool -j 2 >log 2>&1; then
        fail "$1 does not build: $(tail -n 5 log)"
        finish
    fi
    cp tree/build/fuzz/dxgkmem "tool.$1"
    plant "$1" -R
}

shows() { # shows BUG FILE
    "./tool.$1" run --quiet "$2" >out 2>&1
    (($? == 1))
}

# Programs of the corpus and the generator's, other ones for each bug, that this tool finds something in. As
# many as are wanting: those with lines of the generator in front.
make_inputs() { # make_inputs BUG NUMBER
    local found=0 seed file
    mkdir -p "in/$1"
    for file in "$ROOT"/corpus/seeds/*.txt; do
        ((found < most / 2)) || break
        [[ ! -e seen/${file##*/} ]] || continue
        shows "$1" "$file" || continue
        cp "$file" "in/$1/$1.$(basename "$file" .txt)"
        : >"seen/${file##*/}"
        found=$((found + 1))
    done
    for ((seed = 1; seed <= 5 * most && found < most; seed++)); do
        "./tool.$1" generate --seed $(($2 * 10000 + seed)) --lines 16 >program
        shows "$1" program || continue
        cp program "in/$1/$1.$seed"
        found=$((found + 1))
    done
    ((found)) || fail "no input shows $1"
    local shown=("in/$1"/*)
    for (( ; seed <= 20 * most && found < most; seed++)); do
        file=${shown[seed % ${#shown[@]}]}
        {
            grep '^world' "$file"
            "./tool.$1" generate --seed $(($2 * 10000 + seed)) --lines 4 | grep -v '^world'
            grep -v '^world' "$file"
        } >program
        shows "$1" program || continue
        cp program "in/$1/$1.$seed"
        found=$((found + 1))
    done
}

# Runs a triage that finds something; the seconds on the clock and of processors are added to the file `took`.
sort_out() { # sort_out TRIAGE-COMMAND...
    local TIMEFORMAT='%R %U %S'
    { time expect 1 "$@"; } 2>>took
}

mkdir tree seen all triage
cp -r "$ROOT"/CMakeLists.txt "$ROOT"/include "$ROOT"/src "$ROOT"/fuzz tree
cmake -S tree -B tree/build -DDXGKMEM_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" \
    -DCMAKE_C_COMPILER="${CC:-cc}" >log 2>&1 || fail "configure: $(tail -n 5 log)"
for i in "${!bugs[@]}"; do
    bug=${bugs[i]}
    build_tool "$bug"
    make_inputs "$bug" "$i"
    sort_out "./tool.$bug" triage -o "triage/$bug" --time 60 "in/$bug"
    prints ': 1 findings; ' # not two groups of one bug
done

# All together: the tool that replays handles is the one whose classes are asked about once more.
judge=handle-check-ignored
{
    head -n 1 "triage/$judge/progress"
    for bug in "${bugs[@]}"; do tail -n +2 "triage/$bug/progress"; done
} >all/progress
sort_out "./tool.$judge" triage -o all in/*
grep -E '^[0-9]+ inputs' out
awk '{ clock += $1; processors += $2 + $3 }
    END { printf "all triages took %.1f s, %.1f s of processors\n", clock, processors; exit processors > 60 }' took ||
    fail 'that is more than a minute'
prints ": ${#bugs[@]} findings; of the inputs 0 are fixed, 0 flaky"
for bug in "${bugs[@]}"; do
    grep -q "in/$bug/" all/findings.json || fail "$bug is in no group"
done
if command -v python3 >/dev/null; then
    python3 - all/findings.json >log 2>&1 <<'PY' || fail "$(cat log)"
import json, sys
for group in json.load(open(sys.argv[1]))["findings"]:
    bugs = sorted({path.split("/")[1] for path in group["inputs"]})
    if len(bugs) != 1:
        sys.exit(f"{group['id']} has inputs of {', '.join(bugs)}")
    if group["count"] != len(group["inputs"]):
        sys.exit(f"{group['id']} counts {group['count']} and names {len(group['inputs'])} inputs")
PY
fi
finish
