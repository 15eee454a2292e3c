"""Whatever happens to a notebook: a page that applies what it is told shows what GET shows."""

import json
import random
from collections.abc import Callable

import httpx
import pytest

from tests.api.calls import new_notebook, run, show, until
from tests.api.follower import Follower, Message, Page
from tests.servers import Server

NAMES = "abcdef"
STEPS = 60


def random_code(chance: random.Random) -> str:
    """A cell that reads and defines some of a few names: chains, double definitions, cycles, errors and slow ones."""
    name, other = chance.choice(NAMES), chance.choice(NAMES)
    return chance.choice(
        [
            f"{name} = {chance.randrange(100)}",
            f"{name} = {other} + 1",
            f"print({name})",
            f"{name} = 1 / 0",
            f"{name} = = 1",
            f"import time\ntime.sleep(0.05)\nprint({chance.randrange(100)})\n{name} = 2",
            "import os\nprint(os.urandom(9000).hex())\nos.urandom(9000).hex()",
            "for _i in range(3):\n    display(_i)",
            "",
        ]
    )


class Person:
    """Does something at random, over a socket, as a page would."""

    def __init__(self, follower: Follower, chance: random.Random) -> None:
        self.follower = follower
        self.chance = chance
        self.waiting: set[str] = set()

    def act(self) -> None:
        """One command; its answer is read later."""
        actions: list[tuple[Callable[[], str | None], int]] = [
            (self._insert, 4),
            (self._edit, 8),
            (self._move, 3),
            (self._delete, 1),
            (self._configure, 1),
            (self._run, 5),
            (self._stop, 1),
            (self._settings, 1),
            (self._restore, 1),
        ]
        action = self.chance.choices([each for each, _ in actions], [weight for _, weight in actions])[0]
        if (request := action()) is not None:
            self.waiting.add(request)

    def read(self, most: int) -> None:
        """Read up to `most` messages, if they are there."""
        for _ in range(most):
            try:
                message = json.loads(self.follower.socket.recv(timeout=0.002))
            except TimeoutError:
                return
            self.take(message)

    def take(self, message: Message) -> None:
        self.follower.page.take(message)
        if message["type"] in {"ack", "problem"}:
            self.waiting.discard(message["id"])
            assert message.get("status") in {None, 404, 409}, message

    def settle(self, revision: int) -> None:
        """Read on until everything is answered, up to this revision, and nothing runs."""
        page = self.follower.page
        while self.waiting or page.revision < revision or page.live or page.notebook["kernel"] in {"busy", "starting"}:
            self.take(json.loads(self.follower.socket.recv(timeout=30)))

    def _any(self) -> str | None:
        return self.chance.choice(list(self.follower.page.cells)) if self.follower.page.cells else None

    def _anchor(self) -> str | None:
        return self._any() if self.chance.random() < 0.8 else None

    def _insert(self) -> str | None:
        if len(self.follower.page.cells) > 12:
            return None
        cell_type = "markdown" if self.chance.random() < 0.1 else "python"
        code = random_code(self.chance)
        return self.follower.send("insert_cell", cell_type=cell_type, code=code, after_cell_id=self._anchor())

    def _edit(self) -> str | None:
        if (cell := self._any()) is None:
            return None
        fields: Message = {"cell_id": cell, "code": random_code(self.chance)}
        if self.chance.random() < 0.5:
            fields["expected_revision"] = self.follower.page.cells[cell]["code_revision"]
        if self.chance.random() < 0.1:
            fields["cell_type"] = self.chance.choice(["python", "markdown"])
        return self.follower.send("edit_cell", **fields)

    def _move(self) -> str | None:
        if (cell := self._any()) is None:
            return None
        return self.follower.send("move_cell", cell_id=cell, after_cell_id=self._anchor())

    def _delete(self) -> str | None:
        if (cell := self._any()) is None:
            return None
        return self.follower.send("delete_cell", cell_id=cell)

    def _configure(self) -> str | None:
        if (cell := self._any()) is None:
            return None
        flag = self.chance.choice(["disabled", "code_hidden", "output_hidden"])
        return self.follower.send("configure_cell", cell_id=cell, config={flag: self.chance.random() < 0.5})

    def _run(self) -> str:
        cell = self._any()
        return self.follower.send("run", **({} if cell is None or self.chance.random() < 0.3 else {"cell_ids": [cell]}))

    def _stop(self) -> str:
        return self.follower.send("restart" if self.chance.random() < 0.2 else "interrupt")

    def _settings(self) -> str:
        if self.chance.random() < 0.5:
            return self.follower.send("rename", name=f"Name {self.chance.randrange(100)}")
        return self.follower.send("configure", run_mode=self.chance.choice(["automatic", "lazy"]))

    def _restore(self) -> str:
        return self.follower.send("restore", revision=self.chance.randint(1, self.follower.page.revision))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_applying_what_is_told_gives_what_is_shown(server: Server, client: httpx.Client, seed: int) -> None:
    """Two people at random, one of whom reconnects now and then; a failure names its seed in the test's id."""
    chance = random.Random(seed)
    notebook = new_notebook(client)
    with Follower(server, notebook) as follower:
        steady = Person(follower.ready(), chance)
        page = Page()
        page.take({"type": "snapshot", "notebook": show(client, notebook)})
        for _connection in range(4):
            with Follower(server, notebook, since=page.revision, page=page) as other:
                moody = Person(other.ready(), chance)
                for _step in range(STEPS // 4):
                    chance.choice([steady, moody]).act()
                    steady.read(chance.randrange(30))
                    moody.read(chance.randrange(30))
                moody.settle(0)
        steady.settle(0)  # every command has been taken: what it runs is in front of the last run
        run(client, notebook)
        until(lambda: show(client, notebook)["kernel"] not in {"busy", "starting"}, "nothing runs")
        truth = show(client, notebook)
        steady.settle(truth["revision"])
        with Follower(server, notebook, since=page.revision, page=page) as other:
            other.ready()
        with Follower(server, notebook) as newcomer:
            newcomer.ready()
        truth = show(client, notebook)
        assert steady.follower.page.shown(client) == truth
        assert page.shown(client) == truth
        assert newcomer.page.shown(client) == truth
