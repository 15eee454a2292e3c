"""A plan that runs now."""

from dataclasses import dataclass, field

from quire.kernels.protocol import CellEnded
from quire.sessions.live_cell import LiveCell


@dataclass(slots=True)
class Attempt:
    """What a kernel was asked to run: the cells that have not ended yet."""

    run_id: str
    epoch: int
    base_revision: int
    cells: dict[str, LiveCell] = field(default_factory=dict)
    displays: dict[str, tuple[LiveCell, CellEnded]] = field(default_factory=dict)
    """Cells that have ended, and have outputs that cells behind them may still change (`update_display`)."""
    outdated: set[str] = field(default_factory=set)
    """Cells whose ancestors were edited since the plan was made: their results are stale at once."""
    interrupted_at: float | None = None
    """When an interrupt was asked for first, by the event loop's clock."""

    def withdraw(self, outdated: set[str]) -> set[str]:
        """Note that these cells' inputs changed; those of them that have not ended."""
        under_way = outdated & self.cells.keys()
        self.outdated |= under_way
        return under_way

    def hit(self) -> list[LiveCell]:
        """The cells that a kernel's death takes with it: what ran, or else what was to run next."""
        running = [cell for cell in self.cells.values() if cell.status == "running"]
        return running or list(self.cells.values())[:1]
