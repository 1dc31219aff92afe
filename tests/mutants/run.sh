#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Plants each bug of tests/mutants/*.patch and measures how long the fuzzer takes to find it.
# Started by ./dev mutants in the project's folder, when the fuzz preset is built.
#
# A patch begins with two lines of its own:
#   breaks: what no longer holds, in one sentence
#   invariant: the number of the invariant that is broken
#
# and may have a third:
#   oracle: faults         what finds it is fuzz_faults: it takes a fault, or two
#   oracle: schedule       what finds it is fuzz_schedule: it takes more than one thread
#   oracle: reads          what finds it is fuzz_reads: it takes a look at each access of a block
#   oracle: explore        what finds it is the search through all short programs
#
# and with the last of them
#   search: the options of explore (--deviations 0)
#
# and another, for --lengths:
#   shortest: the operations of the shortest program known that shows the bug
#
# The patched files are compiled with the very commands of the engine's preset and linked before its
# libraries, so that a mutant costs a compile of what it touches and two links.
set -u -o pipefail

usage() {
    cat <<'TEXT'
usage: ./dev mutants [OPTION]... [NAME]...
       ./dev mutants --lengths [OPTION]... [NAME]...
       ./dev mutants --kernel [NAME]...
       ./dev mutants --schedules [OPTION]... [NAME]...
       ./dev mutants --mechanical [OPTION]... [FILE]...

Plants each bug of tests/mutants (or those named), fuzzes it from nothing, one
core a bug, and prints what found it, after how many executions and seconds;
beside it the same for plain byte mutation without the model.

  --engine NAME      libfuzzer (the default) or afl
  --seconds N        at most so long for each (60)
  --plain-seconds N  at most so long for plain mutation (10; 0: not at all)
  --jobs N           how many at once (one a core)
  --seed N           the engine's seed (1)
  --with-seeds       begin with the seed corpus
  --clean-seconds N  first fuzz the tree as it is: it must survive (10; 0: not at all)
  --lengths          make what was found small, and compare with the shortest program
                     known; bugs that take a fault, threads or a second look are left out
  --schedules        races and deadlocks by fuzz_schedule and by threads of the system;
                     --schedules --help
  --mechanical       small changes of src/core that a script makes; --mechanical --help
  --kernel           the bugs of tests/mutants/kernel instead: each must be noticed by
                     the test that its patch names

exit status: 0 every bug was found, 1 not every one, 2 a patch that does not apply or build
TEXT
}

root=$PWD
home=build/mutants
. tests/mutants/lib.sh
tool=build/tool/fuzz/dxgkmem

# Sets what depends on the engine, here and in the processes of single mutants.
choose_engine() {
    export ENGINE=$1
    base=build/libfuzzer linker=clang
    if [[ $ENGINE == afl ]]; then
        base=build/afl linker=afl-clang-fast
        export AFL_QUIET=1 AFL_LLVM_INSTRUMENT=LLVM-NATIVE
    fi
}

# -- one mutant: run.sh --one PATCH ---------------------------------------------------------------

link() { # link TARGET OUT OBJECT...
    local target=$1 out=$2 own libraries more=()
    shift 2
    mapfile -t libraries < <(printf '%s\n' $base/fuzz/libdxgkmem_*.a $base/src/libdxgkmem*.a | of_target "$target")
    mapfile -t own < <(find "$base/fuzz/CMakeFiles/$target.dir" -name '*.o')
    [[ $target == fuzz_reads || $target == dxgkmem_tool ]] && more+=(-lcapstone)
    [[ $target == dxgkmem_tool ]] && more+=(-ljansson)
    local driver=fuzzer
    [[ $target == dxgkmem_tool ]] && driver=fuzzer-no-link # it has a main of its own
    "$linker" -fsanitize=address,undefined -fsanitize=$driver ${LINKER:+"$LINKER"} -o "$out" "${own[@]}" "$@" \
        -Wl,--start-group "${libraries[@]}" -Wl,--end-group -pthread "${more[@]}"
}

# fuzz_ENGINE BINARY FOLDER SECONDS: the log of what was found, if anything, is FOLDER/log; sets executions.
fuzz_libfuzzer() {
    local status
    mkdir -p "$2/corpus"
    "$1" -seed="$SEED" -max_total_time="$3" -max_len=512 -timeout=10 -rss_limit_mb=1024 \
        -detect_leaks=0 -print_final_stats=1 -entropic=0 -artifact_prefix="$2/" "$2/corpus" \
        ${SEEDS:+"$SEEDS"} >"$2/log" 2>&1 </dev/null
    status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$2/log" | tail -n 1)
    return $status
}

fuzz_afl() {
    local found
    mkdir -p "$2/seeds"
    printf '\1\0' >"$2/seeds/empty"
    unset DXGKMEM_AFL_WOVEN
    [[ $1 != *fuzz_schedule ]] || export DXGKMEM_AFL_WOVEN=1
    if [[ $1 != *fuzz_plain ]]; then
        export AFL_CUSTOM_MUTATOR_LIBRARY=$root/build/tool/fuzz/dxgkmem_afl.so AFL_CUSTOM_MUTATOR_ONLY=1
    else
        unset AFL_CUSTOM_MUTATOR_LIBRARY AFL_CUSTOM_MUTATOR_ONLY
    fi
    AFL_BENCH_UNTIL_CRASH=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 afl-fuzz -s "$SEED" -V "$3" -t 10000 -G 512 \
        -i "${SEEDS:-$2/seeds}" -o "$2/out" -- "$1" >"$2/afl-log" 2>&1 </dev/null || return
    executions=$(awk '$1 == "execs_done" { print $3 }' "$2/out/default/fuzzer_stats")
    found=$(compgen -G "$2/out/default/crashes/id:*" || compgen -G "$2/out/default/hangs/id:*")
    [[ $found ]] || return 0
    timeout 20 "$1" "$(head -n 1 <<<"$found")" >"$2/log" 2>&1
    return 77
}

# fuzz BINARY FOLDER SECONDS: prints "HOW EXECUTIONS MILLISECONDS"; HOW is - when nothing was found.
fuzz() {
    local folder=$2 how executions begin end
    begin=$(date +%s%N)
    "fuzz_$ENGINE" "$@"
    local status=$?
    end=$(date +%s%N)
    if ((status == 0)); then
        how=-
    else
        how=$(sed -nE 's/^finding: invariant ([0-9]+):.*/\1/p' "$folder/log" | head -n 1)
        [[ $how ]] || how=$(sed -nE 's/^SUMMARY: (Address|UndefinedBehavior)Sanitizer: ([^ ]+).*/\2/p' "$folder/log" | head -n 1)
        [[ $how ]] || how=$(sed -nE 's/^SUMMARY: libFuzzer: (.*)/\1/p' "$folder/log" | head -n 1 | tr ' ' '-')
        if [[ ! $how || $how == deadly-signal ]]; then # an assertion of the implementation or of its host
            grep -qE '^dxgkmem: .*[.][ch]:[0-9]+: ' "$folder/log" && how=assertion
            grep -q '^dxgkmem: .*a lock that is held was taken$' "$folder/log" && how=deadlock
        fi
    fi
    echo "${how:-status-$status} ${executions:-0} $(((end - begin) / 1000000))"
}

# explore BINARY FOLDER SECONDS [SEARCH]: the same for the search through all short programs; there are no
# executions. Where the patch names another search, lines deviate, and there are several times as many programs.
explore() {
    local how=- begin end depth status=0 seconds=$3 search
    read -ra search <<<"${4:---deviations 0}"
    [[ ! $4 ]] || seconds=$((4 * seconds))
    mkdir -p "$2"
    begin=$(date +%s%N)
    for depth in 1 2 3 4 5; do
        timeout "$seconds" "$1" explore "${search[@]}" --jobs 1 --depth $depth >"$2/log" 2>&1 </dev/null
        status=$?
        ((status == 0)) || break
    done
    end=$(date +%s%N)
    if ((status == 1)); then
        how=$(sed -nE 's/^finding: invariant ([0-9]+):.*/\1/p' "$2/log" | head -n 1)
        how=${how:-assertion}
    fi
    echo "$how 0 $(((end - begin) / 1000000))"
}

# small_of WORK TARGET OBJECT...: how many operations what was found has when it is made small; -: nothing was.
small_of() {
    local work=$1 target=$2 found
    shift 2
    found=$(compgen -G "$work/program/crash-*" || compgen -G "$work/program/timeout-*" ||
        compgen -G "$work/program/out/default/crashes/id:*")
    if [[ $target == dxgkmem_tool ]]; then # explore has printed the program
        sed -n '/^world/,/^end of program/{/^end of program/d;p}' "$work/program/log" >"$work/found.txt"
        found=$work/found.txt
    else
        link dxgkmem_tool "$work/dxgkmem_tool" "$@" >>"$work/build.log" 2>&1 || return
    fi
    if [[ $found ]] && "$work/dxgkmem_tool" minimize --lenient --time 60 -o "$work/small.txt" "$(head -n 1 <<<"$found")" \
        >>"$work/build.log" 2>&1; then
        grep -vcE '^(#|world|$)' "$work/small.txt"
    else
        echo -
    fi
}

row_of_lengths() {
    awk '{ printf "%-44s %10s %9s %s\n", $1, $3, $2, $2 == "-" || $3 == "-" ? "" : sprintf("%+d", $3 - $2) }'
}

one() {
    local patch=$1 name tree objects=() source object found plain target small
    target=$(target_of "$patch")
    name=$(basename "$patch" .patch)
    local work=$root/$home/$name
    rm -rf "$work"
    mkdir -p "$work/tree" || return 2
    tree=$work/tree
    cp -r include src fuzz "$tree" || return 2
    if ! patch -d "$tree" -p1 -s --no-backup-if-mismatch <"$patch" >"$work/build.log" 2>&1; then
        echo "$name: the patch does not apply; see $home/$name/build.log" >&2
        echo bad >"$work/result"
        return 2
    fi
    while read -r source; do
        object=$work/$(tr / _ <<<"$source").o
        compile "$target" "$source" "$tree" "$object" >>"$work/build.log" 2>&1 || {
            echo "$name: $source does not compile; see $home/$name/build.log" >&2
            echo bad >"$work/result"
            return 2
        }
        objects+=("$object")
    done < <(touched "$patch")
    if ! { link "$target" "$work/$target" "${objects[@]}" && { [[ $target != fuzz_program ]] ||
        link fuzz_plain "$work/fuzz_plain" "${objects[@]}"; }; } >>"$work/build.log" 2>&1; then
        echo "$name: does not link; see $home/$name/build.log" >&2
        echo bad >"$work/result"
        return 2
    fi
    if [[ $target == dxgkmem_tool ]]; then
        found=$(explore "$work/$target" "$work/program" "$SECONDS_EACH" "$(field search "$patch")")
    else
        found=$(fuzz "$work/$target" "$work/program" "$SECONDS_EACH")
    fi
    if ((LENGTHS)); then
        small=$(small_of "$work" "$target" "${objects[@]}")
        rm -rf "$tree" "$work"/*.o "${work:?}/$target" "$work/dxgkmem_tool"
        echo "$name $(field shortest "$patch" | grep -oE '^[0-9]+' || echo -) $small" >"$work/result"
        row_of_lengths <"$work/result"
        return
    fi
    plain="- 0 0"
    ((SECONDS_PLAIN)) && [[ $target == fuzz_program ]] && plain=$(fuzz "$work/fuzz_plain" "$work/plain" "$SECONDS_PLAIN")
    rm -rf "$tree" "$work"/*.o
    # name, expected invariant, how, executions, ms, how, executions, ms (of plain)
    echo "$name $(field invariant "$patch") $found $plain" >"$work/result"
    row <"$work/result"
}

# One line of the table from one result.
row() {
    awk '{
        found = $3 == "-" ? "NOT FOUND" : ($3 ~ /^[0-9]+$/ ? "invariant " $3 : $3)
        if ($3 ~ /^[0-9]+$/ && $3 != $2) found = found " (not " $2 ")"
        plain = $8 == 0 ? "" : ($6 == "-" ? "not found in " $7 : $6 ", " $7)
        ratio = ($4 > 0 && $7 > 0) ? sprintf("%s%.0f", $6 == "-" ? ">" : "", $7 / $4) : ""
        printf "%-44s %-22s %9d %8.1f   %-34s %s\n", $1, found, $4, $5 / 1000, plain, ratio
    }'
}

if [[ ${1-} == --one ]]; then
    choose_engine "$ENGINE"
    one "$2"
    exit 0
fi

# -- all of them ------------------------------------------------------------------------------------

engine=libfuzzer seconds=60 plain=10 jobs=$(nproc) seed=1 with_seeds=0 clean=10 lengths=0 names=()
while (($#)); do
    case $1 in
    --help | -h)
        usage
        exit 0
        ;;
    --engine)
        engine=${2-}
        [[ $engine =~ ^(libfuzzer|afl)$ ]] || {
            echo "mutants: --engine takes libfuzzer or afl, not '$engine'" >&2
            exit 2
        }
        shift
        ;;
    --seconds | --plain-seconds | --jobs | --seed | --clean-seconds)
        [[ ${2-} =~ ^[0-9]{1,6}$ ]] || {
            echo "mutants: $1 takes a number" >&2
            exit 2
        }
        case $1 in
        --seconds) seconds=$2 ;;
        --plain-seconds) plain=$2 ;;
        --jobs) jobs=$2 ;;
        --seed) seed=$2 ;;
        --clean-seconds) clean=$2 ;;
        esac
        shift
        ;;
    --with-seeds) with_seeds=1 ;;
    --lengths) lengths=1 clean=0 plain=0 ;;
    -*)
        echo "mutants: unknown option '$1'; ./dev mutants --help lists them" >&2
        exit 2
        ;;
    *) names+=("$1") ;;
    esac
    shift
done
choose_engine "$engine"
trap 'exit 130' INT TERM

patches=()
if ((${#names[@]})); then
    for name in "${names[@]}"; do
        patch=tests/mutants/$(basename "$name" .patch).patch
        [[ -e $patch ]] || {
            echo "mutants: there is no $patch" >&2
            exit 2
        }
        patches+=("$patch")
    done
else
    mapfile -t patches < <(compgen -G 'tests/mutants/*.patch' | sort)
    ((${#patches[@]})) || {
        echo "mutants: there are no patches in tests/mutants" >&2
        exit 2
    }
fi
for patch in "${patches[@]}"; do
    [[ $(field breaks "$patch") && $(field invariant "$patch") =~ ^[0-9]+$ ]] || {
        echo "mutants: $patch: needs a line 'breaks: ...' and a line 'invariant: N' before the difference" >&2
        exit 2
    }
done

if ((lengths)); then
    mapfile -t patches < <(grep -LE '^oracle: *(faults|schedule|reads)' "${patches[@]}")
fi

rm -rf $home
mkdir -p $home || exit 2
export SEED=$seed SECONDS_EACH=$seconds SECONDS_PLAIN=$plain SEEDS='' LINKER='' LENGTHS=$lengths
command -v ld.lld >/dev/null && LINKER=-fuse-ld=lld
if ((with_seeds)); then
    "$tool" pack -o $home/seeds corpus/seeds || exit 2
    SEEDS=$home/seeds
fi
clean_targets=(fuzz_program)
((clean)) && grep -qE '^oracle: *schedule' "${patches[@]}" && clean_targets+=(fuzz_schedule)
for target in "${clean_targets[@]}"; do
    ((clean)) || break
    read -r how executions ms < <(fuzz "$base/fuzz/$target" "$home/clean/$target" "$clean")
    [[ $how == - ]] || {
        echo "mutants: the tree as it is has a finding ($target: $how); see $home/clean/$target/log" >&2
        exit 1
    }
    printf 'the tree as it is, %s: nothing found in %d executions, %d s\n' "$target" "$executions" $((ms / 1000))
done

if ((lengths)); then
    printf '%-44s %10s %9s %s\n' "planted bug" "made small" "shortest" "longer by"
    printf '%s\n' "${patches[@]}" | xargs -r -P "$jobs" -n 1 bash tests/mutants/run.sh --one
    cat $home/*/result | awk '
        $1 == "bad" { bad++; next }
        $3 == "-" { lost++; next }
        $2 != "-" { print $3 - $2 }
        END { printf "bad %d lost %d\n", bad, lost }' | sort -n | awk -v all="${#patches[@]}" '
        $1 == "bad" { bad = $2; lost = $4; next }
        { longer[++n] = $1; within += $1 <= 1 }
        END {
            if (n)
                printf "\n%d of %d compared; longer by %g in the median (bar: 1), by %d at most; %d within one operation\n",
                    n, all, (longer[int((n + 1) / 2)] + longer[int(n / 2) + 1]) / 2, longer[n], within
            exit bad ? 2 : lost ? 1 : 0
        }'
    exit
fi

printf '\n%-44s %-22s %9s %8s   %-34s %s\n' "planted bug" "found by" "executions" "seconds" \
    "plain bytes, no model" "times"
printf '%s\n' "${patches[@]}" | xargs -P "$jobs" -n 1 bash tests/mutants/run.sh --one

cat $home/*/result | awk -v all="${#patches[@]}" -v limit="$seconds" '
    $1 == "bad" { bad++; next }
    { n++; ms[n] = $5 }
    $3 != "-" { killed++; if ($3 == $2) expected++; if ($5 > longest) longest = $5 }
    $6 != "-" { plain++ }
    $8 > 0 { compared++; if ($3 != "-" && $7 >= 10 * $4) tenfold++ }
    END {
        for (i = 2; i <= n; i++)
            for (k = i; k > 1 && ms[k] < ms[k - 1]; k--) { t = ms[k]; ms[k] = ms[k - 1]; ms[k - 1] = t }
        median = n % 2 ? ms[(n + 1) / 2] : (ms[n / 2] + ms[n / 2 + 1]) / 2
        printf "\n%d of %d found within %d s (bar: all), %d by the invariant that the patch names\n", killed, all, limit, expected
        printf "median %.1f s (bar: 2), longest %.1f s\n", median / 1000, longest / 1000
        if (compared)
            printf "plain bytes without model: %d found; at least 10 times the executions in %d of %d (bar: all)\n", plain, tenfold, compared
        exit bad ? 2 : killed == all ? 0 : 1
    }'
