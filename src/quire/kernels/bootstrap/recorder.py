"""What happens while a plan runs, collected and sent in batches."""

import codecs
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .interrupts import Interrupts
from .overwriting import Overwriting, collapsed

StreamName = Literal["stdout", "stderr"]
Event = dict[str, Any]

FLUSH_INTERVAL_S = 0.02
"""Shortest time between two batches: a chain of 1,000 cells costs a few messages, and a person sees no delay."""
TICK_S = 0.03
"""How often a thread looks for something to send while a cell keeps the main thread busy."""
BATCH_BYTES_MAX = 4 * 1024 * 1024
"""Larger batches are sent at once."""

_MB = 1024 * 1024
_REPLACE_SURROGATES = "quire.replace-surrogates"


def _replace_surrogates(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "\ufffd".encode() * (error.end - error.start), error.end


codecs.register_error(_REPLACE_SURROGATES, _replace_surrogates)


def size_of(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", _REPLACE_SURROGATES))


def encoded(content: Any) -> bytes:
    """JSON, with what UTF-8 cannot say replaced."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", _REPLACE_SURROGATES)


@dataclass(frozen=True)
class Limits:
    """What is kept of one cell. Bytes of UTF-8; binary outputs count as base64."""

    stream_bytes: int
    output_bytes: int
    outputs: int
    all_output_bytes: int


@dataclass
class _Stream:
    kept: int = 0
    dropped: int = 0
    ends_line: bool = True
    overwriting: Overwriting = field(default_factory=Overwriting)


@dataclass
class _Cell:
    cell_id: str
    started: float
    streams: dict[StreamName, _Stream] = field(default_factory=lambda: {"stdout": _Stream(), "stderr": _Stream()})
    outputs: int = 0
    output_bytes: int = 0
    clear_next: bool = False


class Recorder:
    """Takes text and outputs from any thread, for the cell that runs at that moment.

    Between plans there is no cell: what background threads print then is dropped.
    """

    def __init__(self, send: Callable[[bytes], None], limits: Limits, interrupts: Interrupts) -> None:
        self._send = send
        self._limits = limits
        self._interrupts = interrupts
        # Re-entrant: the garbage collector may run a `__del__` that prints while we hold them.
        self._lock = threading.RLock()
        self._sending = threading.RLock()
        self._flushing = False
        self._cell: _Cell | None = None
        self._events: list[Event] = []
        self._pending_bytes = 0
        self._plan = 0
        self._sent_ns = 0
        self._told_interrupt = False
        self._sequence = 0
        self._flushed_at = 0.0
        self._displays: dict[str, str] = {}
        self._plan_open = threading.Event()
        threading.Thread(target=self._tick, name="quire-recorder", daemon=True).start()

    def cell_id(self) -> str | None:
        """The cell that runs now."""
        cell = self._cell
        return cell.cell_id if cell is not None else None

    def open_plan(self, plan: int, sent_ns: int) -> None:
        self._plan = plan
        self._sent_ns = sent_ns
        self._told_interrupt = False
        self._flushed_at = time.monotonic()
        self._displays.clear()
        self._plan_open.set()

    def close_plan(self) -> None:
        """Send what is left, marked as the end of the plan."""
        self._plan_open.clear()
        self.flush(done=True)

    def start_cell(self, cell_id: str) -> None:
        with self._lock:
            self._cell = _Cell(cell_id, time.perf_counter())
            self._add({"type": "started", "cell_id": cell_id, "at": _now_ms()})

    def end_cell(self, error: Event | None) -> None:
        """The running cell is done: a success, or an error."""
        with self._lock:
            cell = self._cell
            if cell is None:
                return
            for name, stream in cell.streams.items():
                if stream.dropped:
                    self._add_text(cell, name, self._dropped_note(stream))
            duration_ms = round((time.perf_counter() - cell.started) * 1000)
            self._cell = None
            self.end_without_running(cell.cell_id, "error" if error else "success", error, duration_ms)

    def end_without_running(
        self,
        cell_id: str,
        status: Literal["success", "error", "blocked", "skipped"],
        error: Event | None = None,
        duration_ms: int = 0,
    ) -> None:
        event = {"type": "ended", "cell_id": cell_id, "status": status, "at": _now_ms(), "duration_ms": duration_ms}
        if error is not None:
            event["error"] = error
        with self._lock:
            self._add(event)

    def drop(self, name: StreamName, text: str) -> bool:
        """Only count the text, if nothing more of the stream is kept: a hundred megabytes pass here, so no lock."""
        cell = self._cell
        if cell is None:
            return True
        stream = cell.streams[name]
        if stream.kept < self._limits.stream_bytes or cell.clear_next:
            return False
        stream.dropped += size_of(text)
        return True

    def text(self, name: StreamName, text: str) -> None:
        """Something was printed."""
        if "\r" in text and self._is_short_of_room(name, text):
            # What is pending may shrink.
            self.flush()
        with self._interrupts, self._lock:
            if self.drop(name, text) or not text:
                return
            cell = self._cell
            if cell is None:
                return
            self._clear_if_due(cell)
            stream = cell.streams[name]
            size = size_of(text)
            room = self._limits.stream_bytes - stream.kept
            if size > room:
                text = text.encode("utf-8", _REPLACE_SURROGATES)[:room].decode("utf-8", "ignore")
                kept = size_of(text)
                stream.dropped += size - kept
                stream.kept = self._limits.stream_bytes
                size = kept
            else:
                stream.kept += size
            if text:
                stream.ends_line = text.endswith("\n")
                self._pending_bytes += size
                self._add_text(cell, name, text)
        self._flush_if_due()

    def show(self, output: Event) -> None:
        """An output was shown. Keys of `output`: those of `Output`."""
        with self._interrupts, self._lock:
            cell = self._cell
            if cell is None:
                return
            self._clear_if_due(cell)
            cell.outputs += 1
            if cell.outputs > self._limits.outputs:
                return
            if cell.outputs == self._limits.outputs:
                output = _plain(f"More outputs were not kept: up to {self._limits.outputs:,} of a cell are.")
            output = self._within_all(cell, self._within_one(output))
            if output["display_id"]:
                self._displays[output["display_id"]] = cell.cell_id
            self._add({"type": "output", "cell_id": cell.cell_id, "output": output})
        self._flush_if_due()

    def replace(self, output: Event) -> None:
        """Every output with this `display_id` becomes `output`."""
        with self._interrupts, self._lock:
            cell = self._cell
            if cell is None:
                return
            cell_id = self._displays.get(output["display_id"], cell.cell_id)
            output = self._within_one(output)
            self._pending_bytes += len(output["data"])
            event = {"type": "replace", "cell_id": cell_id, "output": output}
            for index, earlier in enumerate(self._events):
                if earlier["type"] == "replace" and earlier["output"]["display_id"] == output["display_id"]:
                    # A progress bar may change faster than it is sent: only its newest state matters.
                    self._pending_bytes -= len(earlier["output"]["data"])
                    self._events[index] = event
                    break
            else:
                self._add(event)
        self._flush_if_due()

    def clear(self, *, wait: bool) -> None:
        """What the cell has shown so far goes away: now, or when it shows something next."""
        with self._interrupts, self._lock:
            if self._cell is None:
                return
            self._cell.clear_next = True
            if not wait:
                self._clear_if_due(self._cell)
        self._flush_if_due()

    def flush(self, *, done: bool = False) -> None:
        """Send what is pending."""
        with self._interrupts, self._sending:
            if self._flushing:
                return
            self._flushing = True
            try:
                with self._lock:
                    events, self._events = [self._settled(event) for event in self._events], []
                    self._pending_bytes = 0
                    self._flushed_at = time.monotonic()
                if events or done or self._interrupt_is_news():
                    self._send_batch(events, done=done)
            finally:
                self._flushing = False

    def _send_batch(self, events: list[Event], *, done: bool) -> None:
        interrupted = self._interrupts.requested_since(self._sent_ns)
        try:
            batch = self._encode(events, done=done, interrupted=interrupted)
        except MemoryError:
            # Nothing is lost; there will be a better moment.
            with self._lock:
                events += self._events
                self._events = events
            raise
        self._sequence += 1
        self._told_interrupt = interrupted
        self._send(batch)

    def _is_short_of_room(self, name: StreamName, text: str) -> bool:
        cell = self._cell
        return cell is not None and cell.streams[name].kept + size_of(text) > self._limits.stream_bytes

    def _settled(self, event: Event) -> Event:
        """Text without what it overwrites: what is gone makes room for more."""
        if event["type"] != "stream":
            return event
        text, cell = "".join(event["text"]), self._cell
        if cell is None or cell.cell_id != event["cell_id"]:
            return {**event, "text": [collapsed(text)]}
        stream = cell.streams[event["name"]]
        text, gone = stream.overwriting.take(text)
        if stream.kept < self._limits.stream_bytes:
            stream.kept = max(0, stream.kept - gone)
        return {**event, "text": [text]}

    def _encode(self, events: list[Event], *, done: bool, interrupted: bool) -> bytes:
        batch = {
            "plan": self._plan,
            "sequence": self._sequence + 1,
            "done": done,
            "interrupted": interrupted,
            "events": [
                {**event, "text": "".join(event["text"])} if event["type"] == "stream" else event for event in events
            ],
        }
        return encoded(batch)

    def _add(self, event: Event) -> None:
        self._events.append(event)

    def _add_text(self, cell: _Cell, name: StreamName, text: str) -> None:
        last = self._events[-1] if self._events else None
        if last and last["type"] == "stream" and last["name"] == name and last["cell_id"] == cell.cell_id:
            last["text"].append(text)
        else:
            self._add({"type": "stream", "cell_id": cell.cell_id, "name": name, "text": [text]})

    def _clear_if_due(self, cell: _Cell) -> None:
        if not cell.clear_next:
            return
        fresh = _Cell(cell.cell_id, cell.started)
        cell.streams, cell.outputs, cell.output_bytes, cell.clear_next = fresh.streams, 0, 0, False
        # What has not been sent yet need not be: an animation costs one frame per batch.
        gone = {"stream", "output", "clear"}
        self._events = [e for e in self._events if e["type"] not in gone or e["cell_id"] != cell.cell_id]
        self._add({"type": "clear", "cell_id": cell.cell_id})

    def _within_one(self, output: Event) -> Event:
        size, limit = size_of(output["data"]), self._limits.output_bytes
        if size <= limit:
            return output
        return _plain(
            f"This output is {size / _MB:.1f} MB; up to {limit // _MB} MB are kept. "
            "Show less of it, or write it to a file.",
            output["display_id"],
        )

    def _within_all(self, cell: _Cell, output: Event) -> Event:
        size, limit = size_of(output["data"]), self._limits.all_output_bytes
        if cell.output_bytes + size > limit:
            output = _plain(
                f"This output of {size / _MB:.1f} MB was not kept: the outputs of one cell are kept "
                f"up to {limit // _MB} MB in all.",
                output["display_id"],
            )
            size = len(output["data"])
        cell.output_bytes += size
        self._pending_bytes += size
        return output

    def _dropped_note(self, stream: _Stream) -> str:
        start = "" if stream.ends_line else "\n"
        limit = self._limits.stream_bytes // _MB
        return f"{start}... {stream.dropped:,} more bytes were not kept: a cell's output is kept up to {limit} MB\n"

    def _interrupt_is_news(self) -> bool:
        return not self._told_interrupt and self._interrupts.requested_since(self._sent_ns)

    def _flush_if_due(self) -> None:
        due = time.monotonic() - self._flushed_at >= FLUSH_INTERVAL_S or self._pending_bytes > BATCH_BYTES_MAX
        if due and (self._events or self._interrupt_is_news()):
            self.flush()

    def _tick(self) -> None:
        while self._plan_open.wait():
            time.sleep(TICK_S)
            try:
                if self._plan_open.is_set():
                    self._flush_if_due()
            except MemoryError:
                # Of the cell that runs, which will be told.
                continue


def _plain(text: str, display_id: str = "") -> Event:
    return {"mime_type": "text/plain", "data": text, "metadata": "{}", "display_id": display_id}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
