"""Clients that work on one notebook while its server is killed, and remember what they were told is saved."""

import contextlib
import json
import random
import threading
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from tests.servers import Server

GONE = (httpx.HTTPError, WebSocketException, OSError, EOFError)
"""What a client sees when the server is killed."""


@dataclass
class Promises:
    """What a client asked for, in order, and what was acknowledged of it. Kept over all rounds."""

    attempts: dict[str, list[str]] = field(default_factory=dict)
    """Cell -> every code that was sent to it. Only this client edits the cell."""
    kept: dict[str, int] = field(default_factory=dict)
    """Cell -> the last of its attempts that was acknowledged."""
    open_inserts: dict[str, str] = field(default_factory=dict)
    """Idempotency key -> code, of inserts without an answer: to be sent again."""
    inserted: dict[str, str] = field(default_factory=dict)
    """Code of an acknowledged insert, unlike any other -> its cell."""
    results: dict[str, str] = field(default_factory=dict)
    """Cell -> what it printed in its last acknowledged run."""
    acknowledged_runs: int = 0
    revision: int = 0
    """The newest revision in any answer."""

    def saved(self, cell: str, attempt: int, revision: int) -> None:
        self.kept[cell] = max(attempt, self.kept.get(cell, 0))
        self.revision = max(self.revision, revision)

    def attempt(self, cell: str, code: str) -> int:
        self.attempts.setdefault(cell, []).append(code)
        return len(self.attempts[cell]) - 1


class Client:
    """One client's part of a round: a thread that ends when the server does."""

    def __init__(self, name: str, server: Server, notebook: str, promises: Promises, seed: str) -> None:
        self.name = name
        self.server = server
        self.notebook = notebook
        self.path = f"/api/notebooks/{notebook}"
        self.promises = promises
        self.chance = random.Random(seed)
        self.numbers = (f"{seed}-{number}" for number in count())
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    def work(self) -> None:
        """Until an error of GONE ends it."""
        raise NotImplementedError

    def _guarded(self) -> None:
        try:
            with contextlib.suppress(*GONE):
                self.work()
        except BaseException as error:  # noqa: BLE001  handed to the test, which raises it
            self.failure = error

    def unique(self) -> str:
        """A text that no other request holds."""
        return f"{self.name} {next(self.numbers)}"


class RestClient(Client):
    """Inserts and edits, with idempotency keys."""

    def work(self) -> None:
        with self.server.client() as client:
            self.send_open_inserts(client)
            while True:
                if not self.promises.attempts or self.chance.random() < 0.1:
                    text = self.unique()
                    self._insert(client, text, f"# {text}")
                else:
                    self._edit(client, self.chance.choice(list(self.promises.attempts)))

    def send_open_inserts(self, client: httpx.Client) -> None:
        """Send again what was not answered, under the same keys."""
        for key, code in list(self.promises.open_inserts.items()):
            self._insert(client, key, code)

    def _insert(self, client: httpx.Client, key: str, code: str) -> None:
        self.promises.open_inserts[key] = code
        body: dict[str, Any] = {"type": "python", "code": code}
        answer = client.post(f"{self.path}/cells", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        cell = answer.json()["cell_id"]
        del self.promises.open_inserts[key]
        self.promises.inserted[code] = cell
        if cell not in self.promises.attempts:
            self.promises.saved(cell, self.promises.attempt(cell, code), answer.json()["revision"])

    def _edit(self, client: httpx.Client, cell: str) -> None:
        text = self.unique()
        attempt = self.promises.attempt(cell, f"# {text}")
        key = {"Idempotency-Key": text}
        answer = client.put(f"{self.path}/cells/{cell}", json={"code": f"# {text}"}, headers=key)
        assert answer.status_code == 200, answer.text
        self.promises.saved(cell, attempt, answer.json()["revision"])


class SocketClient(Client):
    """Edits over a WebSocket, several on their way at a time."""

    def work(self) -> None:
        on_the_way: dict[str, tuple[str, int]] = {}
        with self.server.socket(self.notebook) as socket:
            while True:
                while len(on_the_way) < 4:
                    cell, text = self.chance.choice(list(self.promises.attempts)), self.unique()
                    on_the_way[text] = cell, self.promises.attempt(cell, f"# {text}")
                    message = {"id": text, "type": "edit_cell", "cell_id": cell, "code": f"# {text}", "key": text}
                    socket.send(json.dumps(message))
                answer = json.loads(socket.recv(timeout=30))
                assert answer["type"] != "problem", answer
                if answer["type"] == "ack":
                    cell, attempt = on_the_way.pop(answer["id"])
                    self.promises.saved(cell, attempt, answer["revision"])


class RunClient(Client):
    """Edits its cell, runs it and waits for the result."""

    def work(self) -> None:
        [cell] = self.promises.attempts
        with self.server.client() as client:
            while True:
                text = self.unique()
                code = f"print({text!r})"
                attempt = self.promises.attempt(cell, code)
                answer = client.put(f"{self.path}/cells/{cell}", json={"code": code})
                assert answer.status_code == 200, answer.text
                self.promises.saved(cell, attempt, answer.json()["revision"])
                answer = client.post(f"{self.path}/run?wait=true", json={"cell_ids": [cell]})
                assert answer.status_code == 200, answer.text
                assert answer.json()["cells"] == [{"id": cell, "status": "success"}], answer.text
                self.promises.results[cell] = f"{text}\n"
                self.promises.acknowledged_runs += 1
                self.promises.revision = max(self.promises.revision, answer.json()["revision"])
