"""What a kernel reports of a running cell, noted on the cell and put into words for subscribers."""

from quire.kernels import protocol as kp
from quire.sessions import events
from quire.sessions.live_cell import LiveCell


def take(cell: LiveCell, event: kp.KernelEvent) -> events.Event | None:
    """Note what a running cell did; what to tell subscribers of it."""
    match event:
        case kp.CellStarted():
            cell.status, cell.started_at = "running", event.at
            return events.StatusChanged({cell.cell_id: events.Progress("running", event.at)})
        case kp.StreamText():
            kept = cell.stream(event.name, event.text)
            return events.Streamed(cell.cell_id, event.name, kept) if kept else None
        case kp.OutputShown():
            return events.Shown(cell.cell_id, event.output) if cell.show(event.output) else None
        case kp.OutputReplaced():
            cell.replace(event.output)
            return events.Shown(cell.cell_id, event.output, replace=True)
        case kp.OutputsCleared():
            cell.clear()
            return events.Cleared(cell.cell_id)
        case kp.CellEnded():
            return None
