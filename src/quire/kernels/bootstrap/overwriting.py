"""Lines that are written over with carriage returns, as progress bars do: only what is left of them is kept."""

import re

_SEQUENCE = re.compile(r"\x1b\[[0-9;:]*[@-~]")
_ERASE = ("\x1b[2K", "\x1b[K", "\x1b[0K")
_PRIVATE_MODE = re.compile(r"\x1b\[\?[0-9;]*[hl]")
"""Hides and shows a cursor, say: there is none here."""
_LINE_CHARS_MAX = 10_000


def collapsed(text: str, *, from_start: bool = False) -> str:
    """What a terminal would still show of `text`, which may go on in a line that was begun earlier.

    Args:
        text: with carriage returns, perhaps; one at its end stays, for what comes next.
        from_start: whether the first line begins here: then nothing of an earlier text can be written over.
    """
    if "\x1b[?" in text:
        text = _PRIVATE_MODE.sub("", text)
    if "\r" not in text:
        return text
    *lines, last = text.split("\n")
    done = [_line(line, from_start=from_start or number > 0, done=True) for number, line in enumerate(lines)]
    return "\n".join([*done, _line(last, from_start=from_start or bool(lines), done=False)])


def _line(line: str, *, from_start: bool, done: bool) -> str:
    """One line; only one that is `done` can be put together, as nothing is written at its cursor any more."""
    if "\r" not in line:
        return line
    first, *writings = line.split("\r")
    end = "" if writings[-1] else "\r"
    if from_start:
        writings.insert(0, first)
    left: list[str] = []
    for writing in filter(None, writings):
        while left and _covers(writing, left[-1]):
            left.pop()
        left.append(writing)
    if left and done and not any("\x1b" in writing for writing in left):
        # Each is shorter than the one before it, of which its end is still seen.
        seen = [writing[len(over) :] for writing, over in zip(left, [*left[1:], ""], strict=True)]
        left = ["".join(reversed(seen))]
    if not from_start:
        left.insert(0, first)
    return "\r".join(left) + (end if left else "")


def _covers(writing: str, earlier: str) -> bool:
    return writing.startswith(_ERASE) or _width(writing) >= _width(earlier)


def _width(text: str) -> int:
    return len(_SEQUENCE.sub("", text)) if "\x1b" in text else len(text)


class Overwriting:
    """One stream of a cell, so far: how much less of it stays than was written."""

    def __init__(self) -> None:
        self._line = ""

    def take(self, text: str) -> tuple[str, int]:
        """What to send of `text`, and how many bytes it takes away: of itself, and of what was sent before."""
        before = self._line
        if "\r" not in text and "\x1b[?" not in text:
            self._line = _last_line(before, text)
            return text, 0
        whole = collapsed(before + text, from_start=True)
        self._line = _last_line("", whole)
        return collapsed(text), max(0, _size(before) + _size(text) - _size(whole))


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _last_line(before: str, text: str) -> str:
    end = text.rfind("\n")
    line = text[end + 1 :] if end >= 0 else before + text
    return line if len(line) <= _LINE_CHARS_MAX else ""
