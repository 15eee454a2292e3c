"""IPython's additions to Python, replaced by Python that reads and writes the same names.

Every line stays where it is, so that line numbers keep their meaning. Only what matters for names is kept: `!ls {path}`
becomes `(path,)`, `files = !ls` becomes `files = None`, `%time x = f()` becomes `x = f()`.
"""

import re
from typing import NamedTuple

from quire.analysis.syntax import parses

_BODY_IS_PYTHON = frozenset({"capture", "debug", "memit", "prun", "time", "timeit"})
_ARGUMENT_IS_PYTHON = frozenset({"debug", "memit", "prun", "time"})
_MEASURES_ONLY = "timeit"
"""Runs its code in a function: what the code assigns is gone afterwards."""

_NEW_LINE = re.compile(r"\r\n|\r|\n")
_CELL_MAGIC = re.compile(r"%%(\S+)[ \t]*(.*)")
_LINE_MAGIC = re.compile(r"%(\w+)[ \t]*(.*)")
_ASSIGNED = re.compile(r"([^=#]+)=\s*([!%].*)")
_HELP = re.compile(r"(%{0,2}[\w.*]+)\?{1,2}\s*;?|\?{1,2}\s*(%{0,2}[\w.*]*).*")
_OPTIONS = re.compile(r"(?:--?\w+\s*\d*\s+)*")
_CAPTURED = re.compile(r"--(?:out|err|proc)[ =]([^\W\d]\w*)")
_EXPANSION = re.compile(r"(?<!\$)\{([^{}]+)\}|\$\$|\$([^\W\d]\w*)")
_FORMAT = re.compile(r"[!:]")
# What can hide a statement's beginning from a reader of lines: comments, strings, brackets.
_TOKEN = re.compile(r"""#|\"{3}|'{3}|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[(\[{]|[)\]}]""")
_STRING_END = {
    quote: re.compile(rf"(?:[^\\{quote[0]}]|\\.|{quote[0]}(?!{quote[1:]}))*{quote}") for quote in ('"""', "'''")
}


class Translation(NamedTuple):
    source: str
    keeps_names: bool
    """Whether names that the code assigns outlive it."""


def translate(code: str) -> Translation:
    """Python that stands for `code`, which is not Python as it is."""
    lines = _NEW_LINE.split(code)
    first = _next_with_text(lines, 0)
    keeps_names = True
    while magic := _CELL_MAGIC.fullmatch(lines[first]):
        name, argument = magic.groups()
        lines[first] = _cell_magic(name, argument)
        if name not in _BODY_IS_PYTHON:
            del lines[first + 1 :]
        keeps_names = keeps_names and name != _MEASURES_ONLY
        first = _next_with_text(lines, first + 1)
    return Translation("\n".join(lines[:first] + _translate_lines(_dedent(lines[first:]))), keeps_names)


def _next_with_text(lines: list[str], start: int) -> int:
    """Where the first line from `start` on that is not blank stands; the last line's place if there is none."""
    return next((number for number in range(start, len(lines)) if lines[number].strip()), len(lines) - 1)


def _dedent(lines: list[str]) -> list[str]:
    """A cell may be indented as a whole; its first line tells."""
    indentation = _indentation_of(lines[0])
    return [line.removeprefix(indentation) for line in lines]


def _indentation_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _cell_magic(name: str, argument: str) -> str:
    if name == "capture":
        return "; ".join(f"{word} = None" for word in argument.split() if word.isidentifier()) or "pass"
    if name == _MEASURES_ONLY:
        return _first_that_parses(_OPTIONS.sub("", argument, count=1))
    if name in _BODY_IS_PYTHON:
        return ""
    captured = [f"{target} = None" for target in _CAPTURED.findall(argument)]
    return "; ".join([_expanded(argument) or "pass", *captured])


def _translate_lines(lines: list[str]) -> list[str]:
    done: list[str] = []
    reader = _LineReader()
    while len(done) < len(lines):
        line = lines[len(done)]
        if reader.between_statements:
            last = len(done)
            while lines[last].endswith("\\") and last + 1 < len(lines):
                last += 1
            text = " ".join(part.removesuffix("\\") for part in lines[len(done) : last + 1])
            replacement = _replacement(text.strip())
            if replacement is not None:
                done += [_indentation_of(line) + replacement, *[""] * (last - len(done))]
                continue
        reader.read(line)
        done.append(line)
    return done


def _replacement(text: str) -> str | None:
    """What stands for one line, without its indentation; None: the line is not ours."""
    if shown := _HELP.fullmatch(text):
        return _first_that_parses(shown[1] or shown[2])
    if text.startswith("!"):
        return _expanded(text) or "pass"
    if magic := _LINE_MAGIC.fullmatch(text):
        return _line_magic(*magic.groups())
    if assigned := _ASSIGNED.fullmatch(text):
        target, command = assigned.groups()
        return f"{target}= {_expanded(command) or None}"
    return None


def _line_magic(name: str, argument: str) -> str:
    statement = _OPTIONS.sub("", argument, count=1)
    if name == _MEASURES_ONLY:
        return _first_that_parses(f"lambda: ({statement})", f"def _(): {statement}")
    if name in _ARGUMENT_IS_PYTHON:
        return _first_that_parses(statement)
    return _expanded(argument) or "pass"


def _expanded(command: str) -> str:
    """A tuple of the expressions that IPython puts into a command: `{expression}` and `$name`; empty without any."""
    found: list[str] = []
    for braced, name in set(_EXPANSION.findall(command)):
        # As in a format string, a conversion or a format may follow: {x!r}, {x:.2f}.
        candidates = (name, braced, _FORMAT.split(braced, maxsplit=1)[0])
        found += [f"({text}), " for text in candidates if text and parses(f"({text})")][:1]
    return f"({''.join(found)})" if found else ""


def _first_that_parses(*candidates: str) -> str:
    return next((text for text in candidates if text and parses(text)), "pass")


class _LineReader:
    """Knows, line by line, whether a statement can begin: not inside brackets, a string, or a continued line."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""
        self._continued = False

    @property
    def between_statements(self) -> bool:
        return not (self._depth or self._quote or self._continued)

    def read(self, line: str) -> None:
        position = 0
        self._continued = line.endswith("\\")
        while True:
            pattern = _STRING_END[self._quote] if self._quote else _TOKEN
            token = pattern.match(line, position) if self._quote else pattern.search(line, position)
            if token is None:
                return
            position = token.end()
            if self._quote:
                self._quote = ""
            elif token[0] == "#":
                self._continued = False
                return
            elif token[0] in _STRING_END:
                self._quote = token[0]
            elif token[0] in "([{":
                self._depth += 1
            elif token[0] in ")]}":
                self._depth = max(0, self._depth - 1)
