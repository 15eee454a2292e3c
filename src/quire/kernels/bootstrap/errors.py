"""Why a cell failed, in the form of `CellError`: words for its author, and a traceback of its own frames."""

import traceback
from asyncio import CancelledError
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any

import ipykernel
import IPython
from IPython.core.error import UsageError

from .private_names import restore_in_text
from .recorder import Event

MESSAGE_CHARS_MAX = 20_000
FRAMES_MAX = 200
TRACEBACK_CHARS_MAX = 100_000
"""Longer ones lose their middle: beginning and end say most."""

_INTERNAL = tuple(
    str(Path(file).resolve().parent) for file in (__file__, IPython.__file__, ipykernel.__file__) if file is not None
)


class Describer:
    """Turns exceptions into errors of cells."""

    def __init__(self, shell: Any, memory_bytes: int) -> None:
        self._shell = shell
        self._memory_bytes = memory_bytes

    def describe(self, error: BaseException, filename: str, prefix: str) -> Event:
        """What went wrong in the cell with this file name; private names as their author wrote them."""
        _hide_internal_frames(error, set())
        if _was_compiling(error, filename):
            # The compiler's own frames say nothing; the place is in the exception.
            error.__traceback__ = None
        message = restore_in_text(self._message_of(error), prefix)
        lines = [] if isinstance(error, KeyboardInterrupt | SystemExit) else self._traceback_of(error)
        lines = [restore_in_text(line, prefix) for line in lines]
        return error_of(type(error).__name__, message, traceback=_shortened(lines), line=_line_of(error, filename))

    def _message_of(self, error: BaseException) -> str:
        if isinstance(error, KeyboardInterrupt):
            return "The run was interrupted."
        if isinstance(error, SystemExit):
            return "The cell asked Python to exit. The kernel was kept: to start afresh, use Restart."
        if isinstance(error, SyntaxError):
            return error.msg
        message = _text_of(error)
        if isinstance(error, CancelledError) and not message:
            return "The cell's task was cancelled, by its own code or by a library's."
        if isinstance(error, MemoryError) and self._memory_bytes:
            limit = (
                f"The kernel may use {self._memory_bytes / 1024**3:.2g} GB of memory, and the cell needed more. "
                "The operator of the server can change this limit (QUIRE_KERNEL_MEMORY_MB)."
            )
            return f"{message}\n{limit}" if message else limit
        return message

    def _traceback_of(self, error: BaseException) -> list[str]:
        if isinstance(error, UsageError):
            return [f"UsageError: {_text_of(error)}"]
        try:
            if hasattr(error, "_render_traceback_"):
                return [str(line) for line in error._render_traceback_()]
            if isinstance(error, BaseExceptionGroup):
                return _standard_traceback(error)
            formatter = self._shell.InteractiveTB if error.__traceback__ else self._shell.SyntaxTB
            parts: list[str] = formatter.structured_traceback(type(error), error, error.__traceback__, tb_offset=0)
            return "\n".join(parts).split("\n")
        except Exception:  # noqa: BLE001 - whatever is wrong with the author's exception, it must be told
            return _standard_traceback(error)
        finally:
            # It keeps the last traceback, with all the data of its frames.
            self._shell.InteractiveTB.tb = None


def error_of(
    name: str, message: str, *, traceback: list[str] | None = None, line: int = 0, caused_by: str = ""
) -> Event:
    """The keys of `CellError`."""
    if len(message) > MESSAGE_CHARS_MAX:
        message = f"{message[:MESSAGE_CHARS_MAX]} ... ({len(message):,} characters)"
    return {"name": name, "message": message, "traceback": traceback or [], "line": line, "caused_by": caused_by}


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as reason:  # noqa: BLE001 - an author's `__str__` may raise anything
        return f"(no message: its __str__ raised {type(reason).__name__})"


def _standard_traceback(error: BaseException) -> list[str]:
    try:
        return "".join(traceback.format_exception(error)).splitlines()
    except Exception:  # noqa: BLE001 - as above
        return [type(error).__name__]


def _shortened(lines: list[str]) -> list[str]:
    if sum(map(len, lines)) <= TRACEBACK_CHARS_MAX:
        return lines
    half = TRACEBACK_CHARS_MAX // 2
    text = "\n".join(lines)
    return [*text[:half].split("\n"), "...", *text[-half:].split("\n")]


def _was_compiling(error: BaseException, filename: str) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return all(frame.f_code.co_filename != filename for frame, _line in frames)


def _line_of(error: BaseException, filename: str) -> int:
    """The line of the cell that was running last."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno or 0
    line = 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == filename:
            line = number
    return line


def _hide_internal_frames(error: BaseException | None, seen: set[int]) -> None:
    """Take our frames, IPython's and ipykernel's out of an exception and of those that led to it."""
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = _without_internal(error.__traceback__)
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                _hide_internal_frames(inner, seen)
        if error.__cause__ is not None:
            _hide_internal_frames(error.__cause__, seen)
        error = error.__context__


def _without_internal(trace: TracebackType | None) -> TracebackType | None:
    first: list[TracebackType] = []
    last: deque[TracebackType] = deque(maxlen=FRAMES_MAX // 2)
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_INTERNAL):
            if len(first) < FRAMES_MAX // 2:
                first.append(trace)
            else:
                last.append(trace)
        trace = trace.tb_next
    kept: TracebackType | None = None
    for entry in reversed([*first, *last]):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept
