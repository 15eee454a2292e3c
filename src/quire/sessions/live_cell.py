"""A cell of a run that is under way: what it has printed and shown so far."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from quire.kernels.protocol import OUTPUTS_MAX, STREAM_BYTES_MAX, without_overwritten
from quire.notebook.changes import CellRan
from quire.notebook.codec import DEPTH_MAX
from quire.notebook.depth import nesting_of
from quire.notebook.model import CellError, Output
from quire.sessions.consequences import SYSTEM

TRACEBACK_LINES_MAX = 200
TRACEBACK_CHARS_MAX = 16_000
MESSAGE_CHARS_MAX = 4_000
METADATA_CHARS_MAX = 16_000
_OVERWRITTEN_CHARS_MAX = 10_000
"""Text that progress bars have written over is removed when it may be as much, or as much as what stays."""


class Text:
    """Printed text, joined only when it is needed, kept up to a limit. Lines that are written over leave no trace."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._kept = 0
        self._settled = 0
        self._overwrites = False

    def add(self, text: str) -> str:
        """Keep `text`, or its beginning; returns what was kept."""
        self._overwrites = self._overwrites or "\r" in text
        if self._overwrites and self._kept + len(text) > min(
            2 * self._settled + _OVERWRITTEN_CHARS_MAX, STREAM_BYTES_MAX
        ):
            self.value()
        kept = text[: max(0, STREAM_BYTES_MAX + 1000 - self._kept)]
        if kept:
            self._parts.append(kept)
            self._kept += len(kept)
        return kept

    def value(self) -> str:
        """All that was kept."""
        joined = "".join(self._parts)
        if self._overwrites:
            joined = without_overwritten(joined)
            self._kept = self._settled = len(joined)
        self._parts = [joined] if joined else []
        return joined


@dataclass(slots=True)
class LiveCell:
    """One step of a plan. `status` is queued until the kernel starts it."""

    cell_id: str
    code_hash: str
    status: Literal["queued", "running"] = "queued"
    started_at: int = 0
    stdout: Text = field(default_factory=Text)
    stderr: Text = field(default_factory=Text)
    outputs: list[Output] = field(default_factory=list)
    dirty: bool = False
    """Whether something was shown since the last partial result."""

    def stream(self, name: Literal["stdout", "stderr"], text: str) -> str:
        self.dirty = True
        return (self.stdout if name == "stdout" else self.stderr).add(text)

    def show(self, output: Output) -> bool:
        """Keep an output; whether it was kept."""
        if len(self.outputs) > OUTPUTS_MAX:
            return False
        self.outputs.append(with_sound_metadata(output))
        self.dirty = True
        return True

    def replace(self, output: Output) -> None:
        """Give every output with this `display_id` the new content."""
        output = with_sound_metadata(output)
        self.outputs = [output if old.display_id == output.display_id else old for old in self.outputs]
        self.dirty = True

    def clear(self) -> None:
        self.outputs.clear()
        self.stdout, self.stderr = Text(), Text()
        self.dirty = True

    def result(
        self,
        status: Literal["running", "success", "error"],
        *,
        run_id: str,
        epoch: int,
        base_revision: int,
        at: int,
        duration_ms: int,
        error: CellError | None = None,
    ) -> CellRan:
        """What to commit of it now."""
        self.dirty = False
        return CellRan(
            author=SYSTEM,
            at=at,
            cell_id=self.cell_id,
            run_id=run_id,
            epoch=epoch,
            code_hash=self.code_hash,
            base_revision=base_revision,
            status=status,
            started_at=self.started_at,
            duration_ms=duration_ms,
            stdout=self.stdout.value(),
            stderr=self.stderr.value(),
            outputs=tuple(self.outputs),
            error=bounded(error),
        )


def with_sound_metadata(output: Output) -> Output:
    """`output`; without its metadata if that is no JSON object, or one too deep or large to be stored (E2)."""
    text = output.metadata
    if text == "{}":
        return output
    try:
        sound = len(text) <= METADATA_CHARS_MAX and nesting_of(text, DEPTH_MAX) <= DEPTH_MAX
        sound = sound and isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        sound = False
    return output if sound else msgspec.structs.replace(output, metadata="{}")


def bounded(error: CellError | None) -> CellError | None:
    """An error whose texts are short enough for the log: the ends of a long traceback say most."""
    if error is None:
        return None
    lines = error.traceback
    if len(lines) > TRACEBACK_LINES_MAX:
        half = TRACEBACK_LINES_MAX // 2
        lines = (*lines[:half], f"... {len(lines) - 2 * half} lines not kept ...", *lines[-half:])
    budget = max(200, TRACEBACK_CHARS_MAX // max(1, len(lines)))
    return CellError(
        name=error.name[:200],
        message=error.message[:MESSAGE_CHARS_MAX],
        traceback=tuple(line if len(line) <= budget else line[:budget] + " ..." for line in lines),
        line=error.line,
        caused_by=error.caused_by,
    )
