#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What the documentation quotes is what the tree says: tables and traces between
#
#   <!-- output of: dxgkmem operations -->  and  <!-- end of output -->
#
# are those of the tool; the client in README.md compiles, and prints what is written there; every
# violation is in the contract; links lead somewhere. `docs_in_step.sh --update` writes the quotes anew.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
cc=${CC:-cc}
update=${1-}
mapfile -t pages < <(cd "$ROOT" && find README.md src fuzz tests corpus -name '*.md' | sort)

# The client is the text between `cat >build/client/client.c <<'C'` and `C`.
build_client() {
    sed -n "/^cat >build\/client\/client\.c <<'C'$/,/^C$/p" "$ROOT/README.md" | sed '1d;$d' >client.c
    [[ -s client.c ]] || fail 'README.md has no client'
    "$cc" -std=c17 -Wall -Wextra -Werror -I"$ROOT/include" client.c "$ROOT"/src/core/*.c "$ROOT"/src/host/user/*.c \
        "$ROOT"/src/machine/sim/*.c -pthread -o client 2>log || fail "the client: $(head -n 3 log)"
}

# produce WHAT: what stands under this heading.
produce() {
    case $1 in
    'dxgkmem '*) (cd "$ROOT" && eval "\"\$DXGKMEM\" ${1#dxgkmem }") ;;
    build/client/build/client) ./client ;;
    'the locks of src/core/core.h') sed -nE '/^ \*   1 pin/,/^ \* *$/s/^ \*   //p' "$ROOT/src/core/core.h" ;;
    *) fail "nobody knows how to produce '$1'" ;;
    esac
}

build_client
quotes=0
for page in "${pages[@]}"; do
    mapfile -t wanted < <(sed -nE 's/^<!-- output of: (.*) -->$/\1/p' "$ROOT/$page" | sort -u)
    rm -rf outputs && mkdir outputs
    for i in "${!wanted[@]}"; do
        produce "${wanted[i]}" >"outputs/$i" 2>err
        [[ -s outputs/$i ]] || fail "$page: ${wanted[i]}: no output: $(cat err)"
        quotes=$((quotes + 1))
    done
    # The page as it should be: fences stay, what is between them is the output.
    awk -v names="$(printf '%s\n' "${wanted[@]}")" '
        BEGIN { count = split(names, name, "\n"); for (i = 1; i <= count; i++) number[name[i]] = i - 1 }
        /^<!-- end of output -->$/ { if (!fenced && inside) put(); inside = fenced = 0 }
        inside && /^```/ { print; if (!fenced) put(); fenced = 1; next }
        inside { next }
        { print }
        /^<!-- output of: .* -->$/ {
            what = $0
            sub(/^<!-- output of: /, "", what)
            sub(/ -->$/, "", what)
            inside = 1
        }
        function put(   line, file) {
            file = "outputs/" number[what]
            while ((getline line <file) > 0) print line
            close(file)
        }' "$ROOT/$page" >new
    if ! cmp -s new "$ROOT/$page"; then
        if [[ $update == --update ]]; then
            cp new "$ROOT/$page"
            echo "$page: updated"
        else
            fail "$page is out of step; 'tests/cli/docs_in_step.sh --update' makes: $(diff "$ROOT/$page" new | head -n 6)"
        fi
    fi
done
((quotes >= 5)) || fail "only $quotes quotes were found"

# Every violation is in the contract.
# shellcheck disable=SC2016
"$DXGKMEM" violations | sed -nE 's/^\| `([a-z_]+)` .*/\1/p' >names
while read -r name; do
    grep -q "\`$name\`" "$ROOT/src/core/CONTRACT.md" || fail "src/core/CONTRACT.md does not say when $name is reported"
done <names

# Links to files.
for page in "${pages[@]}"; do
    while read -r link; do
        [[ -e $ROOT/$(dirname "$page")/$link ]] || fail "$page: no such file: $link"
    done < <(grep -oE '\]\([^)#: ]+' "$ROOT/$page" | cut -c3-)
done
finish
