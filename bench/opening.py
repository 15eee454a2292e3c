"""From connecting to a notebook until its kernel is ready, and until all cells have run, beside marimo."""

import time

from bench import marimo
from bench.notebooks import chain, create
from bench.samples import Effort, Samples, stopwatch
from bench.serving import serving
from bench.tables import Table
from bench.wire import Message, Page
from tests.servers import Server

CELLS = 10
WARM_UP = 3
PAUSE_S = 1.0
"""Between two notebooks: the pool of kernels is full again, as with people who open them."""

NOTE = (
    f"A notebook of {CELLS} cells that nobody has open. Quire's kernel starts with the first run, so the run is asked "
    "for as soon as the socket is connected. *Without the pool*: no kernel is started ahead of need. "
    "*All cells*: the value of the last one, on the page and, with Quire, durable."
)


def measure(effort: Effort) -> list[Table]:
    table = Table("Open a notebook: ms from connecting", ("", "kernel ready", "all cells"), note=NOTE)
    table.add("Quire", *_opened(effort.rounds, pool=1))
    table.add("Quire, without the pool", *_opened(effort.rounds, pool=0))
    if effort.marimo:
        marimo.compare(table, "open", lambda: marimo.openings(CELLS, effort.rounds))
    return [table]


def _opened(rounds: int, *, pool: int) -> tuple[Samples, Samples]:
    with serving(QUIRE_KERNEL_POOL=str(pool)) as server:
        taken = [_open(server, create(server, chain(CELLS))) for _ in range(WARM_UP + rounds)][WARM_UP:]
    ready, done = zip(*taken, strict=True)
    return Samples(ready), Samples(done)


def _open(server: Server, notebook_id: str) -> tuple[float, float]:
    time.sleep(PAUSE_S)
    elapsed = stopwatch()
    with Page(server, notebook_id) as page:
        page.send("run")
        page.until(lambda message: message["type"] == "kernel" and message["state"] == "idle")
        ready = elapsed()
        page.until(_shows_last)
        return ready, elapsed()


def _shows_last(message: Message) -> bool:
    if message["type"] != "commit":
        return False
    outputs = message["patch"].get("cells", {}).get(f"c{CELLS - 1}", {}).get("outputs", [])
    return [output["data"] for output in outputs] == [str(CELLS)]
