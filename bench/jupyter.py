"""Edits, loads and lists beside Jupyter Server's: the same content, in one run, both over HTTP."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.foreign import NotInstallable
from bench.instances import coded
from bench.jupyter_server import (
    VERSION,
    JupyterServer,
    contents_path,
    first_source,
    jupyter_server,
    notebook_file,
    save_body,
)
from bench.notebooks import cell_name, create, prose
from bench.samples import WARM_UP, Effort, Samples, repeated_in_turn, stopwatch, timed
from bench.serving import WITHOUT_KERNELS, data_folder, running
from bench.tables import Table
from bench.wire import Http
from bench.written import CELL_BYTES, NOTEBOOKS, written_bytes
from tests.servers import Server

EDITS_PER_ROUND = 10
EDITS_OF_OURS = 640
"""As many that a checkpoint of every notebook falls due."""
COLD_ROUNDS = 5
LISTED = 1000

JUPYTER = f"Jupyter Server {VERSION}"
NOTE = (
    f"Cells of {CELL_BYTES:,} bytes that never ran, on one disk. An edit changes the first: Quire is sent the cell, "
    "Jupyter the notebook, which is how JupyterLab saves (its body is made before the clock starts). The two take "
    "turns. *Written* is `write_bytes` of `/proc/PID/io`, a mean: over all edits of Jupyter's, and over "
    f"{EDITS_OF_OURS} of Quire's, among which checkpoints of every notebook fall due. Both sync before they answer."
)
LOAD_NOTE = "Jupyter reads the file each time; Quire has an open notebook in memory, and a new server reads its log."


def measure(effort: Effort) -> list[Table]:
    try:
        with data_folder() as folder, data_folder() as theirs, jupyter_server(theirs) as jupyter:
            server = Server(folder, environment=WITHOUT_KERNELS)
            with running(server):
                edits, notebooks = _edits(server, jupyter, effort)
                loads = _loads(server, jupyter, notebooks, effort)
            loads.rows.insert(1, ("Quire, first time in a new server", list(_cold(server, notebooks))))
            with data_folder() as many, running(Server(many, environment=WITHOUT_KERNELS)) as listing:
                return [edits, loads, _lists(listing, jupyter, effort)]
    except NotInstallable as error:
        return [Table("Beside Jupyter Server", ("",), note=f"Not measured: {JUPYTER} cannot be installed: {error}")]


def _edits(server: Server, jupyter: JupyterServer, effort: Effort) -> tuple[Table, list[str]]:
    """The table, and the ids of the notebooks that were made."""
    table = Table("Edit of one cell beside Jupyter Server", ("", *NOTEBOOKS), note=NOTE)
    columns, ids = [], []
    for name, cells in NOTEBOOKS.items():
        codes = prose(cells, CELL_BYTES)
        ids.append(create(server, codes))
        columns.append(_edit(server, ids[-1], jupyter, name, codes, effort.rounds * EDITS_PER_ROUND))
    for row, what in enumerate(("Quire, ms", f"{JUPYTER}, ms", "Quire, KB written", f"{JUPYTER}, KB written")):
        table.add(what, *(column[row] for column in columns))
    return table, ids


def _edit(
    server: Server, notebook_id: str, jupyter: JupyterServer, name: str, codes: list[str], edits: int
) -> tuple[Samples, Samples, float, float]:
    notebook, path = notebook_file(codes), contents_path(file_name(name))
    cell = f"/api/notebooks/{notebook_id}/cells/{cell_name(0)}"
    with Http(server.port) as ours, Http(jupyter.port) as theirs:

        def edit(number: int) -> float:
            body = {"code": coded(codes[0], number)}
            elapsed = stopwatch()
            ours.call("PUT", cell, body)
            return elapsed()

        def save(number: int) -> float:
            notebook["cells"][0]["source"] = coded(codes[0], number)
            body = msgspec.Raw(save_body(notebook))
            elapsed = stopwatch()
            theirs.call("PUT", path, body)
            return elapsed()

        edit(0)
        save(0)
        began = written_bytes(server.pid), written_bytes(jupyter.pid)
        taken = repeated_in_turn([edit, save], edits)
        their_kb = (written_bytes(jupyter.pid) - began[1]) / 1000 / (WARM_UP + edits)
        for number in range(WARM_UP + edits, EDITS_OF_OURS):
            edit(number)
        our_kb = (written_bytes(server.pid) - began[0]) / 1000 / max(EDITS_OF_OURS, WARM_UP + edits)
        if first_source(theirs, path) != notebook["cells"][0]["source"]:
            raise RuntimeError("Jupyter answered, but the file does not have the change")
    return taken[0], taken[1], our_kb, their_kb


def file_name(name: str) -> str:
    return f"{name.replace(' ', '-')}.ipynb"


def _loads(server: Server, jupyter: JupyterServer, notebooks: list[str], effort: Effort) -> Table:
    table = Table("Load beside Jupyter Server: ms", ("", *NOTEBOOKS), note=LOAD_NOTE)
    with Http(server.port) as ours, Http(jupyter.port) as theirs:
        actions: list[Callable[[int], float]] = []
        for notebook_id, name in zip(notebooks, NOTEBOOKS, strict=True):
            actions.append(_get(ours, f"/api/notebooks/{notebook_id}"))
            actions.append(_get(theirs, f"{contents_path(file_name(name))}?content=1"))
        taken = repeated_in_turn(actions, effort.rounds)
    table.add("Quire, open already", *taken[::2])
    table.add(JUPYTER, *taken[1::2])
    return table


def _get(http: Http, path: str) -> Callable[[int], float]:
    return timed(lambda _: http.call("GET", path))


def _cold(server: Server, notebooks: list[str]) -> list[Samples]:
    """Each round restarts the server; its first request is for something else."""
    taken: list[list[float]] = [[] for _ in notebooks]
    for _ in range(COLD_ROUNDS):
        with running(server), Http(server.port) as http:
            http.call("GET", "/api/me")
            for values, notebook_id in zip(taken, notebooks, strict=True):
                values.append(_get(http, f"/api/notebooks/{notebook_id}")(0))
    return [Samples(tuple(values)) for values in taken]


def _lists(server: Server, jupyter: JupyterServer, effort: Effort) -> Table:
    table = Table(
        f"List of {LISTED:,} notebooks beside Jupyter Server: ms", ("", "time"), note="Complete, in one answer."
    )
    folder = jupyter.files / "many"
    _fill(folder)
    with Http(server.port) as ours, Http(jupyter.port) as theirs:
        for number in range(LISTED):
            ours.call("POST", "/api/notebooks", {"name": f"Notebook {number}"})
        if len(theirs.json("GET", f"{contents_path('many')}?content=1")["content"]) != LISTED:
            raise RuntimeError("Jupyter's list is not complete")
        if len(ours.json("GET", f"/api/notebooks?limit={LISTED}")["notebooks"]) != LISTED:
            raise RuntimeError("the list is not complete")
        taken = repeated_in_turn(
            [_get(ours, f"/api/notebooks?limit={LISTED}"), _get(theirs, f"{contents_path('many')}?content=1")],
            effort.rounds,
        )
    table.add("Quire", taken[0])
    table.add(JUPYTER, taken[1])
    return table


def _fill(folder: Path) -> None:
    folder.mkdir()
    content = msgspec.json.encode(notebook_file(["x = 1"]))
    for number in range(LISTED):
        (folder / f"notebook-{number}.ipynb").write_bytes(content)
