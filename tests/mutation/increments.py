# SPDX-License-Identifier: GPL-2.0-only
"""Finds the counter increments in C sources of this project's style, and removes one.

An increment is a statement that adds to something (`x += y;`, `x++;`, `x |= y;`, an atomic), that stores through a
pointer into a table (`*reg = rank;`; in bpf/ only, elsewhere it gives a result back), or that calls a function of
these sources which holds an increment. The last rule needs no list of names: a function that books is found by what
it does.

The step of a `for` is no statement and no counter. Any other sign of an increment that is not understood is an
error, so that code which is written in another way cannot hide its counters.
"""
import re

CONTROL = ("if", "for", "while", "switch")
NOT_CALLS = CONTROL + ("return", "sizeof")
ATOMIC = re.compile(r"^(?:\([^()]*\)\s*)?__(?:sync|atomic)_\w+\s*\(")
ADDS = re.compile(r"\+\+|\+=|\|=")
ADDS_OR_ATOMIC = re.compile(ADDS.pattern + r"|__(?:sync|atomic)_\w+\s*\(")
ADDING = re.compile(r"^(?:\+\+\s*\w[\w>.()\[\]-]*;|[\w\s>.*()\[\]-]*?(?:\+\+\s*;|\+=|\|=))")
STORE = re.compile(r"^\*\s*\w+\s*=[^=]")
CALL = re.compile(r"^(?:\(void\)\s*)?(\w+)\s*\(")
MASKED = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
DEFINE_HEAD = re.compile(r"[ \t]*#[ \t]*define[ \t]+\w+(?:\([^()]*\))?")


class NotUnderstood(Exception):
    """The source is not written as this reader expects."""


class Increment:
    """One statement: source[start:end] of a file, with its `;`."""

    def __init__(self, path, function, line, start, end, text):
        self.path, self.function, self.line, self.start, self.end = path, function, line, start, end
        self.text = " ".join(text.split())

    def __str__(self):
        return f"{self.path}:{self.line} {self.text}"

    def removed_from(self, source):
        """The source without the statement; every other line keeps its number."""
        return source[:self.start] + "(void)0;" + "\n" * source[self.start:self.end].count("\n") + source[self.end:]


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def masked(source):
    """The source with comments, strings and directives as spaces: offsets stay. Inside a function the bodies of #define
    stay, too: there they are statements (X macros)."""
    text = MASKED.sub(lambda m: blank(m.group()), source)
    pieces, at, depth = [], 0, 0
    for found in DIRECTIVE.finditer(text):
        code = text[at:found.start()]
        depth += code.count("{") - code.count("}")
        head = DEFINE_HEAD.match(found.group())
        if head and depth:
            kept = blank(head.group()) + found.group()[head.end():].replace("\\\n", " \n")
        elif head and ADDS_OR_ATOMIC.search(found.group(), head.end()):
            raise NotUnderstood(f"line {line_of(source, found.start())}: a macro outside any function adds")
        else:
            kept = blank(found.group())
        pieces += [code, kept]
        at = found.end()
    return "".join(pieces) + text[at:]


class Reader:
    """Splits masked text into functions and their simple statements."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.functions = []  # (name, [(start, end)])
        self.steps = []      # (start, end) of what stands in the parentheses of a `for`
        self.statements = None

    def fail(self, why):
        raise NotUnderstood(f"line {line_of(self.text, self.at)}: {why}")

    def skip_space(self):
        self.at = re.compile(r"\s*").match(self.text, self.at).end()

    def word(self):
        found = re.compile(r"[A-Za-z_]\w*").match(self.text, self.at)
        return found.group() if found else ""

    def take_until(self, stops):
        """Moves behind the first of `stops` outside any bracket; returns it."""
        depth = 0
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if not depth and char in stops:
                return char
            if char in "([{":
                depth += 1
            elif char in ")]}":
                depth -= 1
                if depth < 0:
                    self.fail(f"unexpected '{char}'")
        return None

    def file(self):
        while True:
            self.skip_space()
            if self.at >= len(self.text):
                return
            start = self.at
            stop = self.take_until(";{")
            head = self.text[start:self.at - 1]
            name = re.search(r"(\w+)\s*\([^{}]*\)\s*$", head)
            if stop == "{" and name and not re.search(r"=\s*$", head):
                self.statements = []
                self.block()
                self.functions.append((name.group(1), self.statements))
            elif stop == "{":
                if self.take_until("}") != "}":
                    self.fail("no end of an aggregate")
                self.take_until(";")

    def block(self):
        """Behind a '{': up to its '}'."""
        while True:
            self.skip_space()
            if self.at >= len(self.text):
                self.fail("no end of a block")
            if self.text[self.at] == "}":
                self.at += 1
                return
            self.statement()

    def statement(self):
        self.skip_space()
        word = self.word()
        if self.text[self.at] == "{":
            self.at += 1
            self.block()
        elif word in CONTROL:
            start = self.at = self.text.index("(", self.at) + 1
            if self.take_until(")") != ")":
                self.fail(f"no end of '{word} ('")
            if word == "for":
                self.steps.append((start, self.at))
            self.statement()
        elif word in ("else", "do"):
            self.at += len(word)
            self.statement()
        elif word in ("case", "default") or re.compile(r"\w+\s*:").match(self.text, self.at):
            self.take_until(":")
        else:
            start = self.at
            if self.take_until(";") != ";":
                self.fail("no end of a statement")
            self.statements.append((start, self.at))


def adds(statement):
    """Is the statement itself an increment? (One by a call of a function is told by calls().)"""
    text = statement.text
    if ATOMIC.match(text) or STORE.match(text) and statement.path.startswith("bpf/"):
        return True
    return bool(ADDING.match(text)) and not text.startswith("return")


def calls(text):
    found = CALL.match(text)
    return found.group(1) if found and found.group(1) not in NOT_CALLS else None


def find(sources):
    """The increments in {path: source}, in their order. Raises NotUnderstood."""
    read = []  # (path, function, line, start, end, text)
    for path, source in sources.items():
        try:
            text = masked(source)
            reader = Reader(text)
            reader.file()
        except NotUnderstood as error:
            raise NotUnderstood(f"{path}: {error}") from None
        known = list(reader.steps)
        for function, statements in reader.functions:
            for start, end in statements:
                read.append(Increment(path, function, line_of(text, start), start, end, text[start:end]))
                if adds(read[-1]):
                    known.append((start, end))
        for sign in ADDS_OR_ATOMIC.finditer(text):
            if not any(start <= sign.start() < end for start, end in known):
                raise NotUnderstood(f"{path}:{line_of(text, sign.start())}: {sign.group()} in an expression")
    booking = {i.function for i in read if adds(i)}
    grown = True
    while grown:
        more = {i.function for i in read if calls(i.text) in booking} - booking
        booking |= more
        grown = bool(more)
    return [i for i in read if adds(i) or calls(i.text) in booking]
