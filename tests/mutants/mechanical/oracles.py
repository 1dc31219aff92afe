# SPDX-License-Identifier: MIT
"""
What may notice a mutant, in order of cost: the corpus against its hashes and the model, claims and unit
tests, second reads, schedules, every failure of the host, every short program, a little fuzzing.
"""
import filecmp
import os
import resource
import signal
import subprocess
import time

from build import CORE, LIBRARY, BuildFailed

MEMORY = 4 << 30  # of data; what eats more is noticed
# Of a mutant's time, before it counts as one that hangs: what the unchanged tree took, many times.
PATIENCE, LEAST = 10, 2.0


class Run:
    """One command, with limits of processor time, time and memory."""

    def __init__(self, words, folder, libraries=None):
        self.words, self.folder, self.libraries = words, folder, libraries

    def passes(self, seconds):
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = self.libraries
        limits = ["prlimit", f"--cpu={int(seconds) + 1}", "--core=0"]
        if self.libraries:  # what has a sanitizer reserves more than any limit
            limits.append(f"--data={MEMORY}")
        process = subprocess.Popen(limits + self.words, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            # Others may use the machine: what waits for nobody is patient.
            return process.wait(timeout=20 + 3 * seconds) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


class Oracles:
    def __init__(self, builder, fuzz_seconds, seed):
        self.builder, self.fuzz_seconds, self.seed = builder, fuzz_seconds, seed
        root = builder.root
        self.corpus = [f"{root}/corpus/seeds", f"{root}/corpus/regressions"]
        self.golden = f"{root}/corpus/golden.txt"
        self.threads = sorted(f"{root}/corpus/{d}/{n}" for d in ("seeds", "regressions")
                              for n in os.listdir(f"{root}/corpus/{d}") if n.startswith("threads-"))
        self.took = {}  # seconds of processor time of the unchanged tree
        self.order = []

    def of_tool(self):
        """Name and arguments of what the tool does; the first is the cheapest."""
        return [
            ("replay", ["run", "--quiet", "--golden", self.golden, *self.corpus]),
            ("replay-real", ["run", "--quiet", "--windows", "real", "--golden", self.golden, *self.corpus]),
            ("reads", ["reads", "--quiet", *self.corpus]),
            ("faults", ["faults", "--quiet", *self.corpus]),
            ("explore", ["explore", "--depth", "2", "--deviations", "2", "--jobs", "1"]),
            ("explore", ["explore", "--depth", "3", "--deviations", "0", "--jobs", "1"]),
        ]

    def fuzz_commands(self):
        return [(name, [f"-max_total_time={self.fuzz_seconds}", f"-seed={self.seed}", "-max_len=512", "-timeout=10",
                        "-rss_limit_mb=2048", "-detect_leaks=0", "-entropic=0"])
                for name in ("fuzz_program", "fuzz_faults", "fuzz_schedule")]

    def measure(self):
        """Runs everything that is cheap on the tree as it is: it must pass; how long it takes is the scale."""
        base = self.builder.base
        for name, run in self.shared(base, {}):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not run.passes(600):
                raise BuildFailed(f"the tree as it is does not pass {name}")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.took[name] = max(self.took.get(name, 0), spent)

    def shared(self, work, private):
        """What runs on the shared library: first the corpus, then tests, then the dearer verbs of the tool."""
        base, tool = self.builder.base, f"{self.builder.base}/dxgkmem"
        runs = [(n, Run([tool, *a], work, work)) for n, a in self.of_tool()]
        tests = [(p.rsplit("/", 1)[-1], Run([private.get(p, f"{base}/{p.rsplit('/', 1)[-1]}")], work, work))
                 for p in self.builder.programs if p != "fuzz/dxgkmem"]
        tests.sort(key=lambda t: self.took.get(t[0], 0))
        return runs[:2] + tests + runs[2:]

    def limit(self, name):
        return max(LEAST, PATIENCE * self.took.get(name, 0))

    # -- one mutant ------------------------------------------------------------------------

    def judge(self, mutation, work, deep):
        """("killed", by), ("equivalent", "compiled"), ("unnoticed", "") or ("invalid", why). `deep`: fuzz as well."""
        name = mutation.file.rsplit("/", 1)[-1]
        path = f"{work}/core/{name}"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text[:mutation.begin] + mutation.new + text[mutation.end:])
            return self.judge_written(name, work, deep)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def judge_written(self, name, work, deep):
        builder = self.builder
        sources = [name] if name.endswith(".c") else builder.sources
        changed = {}
        try:
            for source in sources:
                made = builder.object(work, source)
                if not filecmp.cmp(made, f"{builder.base}/{source}.o", shallow=False):
                    changed[source] = made
        except BuildFailed as failed:
            return "invalid", str(failed)
        private = name.endswith(".h") and builder.private
        if not changed and not private:
            return "equivalent", "compiled"
        try:
            builder.library(work, changed)
            return self.notice(work, sorted(changed), private, deep)
        except BuildFailed as failed:
            return "invalid", str(failed)

    def notice(self, work, sources, private, deep):
        base, runs = self.builder.base, self.shared(work, {})
        for name, run in runs[:2]:
            if not run.passes(self.limit(name)):
                return "killed", name
        if private:
            runs = self.shared(work, self.builder.relink_private(work))
        for name, run in runs[2:]:
            if name in ("reads", "faults", "explore"):
                continue
            if not run.passes(self.limit(name)):
                return "killed", name
        tool = self.builder.link_static(self.builder.plain, "fuzz/dxgkmem-schedule", "dxgkmem_scheduled_core", work,
                                        sources)
        if not Run([tool, "--all", "--bound", "2", *self.threads], work).passes(30):
            return "killed", "schedule"
        for name, run in runs[2:]:
            if name in ("reads", "faults", "explore") and not run.passes(self.limit(name)):
                return "killed", name
        return self.fuzz(work, sources) if deep else ("unnoticed", "")

    def fuzz(self, work, sources):
        for name, options in self.fuzz_commands():
            part = "dxgkmem_scheduled_core" if name == "fuzz_schedule" else "dxgkmem_core"
            binary = self.builder.link_static(self.builder.engine, f"fuzz/{name}", part, work, sources)
            seeds = [] if name == "fuzz_schedule" else [f"{self.builder.home}/seeds"]
            found = not Run([binary, *options, f"-artifact_prefix={work}/", *seeds], work).passes(10 * self.fuzz_seconds + 30)
            os.unlink(binary)
            if found:
                return "killed", name
        return "unnoticed", ""
