"""How long others wait while one notebook's cell does its worst: /healthz from another process, every 5 ms."""

from collections.abc import Mapping

from bench.probe import probing
from bench.samples import Effort, Samples
from bench.serving import serving
from bench.tables import Table
from bench.wire import Http
from tests.servers import Server

CELLS: Mapping[str, str] = {
    "nothing": "import time\ntime.sleep(1)",
    "a busy loop, 1 s": "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end:\n    pass",
    "a fork bomb": "import os\nwhile True:\n    os.fork()",
    "8 busy processes, 1 s": "import subprocess, sys\n"
    "line = 'import time; end = time.monotonic() + 1\\nwhile time.monotonic() < end: pass'\n"
    "for p in [subprocess.Popen([sys.executable, '-c', line]) for _ in range(8)]:\n    p.wait()",
    "memory used up": "big = []\nwhile True:\n    big.append(bytearray(10_000_000))",
    "a fault in compiled code": "import ctypes\nctypes.string_at(0)",
    "1,000,000 lines printed": "for n in range(1_000_000):\n    print('x' * 99)",
    "1,000,000 displays": "from IPython.display import display\nfor n in range(1_000_000):\n    display(n)",
    "100,000 updates of one display": "h = display(0, display_id=True)\nfor n in range(100_000):\n    h.update(n)",
    "8 outputs of 4 MB": "import os\nfor _ in range(8):\n"
    "    display({'text/plain': os.urandom(2_000_000).hex()}, raw=True)",
    "an output of 50 MB": "from IPython.display import HTML\nHTML('x' * 50_000_000)",
    "200 threads in a deadlock, 1 s": "import threading, time\nlock = threading.Lock()\nlock.acquire()\n"
    "for _ in range(200):\n    threading.Thread(target=lock.acquire, daemon=True).start()\ntime.sleep(1)",
}
"""What a cell does, and its code."""

NOTE = (
    "All requests of the rounds together, and the slowest of each round. The first row is the floor: nothing happens. "
    "Kernel, its processes, server and prober share two processors."
)


def measure(effort: Effort) -> list[Table]:
    table = Table(
        "A cell that misbehaves: ms of /healthz meanwhile", ("what the cell does", "p50", "p99", "slowest"), note=NOTE
    )
    rounds = max(3, effort.rounds // 3)
    with serving(QUIRE_KERNEL_MEMORY_MB="1024") as server:
        for what, code in CELLS.items():
            table.add(what, *_meanwhile(server, code, rounds))
    return [table]


def _meanwhile(server: Server, code: str, rounds: int) -> tuple[float, float, Samples]:
    taken: list[float] = []
    slowest: list[float] = []
    for _ in range(rounds):
        with Http(server.port) as http:
            notebook_id = http.json("POST", "/api/notebooks", {"name": "Bad"})["notebook_id"]
            base = f"/api/notebooks/{notebook_id}"
            http.call("POST", f"{base}/cells", {"type": "python", "code": code})
            with probing(server.port) as answers:
                done = http.json("POST", f"{base}/run?wait=true", {})
            if [cell["status"] for cell in done["cells"]] not in (["success"], ["error"]):
                raise RuntimeError(f"the cell has not ended: {done}")
            http.call("POST", f"{base}/restart")
        taken += answers
        slowest.append(max(answers))
    taken.sort()
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100], Samples(tuple(slowest))
