"""A change of the first cell of a chain, where each cell depends on the one before, until the last shows its value."""

from bench import marimo
from bench.notebooks import SIZES, cell_name, chain, create, run_all
from bench.samples import Effort, Samples, repeated, stopwatch
from bench.serving import serving
from bench.tables import Table
from bench.wire import Http, Message, Page
from tests.servers import Server

NOTE = (
    "All times begin when the edit is sent, and the run right behind it. *Last value*: the page has the value of the "
    "last cell. *Durable*: `run?wait=true` has answered, so that all results are in the log."
)


def measure(effort: Effort) -> list[Table]:
    columns = ("", *(f"{size:,} cells" for size in SIZES))
    table = Table("Re-run of a chain: ms", columns, note=NOTE)
    with serving() as server:
        notebooks = [(create(server, chain(size)), size) for size in SIZES]
        for notebook_id, _ in notebooks:
            run_all(server, notebook_id)
        table.add("Quire, last value", *(_to_last_value(server, *notebook, effort.rounds) for notebook in notebooks))
        table.add("Quire, durable", *(_to_durable(server, *notebook, effort.rounds) for notebook in notebooks))
    if effort.marimo:
        marimo.compare(table, "last value", lambda: [marimo.reruns(size, effort.rounds) for size in SIZES])
    return [table]


def _to_last_value(server: Server, notebook_id: str, size: int, rounds: int) -> Samples:
    first, last = cell_name(0), cell_name(size - 1)
    with Page(server, notebook_id) as page:

        def rerun(number: int) -> float:
            value = str(1000 + number + size - 1)
            elapsed = stopwatch()
            page.edit(first, f"x = {1000 + number}")
            page.send("run", cell_ids=[first])
            page.until(lambda message: value in _shown(message, last))
            taken = elapsed()
            page.until(lambda message: message["type"] == "run" and message["state"] == "finished")
            return taken

        return repeated(rerun, rounds)


def _shown(message: Message, cell_id: str) -> list[str]:
    """What a message says that a cell shows: as it runs, or as committed."""
    if message["type"] == "output" and message["cell_id"] == cell_id:
        return [message["output"]["data"]]
    if message["type"] == "commit":
        outputs = message["patch"].get("cells", {}).get(cell_id, {}).get("outputs", [])
        return [output["data"] for output in outputs]
    return []


def _to_durable(server: Server, notebook_id: str, size: int, rounds: int) -> Samples:
    base = f"/api/notebooks/{notebook_id}"
    with Http(server.port) as http:

        def rerun(number: int) -> float:
            elapsed = stopwatch()
            http.call("PUT", f"{base}/cells/{cell_name(0)}", {"code": f"x = -{number}"})
            http.call("POST", f"{base}/run?wait=true", {"cell_ids": [cell_name(0)]})
            taken = elapsed()
            shown = http.json("GET", base)["cells"][-1]["outputs"][0]["data"]
            if shown != str(size - 1 - number):
                raise RuntimeError(f"the last cell shows {shown}")
            return taken

        return repeated(rerun, rounds)
