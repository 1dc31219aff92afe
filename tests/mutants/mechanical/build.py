# SPDX-License-Identifier: MIT
"""
Builds one mutant cheaply: the changed file alone is compiled, core is linked as a shared library, and
programs that were linked once find it there. What cannot be done so (threads that take turns, fuzz
targets) is linked statically, for those mutants that come so far.
"""
import json
import os
import shlex
import shutil
import subprocess

LIBRARY = "libcore.so"
CORE = "src/core"


class BuildFailed(Exception):
    pass


def quietly(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailed(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")


class Tree:
    """A configured build folder: how it compiles and links."""

    def __init__(self, root, folder):
        self.root, self.folder = root, f"{root}/{folder}"
        with open(f"{self.folder}/compile_commands.json", encoding="utf-8") as file:
            self.commands = json.load(file)

    def compiling(self, source, part):
        """The arguments that compile a source of one target, without warnings and debug information."""
        for entry in self.commands:
            if entry["file"] == f"{self.root}/{source}" and f"/{part}.dir/" in entry["command"]:
                words = shlex.split(entry["command"])
                at = words.index("-o")
                del words[at:at + 2]
                del words[words.index("-c"):]
                return [w for w in words if not w.startswith(("-W", "-g"))] + ["-w", "-g0"]
        raise BuildFailed(f"{self.folder} compiles no {source} in {part}")

    def linking(self, program):
        """The words of the command that links a program."""
        out = subprocess.run(["ninja", "-t", "commands", program], cwd=self.folder, capture_output=True, text=True,
                             check=False)
        if out.returncode != 0:
            raise BuildFailed(out.stderr)
        words = shlex.split(out.stdout.splitlines()[-1])
        return [w for w in words if w not in (":", "&&")]


class Builder:
    """The tree as it is, built once; what every mutant is compared with and linked to."""

    def __init__(self, root, home):
        self.root, self.home = root, f"{root}/{home}"
        self.plain = Tree(root, "build/gcc")
        self.engine = Tree(root, "build/libfuzzer")
        names = os.listdir(f"{root}/{CORE}")
        self.sources = sorted(n for n in names if n.endswith(".c"))
        self.headers = sorted(n for n in names if n.endswith(".h"))
        self.base = f"{self.home}/base"
        self.programs = self.tests() + ["fuzz/dxgkmem"]
        self.private = set()  # programs of tests that look into core

    def tests(self):
        """What tests core and not another part."""
        folder = f"{self.plain.folder}/tests"
        wanted = ("claims_", "unit_test_core_")
        return sorted(f"tests/{n}" for n in os.listdir(folder)
                      if n.startswith(wanted) and os.access(f"{folder}/{n}", os.X_OK) and "." not in n)

    def prepare(self):
        shutil.rmtree(self.base, ignore_errors=True)
        self.fill(self.base)
        for source in self.sources:
            self.object(self.base, source)
        self.library(self.base, {})
        for program in self.programs:
            self.link_shared(program, self.base, {})
            for source in self.sources_of(program):
                with open(source, encoding="utf-8") as file:
                    if '#include "core/' in file.read():
                        self.private.add(program)

    def sources_of(self, program):
        stem = program.rsplit("/", 1)[-1]
        if stem == "dxgkmem":
            return []
        folder, name = stem.split("_", 1)
        return [f"{self.root}/tests/{folder}/{name}.c"]

    def fill(self, work):
        """A folder with core's sources, which are compiled there: __FILE__ is the same for everybody."""
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(f"{work}/core")
        for name in self.sources + self.headers:
            shutil.copy(f"{self.root}/{CORE}/{name}", f"{work}/core/{name}")

    def object(self, work, source, more=()):
        out = f"{work}/{source}.o"
        words = self.plain.compiling(f"{CORE}/{source}", "dxgkmem_core")
        quietly([*words, "-fPIC", *more, "-o", out, "-c", f"core/{source}"], work)
        return out

    def library(self, work, changed):
        """Links core; `changed`: source to object, the others are the base's."""
        objects = [changed.get(s, f"{self.base}/{s}.o") for s in self.sources]
        quietly(["gcc", "-shared", f"-Wl,-soname,{LIBRARY}", "-o", f"{work}/{LIBRARY}", *objects], work)

    def link_shared(self, program, work, changed):
        """A program whose core is the library. `changed`: an object of its own, to one that replaces it."""
        words = []
        for word in self.plain.linking(program):
            if word == "src/libdxgkmem.a":
                words += ["-rdynamic", f"{work}/{LIBRARY}"]
            elif word != "-Wl,--gc-sections":
                words.append(changed.get(word, word))
        out = f"{work}/{program.rsplit('/', 1)[-1]}"
        words[words.index("-o") + 1] = out
        quietly(words, self.plain.folder)
        return out

    def relink_private(self, work):
        """For a changed header: the programs of tests that look into core see it, too."""
        made = {}
        for program in sorted(self.private):
            changed = {}
            for word in self.plain.linking(program):
                if not word.endswith(".c.o"):
                    continue
                part = word.split(".dir/")[0].rsplit("/", 1)[-1]
                source = os.path.relpath(self.sources_of(program)[0], self.root)
                compiling = self.plain.compiling(source, part)
                compiling = [f"-I{work}" if w == f"-I{self.root}/src" else
                             f"-I{work}/core" if w == f"-I{self.root}/{CORE}" else w for w in compiling]
                quietly([*compiling, f"-I{self.root}/src", "-o", f"{work}/test.o", "-c", f"{self.root}/{source}"], work)
                changed[word] = f"{work}/test.o"
            made[program] = self.link_shared(program, work, changed)
        return made

    def link_static(self, tree, program, part, work, sources):
        """A program with changed sources before its libraries."""
        objects = []
        for source in sources:
            out = f"{work}/{part}.{source}.o"
            quietly([*tree.compiling(f"{CORE}/{source}", part), "-o", out, "-c", f"core/{source}"], work)
            objects.append(out)
        words = tree.linking(program)
        at = words.index("-o") + 1
        out = f"{work}/{program.rsplit('/', 1)[-1]}"
        words[at:at + 1] = [out, *objects]
        quietly(words, tree.folder)
        return out
