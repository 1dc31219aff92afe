# SPDX-License-Identifier: MIT
"""
Counts what ran, part by part, from llvm-cov's exports, and judges core: by the figures that are recorded in the
tree, and by the calls of the host that can fail. Started by run.sh.

A header's function is compiled into many sources, and core a second time for threads that take turns: a line or a
branch counts as reached when any of its copies reached it.
"""
import argparse
import json
import os
import re
import sys

PARTS = {"core": "src/core", "program": "fuzz/program", "model": "fuzz/model", "engine": "fuzz/engine"}
KINDS = ("lines", "branches", "mcdc")
TITLES = {"lines": "lines", "branches": "branches", "mcdc": "MC/DC"}
FIGURE = re.compile(r"\d+(\.\d+)?")
HOST = "include/dxgkmem/host.h"


class Part:
    """place -> whether it was reached; a place is a text that people find again."""

    def __init__(self):
        self.lines, self.branches, self.mcdc = {}, {}, {}

    def count(self, kind):
        places = getattr(self, kind)
        return sum(places.values()), len(places)

    def percent(self, kind):
        reached, there = self.count(kind)
        return 100.0 if there == 0 else 100 * reached / there


def part_of(path, root):
    path = os.path.relpath(path, root)
    return next((name for name, folder in PARTS.items() if path.startswith(folder + "/")), None), path


def read_lines(parts, lcov, root):
    places = path = None
    for line in open(lcov, encoding="utf-8"):
        if line.startswith("SF:"):
            name, path = part_of(line[3:].strip(), root)
            places = parts[name].lines if name else None
        elif line.startswith("DA:") and places is not None:
            number, runs = line[3:].split(",")[:2]
            place = f"{path}:{number}"
            places[place] = places.get(place, False) or int(runs) > 0


def functions(export):
    with open(export, encoding="utf-8") as file:
        return json.load(file)["data"][0]["functions"]


def short(name):
    return name.rsplit(":", 1)[-1]


def branches_of(export, root):
    """(part, path, line, column, end line, end column, function) -> [times true, times false], over all copies."""
    found = {}
    for function in functions(export):
        for line, column, end_line, end_column, true, false, file, *_ in function.get("branches", []):
            part, path = part_of(function["filenames"][file], root)
            if part:
                counts = found.setdefault((part, path, line, column, end_line, end_column, short(function["name"])), [0, 0])
                counts[0] += true
                counts[1] += false
    return found


def read_branches(parts, export, root):
    for (part, path, line, column, *_, function), counts in branches_of(export, root).items():
        for taken, name in zip(counts, ("true", "false")):
            place = f"{path}:{line}:{column} in {function}: never {name}"
            # A constant has no other side.
            parts[part].branches[place] = parts[part].branches.get(place, False) or taken > 0


def read_conditions(parts, export, root):
    for function in functions(export):
        for line, column, _, _, file, *_, conditions in function.get("mcdc_records", []):
            part, path = part_of(function["filenames"][file], root)
            if not part:
                continue
            for number, covered in enumerate(conditions, 1):
                place = f"{path}:{line}:{column} in {short(function['name'])}: condition {number} decides nothing by itself"
                parts[part].mcdc[place] = parts[part].mcdc.get(place, False) or covered


# -- calls of the host that can fail -----------------------------------------------------------------


def fallible(root):
    """The machine's functions that return a status, the host's and core's that return memory or nothing."""
    with open(f"{root}/{HOST}", encoding="utf-8") as file:
        of_machine = re.findall(r"^\s+NTSTATUS \(\*(\w+)\)", file.read(), re.M)
    return re.compile(r"(?:ops->(" + "|".join(of_machine) + r")|\b(dxgkmem_host_alloc|pool_alloc))\s*\(")


def sites(root):
    """(path, line, what is called): each call in core of something that can fail."""
    pattern = fallible(root)
    for name in sorted(os.listdir(f"{root}/{PARTS['core']}")):
        if not name.endswith(".c"):
            continue
        with open(f"{root}/{PARTS['core']}/{name}", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                call = pattern.search(line)
                if call and line.startswith(" "):  # not a definition
                    yield f"{PARTS['core']}/{name}", number, call[1] or call[2]


def condition(texts, key):
    """What is tested at a branch, as far as it stands in one line. Of macros only where they begin is known."""
    text, depth = texts[key[1]][key[2] - 1][key[3] - 1:], 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0 or depth == 0 and (character in "?;" or text[at:at + 2] in ("&&", "||")):
            return text[:at].strip()
    return text.strip()


def judge_failures(build, root, told):
    """Counts the calls that can fail and the tests of a status; those that never went wrong. told: prints each call."""
    counted = branches_of(f"{build}/faults.json", root)
    in_core = sorted((key, counts) for key, counts in counted.items() if key[0] == "core")
    missing, there, statuses, texts = [], 0, 0, {}
    for path in {key[1] for key, _ in in_core}:
        with open(f"{root}/{path}", encoding="utf-8") as file:
            texts[path] = file.read().split("\n")
    if told:
        print("\neach call in core that can fail, what tests its outcome, how often that was true and false")
    for path, line, called in sites(root):
        there += 1
        # What judges the outcome is the first branch that follows.
        after = next(((key, counts) for key, counts in in_core if key[1] == path and key[2] >= line), None)
        if after is None or 0 in after[1]:
            missing.append(f"{path}:{line}: {called}: the tests with failing calls never saw it "
                           + ("at all" if after is None or after[1] == [0, 0] else "fail and succeed"))
        if told and after is not None:
            print(f"{f'{path}:{line}':<30}{called:<16}{condition(texts, after[0]):<46}{after[1][0]:>12}{after[1][1]:>12}")
    for (_, path, line, column, end_line, end_column, function), counts in in_core:
        text = texts[path][line - 1]
        if "NT_SUCCESS" not in text[column - 1:end_column if end_line == line else None]:
            continue
        statuses += 1
        if 0 in counts:
            never = "true" if counts[0] == 0 else "false"
            missing.append(f"{path}:{line}: {function}: the test of the status was never {never}")
    print(f"\ncalls in core that can fail: {there}; tests of a status: {statuses}; not seen both ways by the tests with "
          f"failing calls: {len(missing)}")
    return missing


# -- what is recorded -----------------------------------------------------------------------------------


def recorded_figures(path):
    figures = {}
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.startswith("#") or not line.strip():
            continue
        words = line.split()
        if len(words) != 3 or words[0] not in PARTS or words[1] not in KINDS or not FIGURE.fullmatch(words[2]):
            print(f"coverage: {path}:{number}: expected a part, a kind and a figure", file=sys.stderr)
            sys.exit(2)
        figures[words[0], words[1]] = float(words[2])
    return figures


def record(path, core):
    kept = [line for line in open(path, encoding="utf-8") if line.startswith("#")]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(kept)
        for kind in KINDS:
            # Cut off, not rounded: the figure itself must pass.
            file.write(f"core {kind} {int(core.percent(kind) * 100) / 100:.2f}\n")


def table(parts):
    print(f"{'part':<10}" + "".join(f"{TITLES[kind]:>26}" for kind in KINDS))
    for name, part in parts.items():
        row = f"{name:<10}"
        for kind in KINDS:
            reached, there = part.count(kind)
            row += f"{f'{reached} of {there}':>17}{part.percent(kind):>7.2f} %"
        print(row)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("recorded")
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--sites", action="store_true")
    chosen = parser.parse_args()
    root, parts = os.getcwd(), {name: Part() for name in PARTS}
    read_lines(parts, f"{chosen.build}/lcov.info", root)
    read_branches(parts, f"{chosen.build}/all.json", root)
    read_conditions(parts, f"{chosen.build}/all.json", root)
    table(parts)
    missing = judge_failures(chosen.build, root, chosen.sites)
    fallen = [(name, kind, figure) for (name, kind), figure in recorded_figures(chosen.recorded).items()
              if parts[name].percent(kind) < figure]
    for name, kind, figure in fallen:
        missing.append(f"{name}: {TITLES[kind]} fell to {parts[name].percent(kind):.2f} %, recorded are {figure:.2f} %")
    failed = bool(missing)
    if chosen.record and not failed:
        record(chosen.recorded, parts["core"])
    told = PARTS if chosen.text else {name for name, _, _ in fallen}
    for name in told:
        for kind in KINDS:
            missing += [f"{place}" for place, reached in sorted(getattr(parts[name], kind).items()) if not reached]
    for place in missing:
        print(place)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
