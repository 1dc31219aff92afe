# SPDX-License-Identifier: MIT
"""
Which small changes there are of a C file: made from clang's syntax tree, applied to the text.

The tree says what a piece of text is and where it begins; the text itself is never searched for
operators. A change is never longer than a line's end: line numbers stay.
"""
import json
import re
import subprocess
from dataclasses import dataclass

RELATIONAL = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
}
ARITHMETIC = {
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"], "<<": [">>"], ">>": ["<<"],
    "&": ["|"], "|": ["&"], "^": ["|"],
}
LOGICAL = {"&&": ["||"], "||": ["&&"]}
COMPOUND = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "%=": "*=", "<<=": ">>=", ">>=": "<<=",
            "&=": "|=", "|=": "&=", "^=": "|="}
TOKEN = re.compile(r"->|<<=|>>=|[-+*/%&|^<>=!]=|&&|\|\||<<|>>|.", re.S)
# Nothing of these is behaviour: types, attributes, assertions.
PASSED_OVER = {"FieldDecl", "StaticAssertDecl", "RecordDecl", "TypedefDecl", "EnumDecl"}
ASSERTIONS = {"CORE_ASSERT"}


@dataclass(frozen=True)
class Mutation:
    """One change: text[begin:end] becomes `new`. `key` names it and survives changes elsewhere in the file."""

    file: str
    function: str
    kind: str
    line: int
    begin: int
    end: int
    new: str
    key: str


@dataclass
class Place:
    """Where a token is: in which file it is written, and where the macro stands that it comes from, if any."""

    file: str
    offset: int
    length: int
    macro: tuple | None  # file, offset of the outermost macro's name
    argument: bool


def syntax_tree(compiler, arguments, text, root):
    out = subprocess.run(
        [compiler, *arguments, "-fsyntax-only", "-Xclang", "-ast-dump=json", "-x", "c", "-"],
        input=text, capture_output=True, text=True, cwd=root, check=False)
    if out.returncode != 0:
        raise RuntimeError(out.stderr)
    return json.loads(out.stdout)


class Places:
    """Clang writes the file of a location only when it differs from that of the location before."""

    def __init__(self):
        self.file = ""

    def plain(self, loc):
        if "file" in loc:
            self.file = loc["file"].removeprefix("./")
        return self.file, loc["offset"], loc["tokLen"]

    def read(self, loc):
        if "spellingLoc" in loc:
            spelled = self.plain(loc["spellingLoc"]) if "offset" in loc["spellingLoc"] else None
            expanded = self.plain(loc["expansionLoc"]) if "offset" in loc["expansionLoc"] else None
            if spelled is None or expanded is None:
                return None
            return Place(*spelled, expanded[:2], bool(loc["expansionLoc"].get("isMacroArgExpansion")))
        if "offset" in loc:
            return Place(*self.plain(loc), None, False)
        return None

    def annotate(self, node):
        """Every location in the order in which clang wrote them; node["at"] becomes (first, last)."""
        stack = [node]
        while stack:
            node = stack.pop()
            if "loc" in node:
                self.read(node["loc"])
            if "range" in node:
                node["at"] = (self.read(node["range"]["begin"]), self.read(node["range"]["end"]))
            stack.extend(reversed(node.get("inner", [])))


def without_comments(text):
    """The same length, with comments, strings and characters blanked: what brackets are counted in."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


class Source:
    """One file's text, with the walks over it that need no tree."""

    def __init__(self, name, text):
        self.name, self.text, self.bare = name, text, without_comments(text)

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def closing(self, opening):
        depth = 0
        for at in range(opening, len(self.bare)):
            if self.bare[at] in "([{":
                depth += 1
            elif self.bare[at] in ")]}":
                depth -= 1
                if depth == 0:
                    return at
        raise ValueError(f"{self.name}:{self.line(opening)}: no closing bracket")

    def until(self, at, ends):
        """The first of `ends` at or after a place that stands in no bracket."""
        while at < len(self.bare):
            if self.bare[at] in ends:
                return at
            at = self.closing(at) + 1 if self.bare[at] in "([{" else at + 1
        return None

    def skip_space(self, at):
        while at < len(self.bare) and self.bare[at].isspace():
            at += 1
        return at

    def begin(self, place):
        """Where the thing that begins with this token begins in the text."""
        if place is None:
            return None
        if place.macro is None or (place.argument and place.file == self.name):
            return place.offset if place.file == self.name else None
        return place.macro[1] if place.macro[0] == self.name else None

    def end(self, place):
        """Just after the thing that ends with this token; after the brackets, for a macro that has some."""
        if place is None:
            return None
        if place.macro is None or (place.argument and place.file == self.name):
            return place.offset + place.length if place.file == self.name else None
        if place.macro[0] != self.name:
            return None
        at = place.macro[1] + len(self.word(place.macro[1]))
        after = self.skip_space(at)
        return self.closing(after) + 1 if self.bare[after:after + 1] == "(" else at

    def word(self, at):
        found = re.match(r"\w+", self.text[at:at + 80])
        return found.group() if found else ""


class Maker:
    """Walks the tree of one file and collects its mutations."""

    def __init__(self, source):
        self.source = source
        self.found = {}
        self.function = ""
        self.span = None  # of the statement, condition or definition around

    # -- what is changed ---------------------------------------------------------------

    def add(self, kind, begin, end, new):
        if (begin, end, new) in self.found:
            return
        text = self.source.text
        function, span = self.function, self.span
        if span is None or not span[0] <= begin <= end <= span[1]:
            # A macro's definition: named after its line.
            first = text.rfind("\n", 0, begin) + 1
            function, span = "(macro)", (first, text.find("\n", end))
        around = f"{text[span[0]:begin]}{{{text[begin:end]} => {new.strip()}}}{text[end:span[1]]}"
        key = f"{self.source.name.rsplit('/', 1)[-1]} {function}: {' '.join(around.split())}"
        self.found[(begin, end, new)] = Mutation(
            self.source.name, function, kind, self.source.line(begin), begin, end, new, key)

    def delete(self, begin, end):
        lines = self.source.text.count("\n", begin, end)
        self.add("deleted", begin, end, "\n" * lines)

    def operator(self, node, kind, table):
        left = node["inner"][0]
        at = self.source.end(left.get("at", (None, None))[1])
        opcode = node["opcode"]
        if at is not None:
            at = self.source.skip_space(at)
        if at is None or TOKEN.match(self.source.text, at).group() != opcode:
            return  # within a macro
        for new in table[opcode]:
            self.add(kind, at, at + len(opcode), new)

    def condition(self, begin, end, node):
        """The condition between two brackets or before a question mark, taken the other way round."""
        inner = node
        while inner.get("kind") in ("ImplicitCastExpr", "ParenExpr"):
            inner = inner["inner"][0]
        # Of a comparison and of `!` others already make the opposite.
        if inner.get("opcode") not in RELATIONAL and (inner.get("opcode") != "!" or inner is not node):
            self.add("negated", begin, end, f"!({self.source.text[begin:end]})")

    def literal(self, node):
        begin, end = node["at"]
        if begin is None or begin != end:
            return
        source = self.source
        if begin.macro is not None and begin.macro[0] == source.name:
            word = source.word(begin.macro[1])
            if word in ("true", "false"):
                self.add("constant", begin.macro[1], begin.macro[1] + len(word), "false" if word == "true" else "true")
                return
        if begin.file != source.name:
            return
        word = source.text[begin.offset:begin.offset + begin.length]
        found = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", word)
        if not found:
            return
        value = int(found[1], 0)
        for other in {value + 1, value - 1, 0} - {value, -1}:
            self.add("constant", begin.offset, begin.offset + begin.length, f"{other}{found[2]}")

    # -- the walk ----------------------------------------------------------------------

    def statement(self, node, last):
        """A node that stands where a statement may: deleted when it is an expression or a jump."""
        kind = node.get("kind", "")
        begin = self.source.begin(node.get("at", (None, None))[0])
        if begin is None:
            return
        stop = self.source.until(begin, ";")
        span = (begin, stop + 1) if stop is not None else None
        if kind.endswith("Expr") or kind.endswith("Operator"):
            if self.source.word(begin) in ASSERTIONS:
                return
            self.span = span
            self.delete(begin, stop)
        elif kind in ("BreakStmt", "ContinueStmt") or (kind == "ReturnStmt" and not last):
            self.span = span
            self.delete(begin, stop)

    def control(self, node):
        """if, while, do, for: their conditions."""
        kind, inner = node["kind"], node["inner"]
        begin = self.source.begin(node["at"][0])
        if begin is None:
            return
        if kind == "DoStmt":
            last = self.source.begin(node["at"][1])  # the bracket that closes its condition
            first = max(at for at in range(begin, last) if self.source.bare[at] == "(" and self.source.closing(at) == last)
            self.span = (first, last + 1)
            self.condition(first + 1, last, inner[1])
            return
        opening = self.source.bare.index("(", begin)
        first, last = opening + 1, self.source.closing(opening)
        self.span = (begin, last + 1)
        if kind == "ForStmt":
            if inner[2]:
                semicolon = self.source.until(first, ";")
                first = self.source.skip_space(semicolon + 1)
                self.condition(first, self.source.until(first, ";"), inner[2])
            step = self.source.until(self.source.until(first, ";") + 1, ")") if inner[3] else None
            if step is not None:
                self.delete(self.source.skip_space(self.source.until(first, ";") + 1), step)
            return
        self.condition(first, last, inner[0])
        if kind == "IfStmt":
            text = self.source.text[first:last]
            self.add("never", first, last, f"0 && ({text})")
            if len(inner) > 2:
                self.add("always", first, last, f"1 || ({text})")

    def visit(self, node, last=False):
        kind = node.get("kind", "")
        if kind in PASSED_OVER or kind.endswith("Attr"):
            return
        at = node.get("at", (None, None))
        if at[0] is not None and at[0].macro is not None and at[0].macro[0] == self.source.name and \
                self.source.word(at[0].macro[1]) in ASSERTIONS:
            return
        outer = (self.function, self.span)
        inner = node.get("inner", [])
        if kind == "FunctionDecl":
            if at[0] is not None and at[0].macro is not None and not at[0].argument and at[0].macro[0] == self.source.name \
                    and at[0].file == self.source.name:
                return  # a macro makes it
            self.function = node.get("name", "")
        elif kind in ("VarDecl", "ReturnStmt") and self.source.begin(at[0]) is not None:
            begin = self.source.begin(at[0])
            stop = self.source.until(begin, ";")
            self.span = (begin, stop + 1) if stop is not None else outer[1]
        elif kind in ("BinaryOperator", "CompoundAssignOperator"):
            opcode = node["opcode"]
            for table, name in ((RELATIONAL, "relational"), (ARITHMETIC, "arithmetic"), (LOGICAL, "logical")):
                if opcode in table:
                    self.operator(node, name, table)
            if opcode in COMPOUND:
                self.operator(node, "arithmetic", {opcode: [COMPOUND[opcode]]})
        elif kind == "UnaryOperator":
            self.unary(node)
        elif kind == "ConditionalOperator":
            begin = self.source.begin(at[0])
            end = self.source.end(inner[0].get("at", (None, None))[1])
            if begin is not None and end is not None and end > begin:
                self.condition(begin, end, inner[0])
        elif kind == "IntegerLiteral":
            self.literal(node)
        self.children(node, kind, inner, last)
        self.function, self.span = outer

    def unary(self, node):
        begin = self.source.begin(node["at"][0])
        if begin is None:
            return
        opcode, text = node["opcode"], self.source.text
        if opcode in ("!", "~") and text.startswith(opcode, begin):
            self.add("negated" if opcode == "!" else "arithmetic", begin, begin + 1, " ")
        elif opcode in ("++", "--"):
            at = self.source.end(node["at"][1]) - 2 if node.get("isPostfix") else begin
            if text.startswith(opcode, at):
                self.add("arithmetic", at, at + 2, "--" if opcode == "++" else "++")

    def children(self, node, kind, inner, last):
        control = kind in ("IfStmt", "WhileStmt", "ForStmt", "DoStmt")
        span = self.span
        if control:
            self.control(node)
        bodies = {"IfStmt": inner[1:], "WhileStmt": inner[1:], "ForStmt": inner[4:], "DoStmt": inner[:1],
                  "CompoundStmt": inner, "CaseStmt": inner[1:], "DefaultStmt": inner}.get(kind, [])
        for number, child in enumerate(inner):
            is_body = any(child is body for body in bodies)
            at_end = kind == "CompoundStmt" and last and number == len(inner) - 1
            if is_body:
                self.span = span
                self.statement(child, at_end or kind in ("IfStmt", "WhileStmt", "ForStmt"))
            if child.get("kind"):
                self.visit(child, kind == "FunctionDecl" or at_end)
            if is_body:
                self.span = span


def number_equals(mutations):
    """Keys are unique: the second of equal ones gets #2."""
    seen, named = {}, []
    for mutation in sorted(mutations, key=lambda m: (m.begin, m.end, m.new)):
        seen[mutation.key] = seen.get(mutation.key, 0) + 1
        if seen[mutation.key] > 1:
            mutation = Mutation(**{**mutation.__dict__, "key": f"{mutation.key} #{seen[mutation.key]}"})
        named.append(mutation)
    return named


def mutations_of(name, root, compiler, arguments):
    """Every mutation of a C file, or of what a header defines; `name` is relative to root."""
    with open(f"{root}/{name}", encoding="utf-8") as file:
        source = Source(name, file.read())
    places = Places()
    tree = syntax_tree(compiler, arguments, f'#include "{name}"\n', root)
    places.annotate(tree)
    maker = Maker(source)
    for node in tree["inner"]:
        at = node.get("at", (None, None))[0]
        if at is not None and at.file == name:
            maker.visit(node)
    return number_equals(maker.found.values())
