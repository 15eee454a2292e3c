"""`python -m bench.probe PORT`: asks for /healthz every few milliseconds until its input ends, then prints the times.

A process of its own, so that what the benchmark does meanwhile does not count.
"""

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from bench.samples import stopwatch
from bench.serving import ROOT
from bench.wire import Http

PAUSE_S = 0.005


def main() -> None:
    """Prints `ready`, then at the end a JSON array of milliseconds."""
    taken: list[float] = []
    with Http(int(sys.argv[1])) as http:
        http.call("GET", "/healthz")
        print("ready", flush=True)
        ended = False
        while not ended:
            elapsed = stopwatch()
            http.call("GET", "/healthz")
            taken.append(elapsed())
            ended = bool(select.select([sys.stdin], [], [], PAUSE_S)[0])
    print(msgspec.json.encode(taken).decode())


@contextmanager
def probing(port: int) -> Iterator[list[float]]:
    """Probe while the context lasts; the list has the times, in ms, after it."""
    taken: list[float] = []
    command = [sys.executable, "-m", "bench.probe", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield taken
        answer, _ = process.communicate()
        taken.extend(msgspec.json.decode(answer, type=list[float]))


if __name__ == "__main__":
    main()
