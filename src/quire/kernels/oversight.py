"""Holds a kernel to the protocol, whatever a cell has done to the code inside of it."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from quire.kernels.bootstrap.overwriting import Overwriting
from quire.kernels.protocol import (
    OUTPUT_BYTES_MAX,
    OUTPUTS_MAX,
    STREAM_BYTES_MAX,
    CellEnded,
    CellStarted,
    KernelEvent,
    OutputReplaced,
    OutputsCleared,
    OutputShown,
    Plan,
    StreamText,
)
from quire.notebook.model import CellError

ALL_OUTPUT_BYTES_MAX = 64 * 1024 * 1024
"""How much the outputs of one cell may hold in all: one loop must not fill the server's memory."""
NOTE_BYTES_MAX = 200
"""Of the line that says how much of a stream was not kept."""


class _Used(msgspec.Struct):
    """What one cell has sent."""

    stdout: int = 0
    stderr: int = 0
    outputs: int = 0
    output_bytes: int = 0
    lines: dict[str, Overwriting] = msgspec.field(default_factory=lambda: defaultdict(Overwriting))
    """By stream: a line that was written over takes no room."""


class Oversight:
    """Checks the events of one plan. What breaks a limit or the order is dropped."""

    def __init__(self, plan: Plan) -> None:
        self._open = {step.cell_id: _Used() for step in plan.steps}
        self._known = frozenset(self._open)

    def check(self, events: Iterable[KernelEvent], *, done: bool) -> list[KernelEvent]:
        """What of a batch may be passed on. With the last one, every step has its end."""
        passed = [event for event in events if self._passes(event)]
        if done:
            error = CellError("KernelError", "The kernel did not say how this cell ended.")
            passed += [CellEnded(cell_id, "error", 0, error=error) for cell_id in self._open]
            self._open.clear()
        return passed

    def _passes(self, event: KernelEvent) -> bool:
        if isinstance(event, OutputReplaced):
            # May concern a cell that has ended.
            return event.cell_id in self._known and _size_of(event) <= OUTPUT_BYTES_MAX
        used = self._open.get(event.cell_id)
        if used is None:
            return False
        match event:
            case CellEnded():
                del self._open[event.cell_id]
            case OutputsCleared():
                self._open[event.cell_id] = _Used()
            case StreamText():
                return _stream_passes(used, event)
            case OutputShown():
                used.outputs += 1
                used.output_bytes += _size_of(event)
                return (
                    used.outputs <= OUTPUTS_MAX
                    and _size_of(event) <= OUTPUT_BYTES_MAX
                    and used.output_bytes <= ALL_OUTPUT_BYTES_MAX + OUTPUTS_MAX * NOTE_BYTES_MAX
                )
            case CellStarted():
                pass
        return True


def _stream_passes(used: _Used, event: StreamText) -> bool:
    _text, gone = used.lines[event.name].take(event.text)
    size = _utf8_size(event.text) - gone
    if event.name == "stdout":
        used.stdout += size
        total = used.stdout
    else:
        used.stderr += size
        total = used.stderr
    return total <= STREAM_BYTES_MAX + NOTE_BYTES_MAX


def _size_of(event: OutputShown | OutputReplaced) -> int:
    data = event.output.data
    return _utf8_size(data) if isinstance(data, str) else data.size


def _utf8_size(text: str) -> int:
    # Of most large ones without a copy.
    return len(text) if text.isascii() else len(text.encode())
