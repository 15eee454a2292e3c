"""The notebooks that are measured with, made through the public interface."""

import random
from collections.abc import Sequence

from bench.wire import Http, Page
from tests.servers import Server

SIZES = (10, 100, 1000)
"""Cells of the notebooks whose edits and runs are compared."""

_IN_FLIGHT = 50
_WORDS = ["alpha", "frame.groupby", "mean", "0.4213", "select", "where", "join", "index", "lambda", "rolling", "plot"]


def cell_name(number: int) -> str:
    """The id of a notebook's cell; the first is 0."""
    return f"c{number}"


def chain(cells: int) -> list[str]:
    """`x = 1`, then cells that each add one to the one before and show it: the last shows `x + cells - 1`."""
    return ["x = 1", *(f"y{number} = {_before(number)} + 1\ny{number}" for number in range(1, cells))]


def _before(number: int) -> str:
    return "x" if number == 1 else f"y{number - 1}"


def prose(cells: int, bytes_each: int) -> list[str]:
    """Code of a given size that compresses about as well as real code does."""
    chosen = random.Random("prose")  # the same in every run
    return [f"v{number} = {number}\n{_comment(chosen, bytes_each)}"[:bytes_each] for number in range(cells)]


def _comment(chosen: random.Random, size: int) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append("# " + " ".join(chosen.choices(_WORDS, k=9)) + f" {chosen.random():.6f}\n")
    return "".join(lines)


def create(server: Server, codes: Sequence[str] = ()) -> str:
    """A new notebook with these Python cells, named by `cell_name`."""
    with Http(server.port) as http:
        notebook_id = str(http.json("POST", "/api/notebooks", {"name": f"{len(codes)} cells"})["notebook_id"])
    with Page(server, notebook_id) as page:
        for start in range(0, len(codes), _IN_FLIGHT):
            last = ""
            for number, code in enumerate(codes[start : start + _IN_FLIGHT], start):
                last = page.send("insert_cell", cell_type="python", code=code, cell_id=cell_name(number))
            page.acknowledged(last)
    return notebook_id


def run_all(server: Server, notebook_id: str) -> None:
    """Run what is not up to date; returns when all results are durable."""
    with Http(server.port) as http:
        done = http.json("POST", f"/api/notebooks/{notebook_id}/run?wait=true", {})
    wrong = [cell for cell in done["cells"] if cell["status"] != "success"]
    if wrong:
        raise RuntimeError(f"cells without a result: {wrong[:3]}")
