"""From spawning the process to the first 200 of its health check, with few and with many notebooks in the store."""

from pathlib import Path

from bench import marimo
from bench.samples import Effort, repeated_in_turn, stopwatch
from bench.serving import await_health, data_folder, free_port, running
from bench.tables import Table
from bench.wire import Http
from tests.servers import Server

NOTEBOOKS = 1000


class _PolledServer(Server):
    """Asked more often than tests need, and at less cost."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()

    def _answers(self) -> bool:
        await_health(self.port, "/healthz")
        return True


def measure(effort: Effort) -> list[Table]:
    table = Table("Start: ms from spawning the process to the first answer", ("", "ready"))
    with data_folder() as empty, data_folder() as full:
        with running(Server(full)) as server, Http(server.port) as http:
            for number in range(NOTEBOOKS):
                http.call("POST", "/api/notebooks", {"name": f"Notebook {number}"})
        few, many = repeated_in_turn([lambda _: _start(empty), lambda _: _start(full)], effort.rounds)
    table.add("Quire, empty store", few)
    table.add(f"Quire, {NOTEBOOKS:,} notebooks", many)
    if effort.marimo:
        marimo.compare(table, "ready", lambda: [marimo.starts(effort.rounds)])
    return [table]


def _start(folder: Path) -> float:
    server = _PolledServer(folder)
    elapsed = stopwatch()
    with running(server):
        return elapsed()
