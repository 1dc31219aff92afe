#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Plants each bug of tests/mutants/kernel, one that only a kernel's half can have, and shows that the leg its
# patch names notices. Started by ./dev mutants --kernel in the project's folder, after the builds.
#
#   run.sh [NAME]...
#
# A patch begins with two lines of its own:
#   breaks: what no longer holds, in one sentence
#   leg: who notices: nt-replay or nt-misuse (src/driver/nt/wine.sh); linux-replay or linux-misuse
#        (tests/kernel/linux/guest.sh); linux-user or linux-stress
#        (tests/kernel/linux/test.sh); dma (tests/kernel/dma.sh); sanitized-PART, a part of
#        tests/kernel/sanitized.sh; or a preset and a test, as in asan/unit_test_nt_driver
#
# It works in a copy of the tree below build, which it patches, builds and mends again. Exit status 0:
# every bug was noticed, 1 not every one, 2 a patch that does not apply or build.
set -u -o pipefail

root=$PWD
patches=$root/tests/mutants/kernel
tree=$root/build/mutants-kernel
tool=$root/build/tool/fuzz/dxgkmem
log=$tree/build/log

say() { printf 'mutants: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 2
}

field() { sed -n "s/^$1: *//p" "$2" | head -n 1; }

# The sources anew, the builds of last time as they are: an unchanged file keeps its time.
copy_tree() {
    mkdir -p "$tree/build/nt" || die "$tree cannot be made"
    local part
    for part in CMakeLists.txt CMakePresets.json include src fuzz tests corpus; do
        cp -ru "$root/$part" "$tree" || die "$part cannot be copied"
        diff -rq "$root/$part" "$tree/$part" >/dev/null || {
            rm -rf "${tree:?}/$part"
            cp -r "$root/$part" "$tree"
        }
    done
    # The prefix is large, and slow to make.
    ln -sfn "$root/build/nt/wine" "$tree/build/nt/wine"
    ln -sfn "$root/build/nt/wine.lock" "$tree/build/nt/wine.lock"
    # So is the stock kernel; without it the tree fetches its own.
    mkdir -p "$tree/build/kernel"
    [[ ! -e $root/build/kernel/root/ready ]] || ln -sfn "$root/build/kernel/root" "$tree/build/kernel/root"
}

build() { # build PRESET TARGET...
    local preset=$1
    shift
    [[ -e build/$preset/build.ninja ]] || cmake --preset "$preset" >"$log" 2>&1 || return 1
    cmake --build "build/$preset" ${1:+--target "$@"} >"$log" 2>&1
}

build_leg() {
    case $1 in
    nt-*) build nt ;;
    linux-* | dma | sanitized-*) true ;; # by the leg itself
    */*) build "${1%%/*}" "${1#*/}" ;;
    *) false ;;
    esac
}

# The leg itself, in the tree. What it says goes to stdout.
run_leg() {
    case $1 in
    nt-replay) DXGKMEM=$tool bash src/driver/nt/wine.sh replay --golden corpus/golden.txt corpus/seeds corpus/regressions ;;
    nt-misuse) DXGKMEM=$tool bash src/driver/nt/wine.sh misuse ;;
    # A guest that hangs is not waited for as long as elsewhere.
    linux-replay) GUEST_PATIENCE=40 DXGKMEM=$tool bash tests/kernel/linux/guest.sh replay --golden corpus/golden.txt corpus/seeds corpus/regressions ;;
    linux-misuse) GUEST_PATIENCE=40 DXGKMEM=$tool bash tests/kernel/linux/guest.sh misuse ;;
    linux-user | linux-stress) GUEST_PATIENCE=40 bash tests/kernel/linux/test.sh "${1#linux-}" ;;
    dma) bash tests/kernel/dma.sh ;;
    sanitized-*) DXGKMEM=$tool bash tests/kernel/sanitized.sh "${1#sanitized-}" ;;
    */*) setarch "$(uname -m)" -R "build/${1%%/*}/tests/${1#*/}" ;;
    esac 2>&1
}

# The line that tells most.
gist() {
    grep -avE '^FAIL [a-z-]+$' | grep -aE '^finding:|test: FAIL|circular locking|BUG: |bug check|fake kernel:|(Address|Thread)Sanitizer:|^FAIL|error: Failure|: trace |  FAILED ' | head -n 1 |
        sed -E 's/^ +//; s/^.*(ERROR: AddressSanitizer|WARNING: ThreadSanitizer)/\1/; s/^\[   LINE   \] --- .*\/tests/tests/' | cut -c1-110
}

# The tree as it is must pass, or nothing is shown by failing.
clean() {
    local leg
    for leg in "$@"; do
        build_leg "$leg" || die "$leg does not build; see $log"
        run_leg "$leg" >"$tree/build/output" || {
            cat "$tree/build/output" >&2
            die "$leg fails without a planted bug"
        }
    done
}

one() {
    local patch=$1 name leg status
    name=$(basename "$patch" .patch)
    leg=$(field leg "$patch")
    if ! patch -p1 -s --no-backup-if-mismatch <"$patch" >"$log" 2>&1; then
        say "$name: does not apply; see $log"
        return 2
    fi
    if build_leg "$leg"; then
        run_leg "$leg" >"$tree/build/output"
        status=$?
        if ((status == 0)); then
            printf '%-34s %-28s NOT NOTICED\n' "$name" "$leg"
            status=1
        else
            printf '%-34s %-28s %s\n' "$name" "$leg" "$(gist <"$tree/build/output")"
            status=0
        fi
    else
        say "$name: does not build; see $log"
        status=2
    fi
    patch -R -p1 -s --no-backup-if-mismatch <"$patch" >/dev/null || die "$name: cannot be taken out again"
    return $status
}

files=()
for name in "$@"; do
    [[ -e $patches/$name.patch ]] || die "there is no planted bug '$name' in tests/mutants/kernel"
    files+=("$patches/$name.patch")
done
((${#files[@]})) || files=("$patches"/*.patch)

copy_tree
cd "$tree" || exit 2
mapfile -t legs < <(for file in "${files[@]}"; do field leg "$file"; done | sort -u)
clean "${legs[@]}"
noticed=0 worst=0
for file in "${files[@]}"; do
    one "$file"
    status=$?
    ((status == 0)) && noticed=$((noticed + 1))
    ((status > worst)) && worst=$status
done
printf '%d of %d planted bugs noticed\n' "$noticed" "${#files[@]}"
exit "$worst"
