"""How long other requests wait: the worst /healthz while the server is busy with one notebook."""

import time
from collections.abc import Callable

from bench.notebooks import cell_name, chain, create, run_all
from bench.probe import probing
from bench.samples import Effort, Samples, repeated
from bench.serving import WITHOUT_KERNELS, data_folder, running
from bench.tables import Table
from bench.wire import Http, Page
from tests.servers import Server

LARGE, SMALL = 1000, 10
IDLE_S = 1.0

NOTE = (
    "One value per round: the slowest of the requests that a separate process sends, one every 5 ms. Server, kernel, "
    "page and prober share the processor, so part of this is waiting for it: *nothing else happens* shows how much."
)


def measure(effort: Effort) -> list[Table]:
    rounds = effort.rounds
    table = Table("Event loop: ms of the slowest /healthz meanwhile", ("meanwhile", "slowest answer"), note=NOTE)
    with data_folder() as folder:
        server = Server(folder, environment=WITHOUT_KERNELS)
        with running(server):
            large = [create(server, chain(LARGE)) for _ in range(1 + rounds)]
        with running(server):
            table.add("nothing else happens", _slowest(server, _idle, rounds))
            table.add(f"a notebook of {LARGE:,} cells opens", _slowest(server, _opening(server, large), rounds))
            table.add(
                f"a notebook of {SMALL} cells opens, its kernel starts", _slowest(server, _starting(server), rounds)
            )
            with Page(server, large[0]) as page:
                run_all(server, large[0])
                table.add(f"a chain of {LARGE:,} cells runs, a page follows", _slowest(server, _running(page), rounds))
    return [table]


def _slowest(server: Server, action: Callable[[int], None], rounds: int) -> Samples:
    def once(number: int) -> float:
        with probing(server.port) as taken:
            action(number)
        return max(taken)

    return repeated(once, rounds, warm_up=1)


def _idle(_number: int) -> None:
    time.sleep(IDLE_S)


def _opening(server: Server, notebooks: list[str]) -> Callable[[int], None]:
    def get(number: int) -> None:
        with Http(server.port) as http:
            http.call("GET", f"/api/notebooks/{notebooks[number]}")

    return get


def _starting(server: Server) -> Callable[[int], None]:
    def run(_number: int) -> None:
        run_all(server, create(server, chain(SMALL)))

    return run


def _running(page: Page) -> Callable[[int], None]:
    def rerun(number: int) -> None:
        page.edit(cell_name(0), f"x = {2000 + number}")
        page.send("run", cell_ids=[cell_name(0)])
        page.until(lambda message: message["type"] == "run" and message["state"] == "finished")

    return rerun
