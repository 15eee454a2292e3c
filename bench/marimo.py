"""marimo doing the same on the same machine in the same run, where it can be installed."""

import time
from collections.abc import Callable, Sequence

from bench.marimo_install import VERSION, NotInstallable, python
from bench.marimo_session import MarimoServer, MarimoSession, notebook_file, opening, running, session
from bench.notebooks import chain
from bench.samples import Samples, repeated, stopwatch, timed
from bench.serving import data_folder
from bench.tables import Table, Value

NAME = "chain.py"
WARM_UP = 3
PAUSE_S = 1.0
"""Between two sessions: the one before has ended."""


def compare(table: Table, name: str, measure: Callable[[], Sequence[Value]]) -> None:
    """Add marimo's row to `table`, or say in its note why it is not there."""
    try:
        python()
    except NotInstallable as error:
        reason = f"marimo {VERSION} cannot be installed here, so its figures are missing: {error}"
        table.note = " ".join(filter(None, [table.note, reason]))
        return
    table.add(f"marimo {VERSION}, {name}", *measure())


def starts(rounds: int) -> Samples:
    """From spawning its process to its first answer, in ms."""

    def start(_number: int) -> float:
        with data_folder() as folder:
            elapsed = stopwatch()
            with running(MarimoServer(python(), folder)):
                return elapsed()

    return repeated(start, rounds)


def saves(size: int, rounds: int) -> Samples:
    """A save of a chain of `size` cells after a change of the first, in ms."""

    def measure(opened: MarimoSession) -> Samples:
        def save(number: int) -> None:
            opened.codes[0] = f"x = {5000 + number}"
            opened.save()

        taken = repeated(timed(save), rounds)
        if opened.codes[0] not in opened.path.read_text():
            raise RuntimeError("marimo answered, but the file does not have the change")
        return taken

    return _with_chain(size, measure)


def reruns(size: int, rounds: int) -> Samples:
    """From a change of the first cell of a chain of `size` cells to the value of the last, in ms."""

    def measure(opened: MarimoSession) -> Samples:
        def rerun(number: int) -> float:
            elapsed = stopwatch()
            opened.run(opened.cell_ids[0], f"x = {1000 + number}")
            opened.until_shown(opened.cell_ids[-1], str(1000 + number + size - 1))
            taken = elapsed()
            opened.until_completed()
            return taken

        return repeated(rerun, rounds)

    return _with_chain(size, measure)


def openings(size: int, rounds: int) -> tuple[Samples, Samples]:
    """From connecting to a chain of `size` cells to its kernel's readiness, and to the value of the last, in ms."""
    taken: list[tuple[float, float]] = []
    with data_folder() as folder:
        (folder / NAME).write_text(notebook_file(chain(size)))
        with running(MarimoServer(python(), folder)) as server:
            for number in range(WARM_UP + rounds):
                time.sleep(PAUSE_S)
                with opening(server, NAME) as times:
                    if number >= WARM_UP:
                        taken.append(times)
    ready, done = zip(*taken, strict=True)
    return Samples(ready), Samples(done)


def _with_chain(size: int, measure: Callable[[MarimoSession], Samples]) -> Samples:
    with data_folder() as folder:
        (folder / NAME).write_text(notebook_file(chain(size)))
        with running(MarimoServer(python(), folder)) as server, session(server, NAME) as opened:
            return measure(opened)
