# SPDX-License-Identifier: MIT
"""
What may notice a mutant, in order of cost: the corpus against its hashes and the model; claims and unit
tests; then failures of the host, every short program, schedules, second reads; at last a little fuzzing.
"""
import filecmp
import os
import resource
import signal
import subprocess

from build import BuildFailed

MEMORY = 4 << 30  # of data; what eats more is noticed
# When a mutant counts as one that hangs: after so many times what the tree as it is took, and seconds at least.
PATIENCE, LEAST, WAIT = 10, 0.9, 12.0


class Run:
    """One command, with limits of processor time, time and memory."""

    def __init__(self, words, folder, libraries=None):
        self.words, self.folder, self.libraries = words, folder, libraries

    def passes(self, seconds, patience=600):
        """`seconds` of the processor, `patience` seconds of the clock: others may use the machine, too."""
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = self.libraries
        limits = ["prlimit", f"--cpu={int(seconds) + 1}", "--core=0"]
        if self.libraries:  # what has a sanitizer reserves more than any limit
            limits.append(f"--data={MEMORY}")
        process = subprocess.Popen(limits + self.words, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            return process.wait(timeout=patience) == 0
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
        """Name and arguments of what the tool does, the cheapest first."""
        return [
            ("replay", ["run", "--quiet", "--golden", self.golden, *self.corpus]),
            ("replay-real", ["run", "--quiet", "--windows", "real", "--golden", self.golden, *self.corpus]),
            ("faults", ["faults", "--quiet", "--singles", *self.corpus]),
            ("explore", ["explore", "--depth", "2", "--deviations", "2", "--jobs", "1"]),
            ("reads", ["reads", "--quiet", *self.corpus]),
            ("explore", ["explore", "--depth", "3", "--deviations", "0", "--jobs", "1"]),
            ("faults", ["faults", "--quiet", *self.corpus]),
        ]

    def fuzz_commands(self):
        return [(name, [f"-max_total_time={self.fuzz_seconds}", f"-seed={self.seed}", "-max_len=512", "-timeout=10",
                        "-rss_limit_mb=2048", "-detect_leaks=0", "-entropic=0"])
                for name in ("fuzz_program", "fuzz_faults", "fuzz_schedule")]

    def measure(self):
        """Runs everything that is cheap on the tree as it is: it must pass; how long it takes is the scale."""
        base = self.builder.base
        for name, run in self.verbs(base) + self.tests(base, {}):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not run.passes(600):
                raise BuildFailed(f"the tree as it is does not pass {name}")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.took[name] = max(self.took.get(name, 0), spent)

    def verbs(self, work):
        tool = f"{self.builder.base}/dxgkmem"
        return [(name, Run([tool, *arguments], work, work)) for name, arguments in self.of_tool()]

    def tests(self, work, private):
        base = self.builder.base
        runs = [(p.rsplit("/", 1)[-1], Run([private.get(p, f"{base}/{p.rsplit('/', 1)[-1]}")], work, work))
                for p in self.builder.programs if p != "fuzz/dxgkmem"]
        return sorted(runs, key=lambda run: self.took.get(run[0], 0))

    def first_to_fail(self, runs):
        for name, run in runs:
            took = self.took.get(name, 0)
            if not run.passes(max(LEAST, PATIENCE * took), WAIT + 2 * PATIENCE * took):
                return name
        return None

    # -- one mutant ------------------------------------------------------------------------

    def judge(self, mutation, work, thorough):
        """
        ("killed", by whom), ("equivalent", "compiled"), ("survived", ""), ("unnoticed", "") or ("invalid", why).
        First everybody is run with what is cheap, then what survived it with the rest, which is `thorough`.
        """
        name = mutation.file.rsplit("/", 1)[-1]
        path = f"{work}/core/{name}"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text[:mutation.begin] + mutation.new + text[mutation.end:])
            sources = [name] if name.endswith(".c") else self.builder.sources
            return self.thorough(work, sources) if thorough else self.cheap(work, sources, name.endswith(".h"))
        except BuildFailed as failed:
            return "invalid", str(failed)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def cheap(self, work, sources, header):
        builder = self.builder
        builder.library(work, {s: builder.object(work, s, ["-O0"]) for s in sources})
        if self.first_to_fail(self.verbs(work)[:1]):
            return "killed", "replay"
        if not self.optimised(work, sources) and not (header and builder.private):
            return "equivalent", "compiled"
        by = self.first_to_fail(self.tests(work, builder.relink_private(work) if header else {}))
        return ("killed", by) if by else ("survived", "")

    def optimised(self, work, sources):
        """Links core as it is built otherwise; the sources whose code is another one."""
        changed = {}
        for source in sources:
            made = self.builder.object(work, source)
            if not filecmp.cmp(made, f"{self.builder.base}/{source}.o", shallow=False):
                changed[source] = made
        self.builder.library(work, changed)
        return sorted(changed)

    def thorough(self, work, sources):
        builder = self.builder
        sources = self.optimised(work, sources)
        verbs = self.verbs(work)
        by = self.first_to_fail(verbs[1:4])
        if by:
            return "killed", by
        tool = builder.link_static(builder.plain, "fuzz/dxgkmem-schedule", "dxgkmem_scheduled_core", work, sources)
        if not Run([tool, "--all", "--bound", "2", *self.threads], work).passes(60):
            return "killed", "schedule"
        by = self.first_to_fail(verbs[4:])
        if by:
            return "killed", by
        return self.fuzz(work, sources) if self.fuzz_seconds else ("unnoticed", "")

    def fuzz(self, work, sources):
        for name, options in self.fuzz_commands():
            part = "dxgkmem_scheduled_core" if name == "fuzz_schedule" else "dxgkmem_core"
            binary = self.builder.link_static(self.builder.engine, f"fuzz/{name}", part, work, sources)
            seeds = [] if name == "fuzz_schedule" else [f"{self.builder.home}/seeds"]
            run = Run([binary, *options, f"-artifact_prefix={work}/", *seeds], work)
            found = not run.passes(10 * self.fuzz_seconds + 30)
            os.unlink(binary)
            if found:
                return "killed", name
        return "unnoticed", ""
