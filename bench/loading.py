"""Opening notebooks that the process has and has not opened before, and listing many."""

from functools import partial

from bench.notebooks import chain, create, run_all
from bench.samples import Effort, Samples, repeated, repeated_in_turn, stopwatch, timed
from bench.serving import WITHOUT_KERNELS, data_folder, running, serving
from bench.tables import Table
from bench.wire import Http
from tests.servers import Server

SIZES = (10, 200, 1000)
LISTED = 1000


def measure(effort: Effort) -> list[Table]:
    loads = Table("Load of a notebook with results: ms", ("", *(f"{size:,} cells" for size in SIZES)))
    with data_folder() as folder:
        server = Server(folder, environment=WITHOUT_KERNELS)
        with running(server):
            notebooks = [create(server, chain(size)) for size in SIZES]
            for notebook_id in notebooks:
                run_all(server, notebook_id)
        loads.add("first time in a new server", *_cold(server, notebooks, effort.rounds))
        with running(server), Http(server.port) as http:
            paths = [f"/api/notebooks/{notebook_id}" for notebook_id in notebooks]
            loads.add(
                "open already", *repeated_in_turn([timed(partial(_get, http, path)) for path in paths], effort.rounds)
            )
    return [loads, _listing(effort.rounds)]


def _get(http: Http, path: str, _round: int) -> None:
    http.call("GET", path)


def _cold(server: Server, notebooks: list[str], rounds: int) -> list[Samples]:
    """Each round restarts the server; they take turns in being its first."""
    taken: list[list[float]] = [[] for _ in notebooks]
    for number in range(rounds):
        with running(server), Http(server.port) as http:
            http.call("GET", "/api/me")
            for step in range(len(notebooks)):
                which = (number + step) % len(notebooks)
                elapsed = stopwatch()
                http.call("GET", f"/api/notebooks/{notebooks[which]}")
                taken[which].append(elapsed())
    return [Samples(tuple(values)) for values in taken]


def _listing(rounds: int) -> Table:
    table = Table(f"List of {LISTED:,} notebooks: ms", ("", "time"))
    with serving(**WITHOUT_KERNELS) as server, Http(server.port) as http:
        for number in range(LISTED):
            http.call("POST", "/api/notebooks", {"name": f"Notebook {number}"})

        def pages(limit: int) -> int:
            """Follow the cursors to the end; how many notebooks there are."""
            cursor, found = "", 0
            while True:
                page = http.json("GET", f"/api/notebooks?limit={limit}{cursor}")
                found += len(page["notebooks"])
                if page["next_cursor"] is None:
                    return found
                cursor = f"&cursor={page['next_cursor']}"

        if pages(100) < LISTED:
            raise RuntimeError("the list is not complete")
        table.add("first page of 100", repeated(timed(partial(_get, http, "/api/notebooks?limit=100")), rounds))
        table.add("all, in pages of 100", repeated(timed(lambda _: pages(100)), rounds))
        table.add("all, in one page", repeated(timed(lambda _: pages(1000)), rounds))
    return table
