"""What the server lets pass of what a kernel sends, whatever a cell has done to the code inside of it."""

import pytest

from quire.kernels.oversight import Oversight
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
    Step,
    StreamText,
)
from quire.notebook.model import Output

STARTED = CellStarted("a", 1)
ENDED = CellEnded("a", "success", 2)


@pytest.fixture
def oversight() -> Oversight:
    return Oversight(Plan("r", (Step("a", ""), Step("b", ""))))


def test_what_keeps_to_the_protocol_passes(oversight: Oversight) -> None:
    shown = OutputShown("a", Output("text/plain", "1"))
    events: list[KernelEvent] = [STARTED, StreamText("a", "stdout", "x"), shown, OutputsCleared("a"), ENDED]
    assert oversight.check(events, done=False) == events
    # A display may change after its cell has ended.
    replaced = OutputReplaced("a", Output("text/plain", "2", display_id="d"))
    assert oversight.check([replaced], done=False) == [replaced]


@pytest.mark.parametrize("event", [ENDED, STARTED, StreamText("a", "stdout", "x"), OutputsCleared("a")])
def test_nothing_follows_an_end(oversight: Oversight, event: KernelEvent) -> None:
    oversight.check([STARTED, ENDED], done=False)
    assert oversight.check([event], done=False) == []


def test_unknown_cells_are_dropped(oversight: Oversight) -> None:
    output = Output("text/plain", "1")
    assert (
        oversight.check([CellStarted("z", 1), OutputReplaced("z", output), CellEnded("z", "success", 1)], done=False)
        == []
    )


def test_every_step_has_its_end(oversight: Oversight) -> None:
    events = oversight.check([STARTED, ENDED], done=True)
    assert [(e.cell_id, e.status) for e in events if isinstance(e, CellEnded)] == [("a", "success"), ("b", "error")]


def test_limits_hold_here_as_well(oversight: Oversight) -> None:
    full = StreamText("a", "stdout", "é" * (STREAM_BYTES_MAX // 2))
    note = StreamText("a", "stdout", "\n... 1 more bytes were not kept")
    assert oversight.check([full, note, full], done=False) == [full, note]
    stderr = StreamText("a", "stderr", "own limit")
    assert oversight.check([stderr], done=False) == [stderr]
    large = OutputShown("a", Output("text/plain", "x" * (OUTPUT_BYTES_MAX + 1)))
    assert oversight.check([large, OutputReplaced("a", large.output)], done=False) == []
    small = OutputShown("a", Output("text/plain", "x"))
    assert len(oversight.check([small] * (OUTPUTS_MAX + 5), done=False)) == OUTPUTS_MAX - 1
    assert oversight.check([OutputsCleared("a"), small], done=False)[1:] == [small]
    largest = OutputShown("b", Output("text/plain", "x" * OUTPUT_BYTES_MAX))
    assert len(oversight.check([largest] * 20, done=False)) == 8
