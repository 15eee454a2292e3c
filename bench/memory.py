"""Memory of the server with notebooks open, and of kernels, as PSS: what processes share is split among them."""

from contextlib import ExitStack

import psutil

from bench.notebooks import chain, create, run_all
from bench.samples import Effort, Samples
from bench.serving import WITHOUT_KERNELS, data_folder, running, serving
from bench.tables import Table
from bench.wire import Page
from tests.servers import Server

OPEN = 20
CELLS = 10
KERNELS = 10

NOTE = (
    f"Notebooks of {CELLS} cells, each followed by a page. The first one opened also pays for what the server loads "
    "only then, so a further notebook is the difference between 1 and 20, divided by 19."
)


def measure(effort: Effort) -> list[Table]:
    table = Table("Memory (PSS): MiB", ("", "PSS"), note=NOTE)
    none, one, many = _server(effort.rounds)
    further = Samples(tuple((b - a) / (OPEN - 1) for a, b in zip(one.values, many.values, strict=True)))
    table.add("server, no notebook open", none)
    table.add("server, 1 idle notebook open", one)
    table.add(f"server, {OPEN} idle notebooks open", many)
    table.add("each further idle notebook", further)
    table.add("each kernel, after a run", _kernels())
    return [table]


def _server(rounds: int) -> tuple[Samples, Samples, Samples]:
    """With none, one and all of the notebooks open; each round in a new process."""
    found: list[tuple[float, float, float]] = []
    with data_folder() as folder:
        server = Server(folder, environment=WITHOUT_KERNELS)
        with running(server):
            notebooks = [create(server, chain(CELLS)) for _ in range(OPEN)]
        for _ in range(rounds):
            with running(server), ExitStack() as pages:
                none = pss_mib(server.pid)
                pages.enter_context(Page(server, notebooks[0]))
                one = pss_mib(server.pid)
                for notebook_id in notebooks[1:]:
                    pages.enter_context(Page(server, notebook_id))
                found.append((none, one, pss_mib(server.pid)))
    none_, one_, many = (Samples(tuple(values)) for values in zip(*found, strict=True))
    return none_, one_, many


def _kernels() -> Samples:
    """Of each kernel, while KERNELS of them are there."""
    with serving(**WITHOUT_KERNELS) as server:
        for _ in range(KERNELS):
            run_all(server, create(server, chain(CELLS)))
        zygote, *others = psutil.Process(server.pid).children()
        if others:
            raise RuntimeError(f"the server has other children than the process that kernels are copied from: {others}")
        kernels = zygote.children()
        if len(kernels) != KERNELS:
            raise RuntimeError(f"{len(kernels)} kernels, not {KERNELS}")
        return Samples(tuple(pss_mib(kernel.pid) for kernel in kernels))


def pss_mib(pid: int) -> float:
    """A process's proportional share of the memory it uses."""
    return float(psutil.Process(pid).memory_full_info().pss) / 2**20
