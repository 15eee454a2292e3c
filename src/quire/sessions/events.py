"""What a session tells its subscribers, in order: commits, and what is not stored."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from quire.analysis.graph import Graph
from quire.notebook.changes import Commit
from quire.notebook.model import Cell, CellStatus, Notebook, Output

KernelState = Literal["none", "starting", "idle", "busy", "dead"]

QUEUE_EVENTS_MAX = 20_000
"""A subscriber that lags further behind is let go; it connects again with the last revision it has."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a cell stands in a run that is under way."""

    status: CellStatus
    started_at: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A state and what is derived from it: enough to show the notebook."""

    state: Notebook
    graph: Graph
    progress: Mapping[str, Progress]
    kernel: KernelState
    cut_off: bool
    """No kernel of this process runs the notebook, so `running` in the log means a run that was cut off (R3)."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A durable commit, with the graphs around it."""

    before: Notebook
    after: Notebook
    commit: Commit
    graph_before: Graph
    graph_after: Graph


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Cells that were queued, started, or left the queue without a result."""

    cells: Mapping[str, Progress]


@dataclass(frozen=True, slots=True)
class Streamed:
    cell_id: str
    name: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An output that is new, or replaces those with its `display_id`."""

    cell_id: str
    output: Output
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Cleared:
    cell_id: str


@dataclass(frozen=True, slots=True)
class RunChanged:
    run_id: str
    state: Literal["started", "finished"]
    cell_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KernelChanged:
    state: KernelState


@dataclass(frozen=True, slots=True)
class Saving:
    """`detail` says why the store does not take commits; None: it does again."""

    detail: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The last event: the session is gone."""

    reason: str


Event = Committed | StatusChanged | Streamed | Shown | Cleared | RunChanged | KernelChanged | Saving | Closed


class Subscription:
    """One subscriber's events, from the moment it subscribed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self.lagging = False

    def offer(self, event: Event) -> None:
        """Add an event; a subscriber that lags too far behind gets a final Closed instead."""
        if self.lagging:
            return
        if self._queue.qsize() >= QUEUE_EVENTS_MAX:
            self.lagging = True
            event = Closed("This connection could not keep up. It continues from the last revision it has.")
        self._queue.put_nowait(event)

    async def next(self) -> Event:
        """The next event, in order."""
        return await self._queue.get()

    def waiting(self) -> list[Event]:
        """What has arrived meanwhile, without waiting."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]


class Subscribers:
    """Everybody who follows a session."""

    def __init__(self) -> None:
        self._all: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._all)

    def add(self) -> Subscription:
        subscription = Subscription()
        self._all.add(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        self._all.discard(subscription)

    def tell(self, event: Event) -> None:
        for subscription in self._all:
            subscription.offer(event)


def shown_status(cell: Cell, view: View) -> CellStatus:
    """A cell's status as a person should see it: what runs now before what the log says."""
    if (progress := view.progress.get(cell.cell_id)) is not None:
        return progress.status
    if cell.status in {"running", "queued"} and view.cut_off:
        return "error"
    return cell.status
