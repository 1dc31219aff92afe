# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the scripts that plant bugs share: fields of a patch, and compiling the files it touches with the
# commands of a build. Sourced; the caller sets root, the project's folder, and base, the build's.
: "${root:?}"

field() { sed -n "s/^$1: *//p" "$2" | head -n 1; }

# The fuzz target that is to find it; ORACLE: another one in place of the one that it names.
target_of() {
    case ${ORACLE-$(field oracle "$1")} in
    faults) echo fuzz_faults ;;
    schedule) echo fuzz_schedule ;;
    reads) echo fuzz_reads ;;
    explore) echo dxgkmem_tool ;;
    *) echo fuzz_program ;;
    esac
}

# What threads that take turns are made of is compiled by itself: lines of compile commands, and the library.
of_target() { if [[ $1 == fuzz_schedule ]]; then grep -F dxgkmem_schedule; else grep -vF dxgkmem_schedule; fi; }

# compile TARGET SOURCE TREE OUT: with the command of the build, from another tree.
compile() {
    local command target=$1 base=${base:?}
    shift
    command=$(grep -F '"command": ' "$base"/compile_commands.json | grep -F -- " -c $root/$1\"" | of_target "$target" |
        head -n 1 | sed -E 's/^ *"command": "(.*)",?$/\1/; s/\\"/"/g')
    [[ $command ]] || return 1
    command=${command//"$root/include"/"$2/include"}
    command=${command//"$root/src"/"$2/src"}
    command=${command//"$root/fuzz"/"$2/fuzz"}
    command=$(sed -E "s# -o [^ ]+ # -o $3 #" <<<"$command")
    (cd "$base" && eval "$command")
}

# The sources to compile anew: those the patch names, and for a header all of the folders that see it.
touched() {
    local file
    sed -nE 's#^\+\+\+ (b/)?([^[:space:]]+).*#\2#p' "$1" | while read -r file; do
        case $file in
        include/*) find src/core src/machine/sim src/host/user fuzz/program fuzz/model fuzz/engine -name '*.c' ;;
        *.h) find "$(dirname "$file")" -maxdepth 1 -name '*.c' ;;
        *.c) echo "$file" ;;
        esac
    done | sort -u
}
