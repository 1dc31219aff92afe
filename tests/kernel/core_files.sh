# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What core, sim, program and model are in a kernel's build: the files of the tree, all of them and no
# others; and what core asks of its surroundings: host.h and what the compiler puts in. Sourced by the legs.

core_folders='src/core src/machine/sim fuzz/program fuzz/model'

# same_files BUILT: a file with the paths of the C files that were compiled. The library's own list is the
# tree's: its CMake file takes every file of a folder.
same_files() {
    local folder there here
    for folder in $core_folders; do
        there=$(grep -E "(^|/)$folder/[a-z_0-9]+\.c$" "$1" | sed 's#.*/##' | sort)
        here=$(cd "$folder" && printf '%s\n' *.c | sort)
        [[ $there == "$here" ]] && continue
        printf 'FAIL the files of %s in this build are others than in the tree:\n' "$folder"
        diff <(echo "$here") <(echo "$there") | grep '^[<>]' | sed 's/^/  /'
        return 1
    done
}

# only_host_h NM OBJECTS EXTRA...: undefined in the objects is what host.h declares, and the extra symbols.
only_host_h() {
    local nm=$1 asked defined extra objects
    mapfile -t objects <<<"$2"
    shift 2
    asked=$("$nm" -u "${objects[@]}" | awk '$1 == "U" { print $2 }' | sort -u)
    defined=$("$nm" --defined-only -g "${objects[@]}" | awk 'NF == 3 { print $3 }')
    if [[ ! $asked || ! $defined ]]; then
        echo 'FAIL the objects of core have no symbols'
        return 1
    fi
    extra=$(comm -23 <(echo "$asked") <({
        echo "$defined"
        grep -oE '\bdxgkmem_host_[a-z_]+' include/dxgkmem/host.h
        printf '%s\n' memcpy memset "$@"
    } | sort -u) | tr '\n' ' ')
    [[ ! $extra ]] && return
    printf 'FAIL core asks for more than host.h offers: %s\n' "$extra"
    return 1
}
