# SPDX-License-Identifier: MIT
"""
Mechanical mutation of src/core: makes every small change that mutations.py knows of, and counts what is
noticed. Started by ./dev mutants --mechanical when the presets gcc and fuzz are built.

Results are kept in build/mechanical/results.jsonl: an interrupted run goes on where it was. They belong to the
text of the changed file and of core's headers.
"""
import argparse
import concurrent.futures
import hashlib
import json
import math
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from build import CORE, Builder, BuildFailed  # noqa: E402
from mutations import mutations_of  # noqa: E402
from oracles import Oracles  # noqa: E402

HOME = "build/mechanical"
EQUIVALENT = "tests/mutants/mechanical/equivalent.txt"
BAR = 0.95
FLAGS = ["-std=c17", "-ffreestanding", "-Iinclude", "-I."]


def usage_error(text):
    print(f"mutants: {text}", file=sys.stderr)
    sys.exit(2)


def count(text):
    if not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"takes a number, not '{text}'")
    return int(text)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        usage_error(message)


def options():
    parser = Parser(prog="./dev mutants --mechanical", description=__doc__.split("\n\n")[0].strip())
    parser.add_argument("files", nargs="*", metavar="FILE", help="files of src/core; all of them unless given")
    parser.add_argument("--jobs", type=count, default=1, help="how many mutants at once (1)")
    parser.add_argument("--sample", type=count, default=0, help="only so many, of each file its share")
    parser.add_argument("--seed", type=count, default=1, help="of the sample, of the order and of fuzzing (1)")
    parser.add_argument("--fuzz-seconds", type=count, default=5, help="for each of three targets; 0: no fuzzing (5)")
    parser.add_argument("--quick", action="store_true", help="only corpus, claims and unit tests")
    parser.add_argument("--again", action="store_true", help="try again what was unnoticed so far: there are new tests")
    parser.add_argument("--list", action="store_true", help="print every mutant's name and do nothing")
    parser.add_argument("--report", action="store_true", help="only the score of earlier runs")
    return parser.parse_args()


# -- what there is -----------------------------------------------------------------------------------


def chosen_files(names):
    there = sorted(n for n in os.listdir(CORE) if n.endswith((".c", ".h")))
    for name in names:
        if os.path.basename(name) not in there:
            usage_error(f"there is no {CORE}/{os.path.basename(name)}")
    return [n for n in there if not names or n in [os.path.basename(x) for x in names]]


def digests():
    """Of each file with core's headers: what a result depends on."""
    texts = {}
    for name in sorted(os.listdir(CORE)):
        if name.endswith((".c", ".h")):
            with open(f"{CORE}/{name}", "rb") as file:
                texts[name] = file.read()
    headers = b"".join(text for name, text in sorted(texts.items()) if name.endswith(".h"))
    return {name: hashlib.sha256(headers + (text if name.endswith(".c") else b"")).hexdigest()[:16]
            for name, text in texts.items()}


def all_mutations(names, root):
    found = []
    for name in names:
        found += mutations_of(f"{CORE}/{name}", root, "clang", FLAGS)
    return found


def sample(mutations, wanted, seed):
    """Of each file its share, drawn at random; then all in a random order, so that an interrupted run is a sample, too."""
    dice = random.Random(seed)
    by_file = {}
    for mutation in mutations:
        by_file.setdefault(mutation.file, []).append(mutation)
    drawn = []
    for name, those in sorted(by_file.items()):
        share = len(those) if not wanted else min(len(those), math.ceil(wanted * len(those) / len(mutations)))
        drawn += dice.sample(those, share)
    dice.shuffle(drawn)
    return drawn


def listed_equivalents():
    """Key to reason. A reason is indented and belongs to every key above it since the last reason."""
    listed, waiting = {}, []
    if not os.path.exists(EQUIVALENT):
        return listed
    with open(EQUIVALENT, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith(" "):
                waiting.append(line)
            elif not waiting and not listed:
                usage_error(f"{EQUIVALENT}:{number}: a reason without a mutant")
            else:
                for key in waiting:
                    listed[key] = line.strip()
                waiting = []
    if waiting:
        usage_error(f"{EQUIVALENT}: no reason for '{waiting[0]}'")
    return listed


# -- results -----------------------------------------------------------------------------------------


class Results:
    def __init__(self):
        self.path = f"{HOME}/results.jsonl"
        self.digest = digests()
        self.of = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                for line in file:
                    try:
                        entry = json.loads(line)
                    except ValueError:
                        continue  # cut off by an interrupt
                    self.of[entry["key"]] = entry

    def known(self, mutation):
        entry = self.of.get(mutation.key)
        return entry if entry and entry["digest"] == self.digest[os.path.basename(mutation.file)] else None

    def add(self, mutation, how, by):
        entry = {"key": mutation.key, "digest": self.digest[os.path.basename(mutation.file)], "how": how, "by": by}
        self.of[mutation.key] = entry
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def survived(results, mutation):
    entry = results.known(mutation)
    return bool(entry) and entry["how"] == "survived"


def never_ran():
    """(file, line) that no test reaches, when ./dev coverage ran."""
    lines, name = set(), ""
    if os.path.exists("build/coverage/lcov.info"):
        with open("build/coverage/lcov.info", encoding="utf-8") as file:
            for line in file:
                if line.startswith("SF:"):
                    name = os.path.basename(line[3:].strip())
                elif line.startswith("DA:") and line.strip().endswith(",0"):
                    lines.add((name, int(line[3:].split(",")[0])))
    return lines


def tally(mutations, results, listed):
    """(mutation, how, by) of each that has a result."""
    unreached = never_ran()
    for mutation in mutations:
        entry = results.known(mutation)
        if mutation.key in listed:
            yield mutation, "equivalent", "listed"
        elif entry:
            how, by = entry["how"], entry["by"]
            if how == "survived":
                how = "unnoticed"  # by what it was tried with so far
            if how == "unnoticed" and (os.path.basename(mutation.file), mutation.line) in unreached:
                how = "unreached"
            yield mutation, how, by


def interval(good, all_of_them):
    """Wilson's interval at 95 %."""
    if all_of_them == 0:
        return 0.0, 1.0
    z, share = 1.96, good / all_of_them
    middle = share + z * z / (2 * all_of_them)
    reach = z * math.sqrt(share * (1 - share) / all_of_them + z * z / (4 * all_of_them**2))
    return (middle - reach) / (1 + z * z / all_of_them), (middle + reach) / (1 + z * z / all_of_them)


def report(mutations, population, results, listed):
    """Prints the score; whether it meets the bar."""
    rows, by_oracle, unnoticed = {}, {}, []
    for mutation, how, by in tally(mutations, results, listed):
        row = rows.setdefault(os.path.basename(mutation.file), {})
        row[how] = row.get(how, 0) + 1
        if how == "equivalent":
            row[by] = row.get(by, 0) + 1
        if how == "killed":
            group = by.split("_")[0] if by.startswith(("claims", "unit")) else by
            by_oracle[group] = by_oracle.get(group, 0) + 1
        elif how in ("unnoticed", "unreached"):
            unnoticed.append(mutation)
    columns = ("killed", "compiled", "listed", "unreached", "unnoticed")
    print(f"\n{'file':<18}{'tried':>7}{'killed':>8}{'same code':>11}{'equivalent':>12}{'unreached':>11}{'unnoticed':>11}{'score':>9}")
    total = dict.fromkeys((*columns, "tried"), 0)
    for name, row in sorted(rows.items()) + [("all", total)]:
        if row is not total:
            row["tried"] = sum(row.get(k, 0) for k in ("killed", "equivalent", "unreached", "unnoticed"))
            for key in total:
                total[key] += row.get(key, 0)
        judged = row.get("killed", 0) + row.get("unreached", 0) + row.get("unnoticed", 0)
        score = f"{100 * row.get('killed', 0) / judged:.1f} %" if judged else "-"
        print(f"{name:<18}{row['tried']:>7}{row.get('killed', 0):>8}{row.get('compiled', 0):>11}{row.get('listed', 0):>12}"
              f"{row.get('unreached', 0):>11}{row.get('unnoticed', 0):>11}{score:>9}")
    print("\nkilled by: " + ", ".join(f"{n} {c}" for n, c in sorted(by_oracle.items(), key=lambda x: -x[1])))
    judged = total["killed"] + total["unreached"] + total["unnoticed"]
    if judged == 0:
        return True
    score = total["killed"] / judged
    line = f"score: {100 * score:.1f} % of {judged} that are not equivalent (bar: {100 * BAR:.0f} %)"
    if total["tried"] < population:
        low, high = interval(total["killed"], judged)
        line += f"; a sample, {total['tried']} of {population}: 95 % confidence {100 * low:.1f} to {100 * high:.1f} %"
    print(line)
    with open(f"{HOME}/unnoticed.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{m.key}\n" for m in sorted(unnoticed, key=lambda m: (m.file, m.begin)))
    if unnoticed:
        print(f"unnoticed and unreached ones: {HOME}/unnoticed.txt")
    return score >= BAR


# -- the campaign ------------------------------------------------------------------------------------


class Campaign:
    def __init__(self, oracles, builder, results, jobs):
        self.oracles, self.results = oracles, results
        self.folders, self.lock, self.stopped = queue.Queue(), threading.Lock(), False
        self.counts, self.begun, self.told = {}, 0.0, 0.0
        for job in range(jobs):
            folder = f"{builder.home}/job.{job}"
            builder.fill(folder)
            self.folders.put(folder)

    def one(self, mutation, thorough):
        if self.stopped:
            return
        folder = self.folders.get()
        try:
            how, by = self.oracles.judge(mutation, folder, thorough)
        finally:
            self.folders.put(folder)
        if self.stopped:
            return
        with self.lock:
            self.results.add(mutation, how, by.split("\n")[0] if how == "invalid" else by)
            self.counts[how] = self.counts.get(how, 0) + 1

    def progress(self, todo, thorough):
        done = sum(self.counts.values())
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if done == 0 or (not terminal and now - self.told < 30 and done < todo):
            return
        self.told = now
        left = int((now - self.begun) / done * (todo - done))
        text = f"{'all oracles' if thorough else 'corpus and tests'}: {done}/{todo} mutants, " \
               f"{self.counts.get('killed', 0)} killed, {left // 60} min left"
        print(f"\r{text}   " if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    def run(self, mutations, thorough, jobs):
        self.counts, self.begun = {}, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            waiting = {pool.submit(self.one, m, thorough) for m in mutations}
            try:
                while waiting:
                    done, waiting = concurrent.futures.wait(waiting, 1, concurrent.futures.FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    self.progress(len(mutations), thorough)
            except BaseException:
                self.stopped = True
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        if sys.stderr.isatty():
            print(file=sys.stderr)


def main():
    chosen = options()
    root = os.getcwd()
    os.makedirs(HOME, exist_ok=True)
    population = all_mutations(chosen_files(chosen.files), root)
    if chosen.list:
        for mutation in population:
            print(mutation.key)
        return 0
    listed, results = listed_equivalents(), Results()
    names = {m.key for m in population}
    gone = [k for k in listed if k not in names] if not chosen.files else []
    for key in gone:
        print(f"mutants: {EQUIVALENT}: there is no such mutant any more: {key}", file=sys.stderr)
    mutations = sample(population, chosen.sample, chosen.seed)
    unfinished = {"survived"} | ({"unnoticed"} if chosen.again else set())
    todo = [m for m in mutations if m.key not in listed and
            (not (known := results.known(m)) or known["how"] in unfinished)]
    if todo and not chosen.report:
        builder = Builder(root, HOME)
        oracles = Oracles(builder, chosen.fuzz_seconds, chosen.seed)
        print(f"{len(population)} mutants of {CORE}, {len(todo)} to be tried", file=sys.stderr)
        builder.prepare()
        oracles.measure()
        subprocess.run([f"{root}/build/gcc/fuzz/dxgkmem", "pack", "-o", f"{HOME}/seeds", "corpus/seeds"], check=True,
                       stdout=subprocess.DEVNULL)
        campaign = Campaign(oracles, builder, results, chosen.jobs)
        campaign.run([m for m in todo if chosen.again or not survived(results, m)], False, chosen.jobs)
        if not chosen.quick:
            campaign.run([m for m in todo if survived(results, m)], True, chosen.jobs)
    met = report(mutations, len(population), results, listed)
    return 0 if met and not gone else 1


def interrupted(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:
        sys.exit(main())
    except BuildFailed as error:
        print(f"mutants: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nmutants: interrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
