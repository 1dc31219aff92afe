#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The pages as a browser lays them out, wide and narrow, light and dark: nothing wider than the
# window, no text over text, enough contrast, every lane and tick there, nothing fetched. With
# PAGES=FOLDER the screenshots are kept there.
# shellcheck source=tests/cli/lib.sh
. "$ROOT/tests/cli/lib.sh"
command -v chromium >/dev/null || {
    echo "skipped: chromium is not installed (Debian: chromium)"
    exit 77
}

# Measures the page and puts what is wrong with it, one line each, into its title.
cat >measure.js <<'JS'
const wrong = [];
const root = document.documentElement;
if (root.scrollWidth > window.innerWidth) wrong.push(`the page is ${root.scrollWidth} px wide`);
if (performance.getEntriesByType("resource").length) wrong.push("something was fetched");
const numbers = (colour) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = (element) => {
  for (; element; element = element.parentElement) {
    const [r, g, b, a] = numbers(getComputedStyle(element).backgroundColor);
    if (a === 255) return [r, g, b];
  }
  return [255, 255, 255];
};
const texts = [...document.querySelectorAll("h1,h2,h3,p,a,li,pre,code,span,th,td,svg text")].filter((e) =>
  [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()));
for (const element of texts) {
  const style = getComputedStyle(element);
  const ink = numbers(element.ownerSVGElement ? style.fill : style.color);
  const pair = [light(ink.slice(0, 3)), light(paper(element))].sort((a, b) => b - a);
  const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)} of '${element.textContent.slice(0, 30)}'`);
}
for (const svg of document.querySelectorAll("svg")) {
  const boxes = [...svg.querySelectorAll("text")].map((e) => [e, e.getBoundingClientRect()]);
  for (let i = 0; i < boxes.length; i++)
    for (let k = i + 1; k < boxes.length; k++) {
      const [a, b] = [boxes[i][1], boxes[k][1]];
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
        wrong.push(`'${boxes[i][0].firstChild.data}' lies over '${boxes[k][0].firstChild.data}'`);
    }
  for (const [e, box] of boxes)
    if (box.right > svg.getBoundingClientRect().right + 1) wrong.push(`'${e.firstChild.data}' is cut off`);
}
document.title = `dark=${matchMedia("(prefers-color-scheme: dark)").matches} ` +
  `lanes=${document.querySelectorAll("text.lane").length} ` +
  `columns=${document.querySelectorAll("svg a").length} rows=${document.querySelectorAll("ol.program li").length} ` +
  `wrong=${wrong.length}: ${wrong.slice(0, 5).join("; ")}`;
JS

browser() {
    rm -rf profile
    timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
        --user-data-dir="$work/profile" "$@" 2>browser.err
}

# look NAME LANES LINES: the page NAME.html in all four ways.
look() {
    local name=$1 lanes=$2 lines=$3 width scheme title
    grep -qE '<script|https?://|url\(|@import' "$name.html" && fail "$name: it asks for something outside"
    { cat "$name.html" && printf '<script>' && cat measure.js && printf '</script>'; } >measured.html
    for width in 1280 400; do
        for scheme in 0 1; do # of --blink-settings: 0 is dark
            browser --window-size=$width,1000 --blink-settings=preferredColorScheme=$scheme \
                --dump-dom "file://$work/measured.html" >dom
            title=$(grep -oE '<title>dark=[^<]*' dom | head -n 1)
            [[ $title == *"dark=$([[ $scheme == 0 ]] && echo true || echo false) "* ]] || fail "$name $width $scheme: $title"
            [[ $title == *" wrong=0: "* ]] || fail "$name, $width px, scheme $scheme: $title"
            [[ $lanes == - || $title == *" lanes=$lanes columns=$lines rows=$lines "* ]] ||
                fail "$name: not $lanes lanes and $lines lines: $title"
            [[ -z ${PAGES-} ]] || browser --window-size=$width,1400 --blink-settings=preferredColorScheme=$scheme \
                --screenshot="$PAGES/$name-$width-$scheme.png" "file://$work/$name.html"
        done
    done
}

# Things that were made: two by a create with an adapter, one by each other call that makes something.
things() {
    "$DXGKMEM" run --trace "$1" | awk '/-> STATUS_SUCCESS/ && $2 ~ /^(add|open|map|adl|pin)$/ { n++ }
        /-> STATUS_SUCCESS/ && $2 == "create" { n += /adapter=null/ ? 1 : 2 } END { print n }'
}

for name in violation-close_after_destroy driver-use-after-free driver-linked-4 adls-many; do
    file=$ROOT/corpus/seeds/$name.txt
    expect 0 "$DXGKMEM" show --html -o "$name.html" "$file"
    look "$name" "$(things "$file")" "$("$DXGKMEM" run --trace "$file" | grep -c ' -> ')"
done
expect 0 "$DXGKMEM" matrix --html -o matrix.html "$ROOT/corpus/seeds"
look matrix - -
(($(grep -o 'class="cell' matrix.html | wc -l) == $("$DXGKMEM" matrix "$ROOT/corpus/seeds" | sed -nE 's/^[0-9]+ of ([0-9]+) .*/\1/p'))) ||
    fail "the heat map has another number of cells than the matrix"

# A campaign: one line a chart, from the first sample to the last; only the charts of what was counted.
heading=seconds,executions,corpus,cells,cells_feasible,edges,findings
{
    echo $heading
    awk 'BEGIN { for (s = 0; s <= 600; s += 1 + int(s / 50))
        print s "," 9000 * s "," 228 + int(40 * log(s + 1)) "," 480 + int(s / 60) ",490," 1100 + int(30 * log(s + 1)) "," int(s / 250) }'
} >campaign.csv
expect 0 "$DXGKMEM" matrix --html --campaign campaign.csv -o campaign.html "$ROOT/corpus/seeds"
look campaign - -
(($(grep -c '<polyline class="course"' campaign.html) == 4)) || fail "not four charts"
samples=$(($(wc -l <campaign.csv) - 1))
[[ $(grep -oE 'points="[^"]*"' campaign.html | awk '{ print NF }' | sort -u) == "$samples" ]] || fail "not $samples points a line"
(($(grep -oE 'points="0,166 [^"]* 1000,6"' campaign.html | wc -l) == 4)) || fail "a line does not go from corner to corner"
IFS=, read -r seconds executions _ _ _ _ findings < <(tail -n 1 campaign.csv)
grep -q "$executions executions in $seconds s: $findings findings" campaign.html || fail "the counts are not those of the last sample"
(($(grep -c 'class="heat"' campaign.html) == 1)) || fail "a campaign with programs has no heat map"
printf '%s\n0,0,0,0,0,0,0\n' $heading >campaign.csv
expect 0 "$DXGKMEM" matrix --html --campaign campaign.csv -o campaign-short.html
(($(grep -c '<polyline class="course"' campaign-short.html) == 3)) || fail "cells that are not counted have a chart"

# The report of a triage. What finds is a target of our own, so that there is something to find.
cat >target <<'SH'
#!/bin/sh
say() { printf 'finding: invariant %s: x\n  %s\n  operation %s: x\n' "$@" >&2; kill -ABRT $$; }
text=$("$DXGKMEM" show --lenient "$1")
case $text in
*wddm=2.0*) say 17 'open a1 o0 d1: <b>"no"</b> & a word that is longer than a narrow window is wide: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' 2 ;;
*link=*) say 13 'a linked adapter' 2 ;;
*unpin*) say 5 'what was unpinned is still reached' 3 ;;
esac
SH
chmod +x target
expect 1 env DXGKMEM="$DXGKMEM" "$DXGKMEM" triage -o found --time 20 --binary ./target "$ROOT"/corpus/seeds/*linked* \
    "$ROOT"/corpus/seeds/*wddm* "$ROOT"/corpus/seeds/*unpin*
prints 'report: found/report.html'
groups=$(sed -nE 's/^[0-9]+ inputs: ([0-9]+) findings.*/\1/p' out)
((groups == 3)) || fail "$groups findings, not 3"
cp found/report.html report.html
look report - -
(($(grep -c '<section class="one"' report.html) == groups)) || fail "not a section for each finding"
while read -r link; do
    [[ -s found/$link ]] || fail "the report links to $link, which is not there"
done < <(grep -oE 'href="[^#"]+' report.html | sed 's/href="//' | grep -v '^data:')

# A page that is too wide, has text over text and ink like its paper is noticed.
sed 's/<h1>/<h1 style="width:2000px;color:var(--paper)">/; s/ y="17">end</ y="17">endless endless</' \
    driver-linked-4.html >spoiled.html
{ cat spoiled.html && printf '<script>' && cat measure.js && printf '</script>'; } >measured.html
browser --window-size=1280,1000 --dump-dom "file://$work/measured.html" >dom
for what in 'px wide' 'contrast 1.00' 'lies over'; do
    grep -oE '<title>dark=[^<]*' dom | head -n 1 | grep -q "$what" || fail "not noticed: $what: $(grep -o '<title>[^<]*' dom | head -n 1)"
done

# Bad input.
expect 2 "$DXGKMEM" show --html
one_line 'no file is named'
expect 2 "$DXGKMEM" show -o x "$ROOT/corpus/seeds/driver-ring.txt"
one_line '-o goes with --html'
expect 2 "$DXGKMEM" matrix --campaign campaign.csv
one_line '--campaign goes with --html'
expect 2 "$DXGKMEM" matrix --html --campaign missing.csv
one_line 'missing.csv: cannot be read'
printf 'seconds\n' >bad.csv
expect 2 "$DXGKMEM" matrix --html --campaign bad.csv
one_line 'bad.csv:1: does not begin with'
printf '%s\n0,0,0,0,0,0,0\n1,2,3,4,5,6\n' $heading >bad.csv
expect 2 "$DXGKMEM" matrix --html --campaign bad.csv
one_line 'bad.csv:3: a sample is 7 numbers'
printf '%s\n2,0,0,0,0,0,0\n1,0,0,0,0,0,0\n' $heading >bad.csv
expect 2 "$DXGKMEM" matrix --html --campaign bad.csv
one_line 'bad.csv:3: the time goes back'
expect 2 "$DXGKMEM" show --html -o "$work/nowhere/x.html" "$ROOT/corpus/seeds/driver-ring.txt"
one_line 'cannot be written'
finish
