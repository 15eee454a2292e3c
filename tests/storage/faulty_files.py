"""A disk that fails when told to, between the files engine and the system."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from quire.storage import files_disk

Fault = Callable[..., Any]
"""Called in place of the operation, with its arguments; raises, or does a part of it."""


class FaultyFiles:
    """Counts what is asked of the disk. While a fault is on, it answers in the place of that operation."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.done: Counter[str] = Counter()
        self.met: list[str] = []
        self.faults: dict[str, Fault] = {}
        for name in ("open_file", "write_at", "read_at", "truncate", "sync_data", "sync_folder"):
            patch.setattr(files_disk, name, self._watched(name, getattr(files_disk, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.done[name] += 1
            fault = self.faults.get(name)
            if fault is None:
                return real(*args, **kwargs)
            self.met.append(name)
            return fault(real, *args, **kwargs)

        return watched

    @contextmanager
    def failing(self, **faults: Fault) -> Iterator[None]:
        self.faults = faults
        try:
            yield
        finally:
            self.faults = {}


def error(code: int) -> Fault:
    """The operation raises that error."""

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError(code, "told to fail")

    return fail


def after_bytes(count: int, code: int) -> Fault:
    """A write takes that many bytes; the next one raises."""
    left = [count]

    def fill(real: Callable[..., int], descriptor: int, data: bytes, offset: int) -> int:
        if left[0] == 0:
            raise OSError(code, "told to fail")
        taken = real(descriptor, data[: left[0]], offset)
        left[0] -= taken
        return taken

    return fill
