"""An edit of one cell, from sending it to its acknowledgement: it is durable then."""

from collections.abc import Callable
from contextlib import ExitStack

from bench import marimo
from bench.notebooks import SIZES, cell_name, chain, create
from bench.samples import Effort, Samples, repeated_in_turn, timed
from bench.serving import serving
from bench.tables import Table, Value
from bench.wire import Http, Page
from tests.servers import Server

EDITS_PER_ROUND = 10
"""An edit takes so little that more of them are measured."""

NOTE = (
    "Chains, in which each cell depends on the one before: nothing depends on the last cell, everything on the first. "
    "marimo's save writes the file again without syncing it."
)


def measure(effort: Effort) -> list[Table]:
    columns = ("", *(f"{size:,} cells" for size in SIZES), f"{SIZES[-1]:,} / {SIZES[0]}")
    table = Table("Edit of one cell: ms to its acknowledgement", columns, note=NOTE)
    rounds = effort.rounds * EDITS_PER_ROUND
    with serving() as server:
        notebooks = [(create(server, chain(size)), size) for size in SIZES]
        lasts = [(notebook_id, cell_name(size - 1)) for notebook_id, size in notebooks]
        firsts = [(notebook_id, cell_name(0)) for notebook_id, _ in notebooks]
        table.add("Quire, HTTP, last cell", *_with_ratio(_over_http(server, lasts, rounds)))
        table.add("Quire, HTTP, first cell", *_with_ratio(_over_http(server, firsts, rounds)))
        table.add("Quire, WebSocket, last cell", *_with_ratio(_over_sockets(server, lasts, rounds)))
        table.add("Quire, WebSocket, first cell", *_with_ratio(_over_sockets(server, firsts, rounds)))
    if effort.marimo:
        marimo.compare(table, "save", lambda: _with_ratio([marimo.saves(size, effort.rounds) for size in SIZES]))
    return [table]


def _with_ratio(taken: list[Samples]) -> list[Value]:
    return [*taken, taken[-1].median / taken[0].median]


def _new_code(cell_id: str, number: int) -> str:
    """Other code in each round, with the names that the cell has in a chain."""
    place = int(cell_id[1:])
    return f"x = {number}" if place == 0 else f"y{place} = y{place - 1} + {number}\ny{place}"


def _over_http(server: Server, edited: list[tuple[str, str]], rounds: int) -> list[Samples]:
    with Http(server.port) as http:

        def edit_of(notebook_id: str, cell_id: str) -> Callable[[int], object]:
            path = f"/api/notebooks/{notebook_id}/cells/{cell_id}"
            return lambda number: http.call("PUT", path, {"code": _new_code(cell_id, number + 2)})

        return repeated_in_turn([timed(edit_of(*one)) for one in edited], rounds)


def _over_sockets(server: Server, edited: list[tuple[str, str]], rounds: int) -> list[Samples]:
    with ExitStack() as pages:

        def edit_of(notebook_id: str, cell_id: str) -> Callable[[int], object]:
            page = pages.enter_context(Page(server, notebook_id))
            return lambda number: page.acknowledged(page.edit(cell_id, _new_code(cell_id, -number - 1)))

        return repeated_in_turn([timed(edit_of(*one)) for one in edited], rounds)
