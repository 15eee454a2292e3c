"""A short text for any object: of one line, and whatever its `__repr__` does."""

import reprlib
import sys
import time
from collections.abc import Mapping
from types import FrameType, FunctionType
from typing import Any

CHARS_MAX = 200
SECONDS_MAX = 0.5
"""For all objects that one describer is asked about: those that come later are told by their type."""
_ITEMS_MAX = 20


class _TooLong(BaseException):
    """Raised inside of an author's `__repr__`; he may catch `Exception` there."""


class Describer(reprlib.Repr):
    """Describes objects, in a bounded time as long as it is Python code that takes it."""

    def __init__(self, seconds_max: float = SECONDS_MAX) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxdict = _ITEMS_MAX
        self.maxarray = _ITEMS_MAX
        self.maxstring = self.maxlong = self.maxother = CHARS_MAX
        self._seconds_left = seconds_max

    def describe(self, value: object) -> str:
        """A text of at most 200 characters."""
        try:
            text = self.repr(value)
        except Exception:  # noqa: BLE001 - an author's `__repr__` may raise anything
            text = _kind_of(value)
        return shortened(" ".join(text.split()), CHARS_MAX)

    def repr_instance(self, x: Any, level: int) -> str:  # noqa: ARG002 - the signature of `reprlib`
        """The object's own words, or its type if it has none."""
        if not isinstance(getattr(type(x), "__repr__", None), FunctionType):
            try:
                return repr(x)
            except Exception:  # noqa: BLE001 - as above
                return _kind_of(x)
        started = time.monotonic()
        try:
            return _repr_until(x, started + self._seconds_left)
        except (Exception, _TooLong):  # noqa: BLE001 - as above
            return _kind_of(x)
        finally:
            self._seconds_left -= time.monotonic() - started

    def repr_dict(self, x: Mapping[Any, Any], level: int) -> str:
        """In the order of the dictionary; `reprlib` sorts."""
        if level <= 0:
            return "{...}"
        parts: list[str] = []
        for key in x:
            if len(parts) == _ITEMS_MAX:
                parts.append("...")
                break
            parts.append(f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}")
        return "{" + ", ".join(parts) + "}"


def shortened(text: str, chars_max: int) -> str:
    """`text`, with three dots in place of what is too much."""
    return text if len(text) <= chars_max else text[: chars_max - 3] + "..."


def _kind_of(value: object) -> str:
    return f"<{type(value).__name__}>"


def _repr_until(value: object, end: float) -> str:
    """`repr`, ended from within if it takes longer than to `end`, as `time.monotonic` counts."""

    def watch(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True  # A loop on a single line is one line for ever.
        if time.monotonic() > end:
            raise _TooLong
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        return repr(value)
    finally:
        sys.settrace(before)
