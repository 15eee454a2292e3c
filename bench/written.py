"""What one edit costs the disk, by the size of its notebook."""

from pathlib import Path

from bench.notebooks import cell_name, create, prose
from bench.samples import WARM_UP, Effort, Samples, stopwatch
from bench.serving import WITHOUT_KERNELS, serving
from bench.tables import Table
from bench.wire import Http
from tests.servers import Server

CELL_BYTES = 2000
NOTEBOOKS = {"20 KB": 10, "400 KB": 200, "4.8 MB": 2400}
"""Cells of CELL_BYTES each."""
EDITS = 300
"""Enough that every periodic cost falls due: checkpoints of the notebook, and of SQLite's write-ahead log."""

NOTE = (
    "*Written* is `write_bytes` of `/proc/PID/io`: what the process made the kernel send to the disk, in whole pages. "
    f"The median is that of an edit between checkpoints; the mean is over {EDITS} edits with all checkpoints of the "
    f"notebook and of SQLite that fell due among them. The edited cell has {CELL_BYTES:,} bytes, compressed "
    "about 570."
)


def measure(_effort: Effort) -> list[Table]:
    table = Table(
        "Written to disk by the edit of one cell",
        ("notebook", "written, KB (median, p95)", "written, KB (mean)", "ms to the acknowledgement"),
        note=NOTE,
    )
    for name, cells in NOTEBOOKS.items():
        with serving(**WITHOUT_KERNELS) as server:
            codes = prose(cells, CELL_BYTES)
            written, mean, taken = _edit(server, create(server, codes), codes[0])
            table.add(name, written, mean, taken)
    return [table]


def _edit(server: Server, notebook_id: str, code: str) -> tuple[Samples, float, Samples]:
    path = f"/api/notebooks/{notebook_id}/cells/{cell_name(0)}"
    written: list[float] = []
    taken: list[float] = []
    with Http(server.port) as http:
        for number in range(WARM_UP + EDITS):
            before = written_bytes(server.pid)
            elapsed = stopwatch()
            http.call("PUT", path, {"code": f"{code[:-5]}{number:05d}"})
            taken.append(elapsed())
            written.append((written_bytes(server.pid) - before) / 1000)
    counted = written[WARM_UP:]
    return Samples(tuple(counted)), sum(counted) / len(counted), Samples(tuple(taken[WARM_UP:]))


def written_bytes(pid: int) -> int:
    """`write_bytes` of a process."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    raise RuntimeError("this system does not count what a process writes")
