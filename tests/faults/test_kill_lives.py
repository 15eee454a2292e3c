"""`kill -9` while notebooks are made, deleted, brought back, and while their checkpoints are written."""

import random
import threading
import uuid

import httpx

from tests.faults.conftest import StartServer
from tests.servers import Server

ROUNDS = 8
SEED = 20_261
EDITS = 80
"""More than the 64 commits after which a checkpoint is due."""


class Life:
    """One client that makes notebooks, fills and deletes them, and notes what it was told."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        """Creations that were sent; some were never answered."""
        self.made: dict[str, str] = {}
        """Key -> id, as answered."""
        self.texts: dict[str, str] = {}
        """Id -> the code of its newest cell, as last acknowledged."""
        self.sent: dict[str, str] = {}
        """Id -> that code as last sent: it may have been saved without an answer."""
        self.trashed: dict[str, bool] = {}
        """Id -> whether the last acknowledged move was to the trash."""
        self.unsure: set[str] = set()
        """Ids whose last request was not answered."""

    def go_on(self, client: httpx.Client, chance: random.Random) -> None:
        """Until the server is gone."""
        try:
            while True:
                self._make(client, uuid.uuid4().hex)
                self._fill(client, chance.choice(list(self.made.values())))
                self._move(client, chance.choice(list(self.made.values())))
        except httpx.TransportError:
            return

    def _make(self, client: httpx.Client, key: str) -> None:
        if key not in self.keys:
            self.keys.append(key)
        answer = client.post("/api/notebooks", json={"name": key}, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        self.made[key] = answer.json()["notebook_id"]

    def _fill(self, client: httpx.Client, notebook: str) -> None:
        if self.trashed.get(notebook):
            return
        self.unsure.add(notebook)
        added = client.post(f"/api/notebooks/{notebook}/cells", json={"type": "python", "code": ""})
        if added.status_code == 404:  # an unanswered deletion had been carried out
            self.trashed[notebook] = True
            return
        path = f"/api/notebooks/{notebook}/cells/{added.json()['cell_id']}"
        for number in range(EDITS):
            code = f"x = {number}  # {'long ' * 50}"
            self.sent[notebook] = code
            answer = client.put(path, json={"code": code})
            assert answer.status_code == 200, answer.text
            self.texts[notebook] = code
        self.unsure.discard(notebook)

    def _move(self, client: httpx.Client, notebook: str) -> None:
        self.unsure.add(notebook)
        if self.trashed.get(notebook):
            answer = client.post(f"/api/notebooks/{notebook}/undelete")
        else:
            answer = client.delete(f"/api/notebooks/{notebook}")
        assert answer.status_code in {200, 204, 404}, answer.text
        self.trashed[notebook] = not self.trashed.get(notebook, False)
        self.unsure.discard(notebook)

    def check(self, client: httpx.Client) -> None:
        """Every notebook is there wholly, or in the trash wholly; what was acknowledged holds."""
        for key in self.keys:
            if key not in self.made:  # asked again, it is the same one
                self._make(client, key)
        for notebook in self.made.values():
            client.get(f"/api/notebooks/{notebook}")  # a kill between fence and header is repaired on load (H1, H3)
        listed = {one["id"]: one for one in client.get("/api/notebooks?limit=1000").json()["notebooks"]}
        trash = {one["id"] for one in client.get("/api/notebooks?trash=true&limit=1000").json()["notebooks"]}
        assert len([one for one in listed.values() if one["name"] in self.keys]) + len(trash) == len(self.keys)
        for key, notebook in self.made.items():
            assert (notebook in listed) != (notebook in trash), notebook
            shown = client.get(f"/api/notebooks/{notebook}")
            assert shown.status_code == (200 if notebook in listed else 404), notebook
            if notebook not in self.unsure:
                assert (notebook in trash) == self.trashed.get(notebook, False), notebook
            if notebook in listed:
                assert shown.json()["name"] == key
                codes = [cell["code"] for cell in shown.json()["cells"]]
                if notebook in self.texts:
                    assert self.texts[notebook] in codes or self.sent[notebook] in codes
            self.trashed[notebook] = notebook in trash
        self.unsure.clear()


def one_round(server: Server, life: Life, chance: random.Random) -> None:
    with server.client() as client:
        working = threading.Thread(target=life.go_on, args=(client, chance))
        working.start()
        working.join(0.2 + 1.3 * chance.random())
        server.kill()
        working.join(60)
        assert not working.is_alive()


def test_H2_H3_C1_a_kill_leaves_no_notebook_half_made_or_half_deleted(start_server: StartServer) -> None:
    life = Life()
    server = start_server()
    chance = random.Random(SEED)
    for _ in range(ROUNDS):
        one_round(server, life, chance)
        server.start()
        with server.client() as client:
            life.check(client)
    assert len(life.made) > ROUNDS
