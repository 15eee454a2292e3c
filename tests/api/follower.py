"""A small client of the WebSocket: it keeps a page up to date from what it is told, and from nothing else."""

import copy
import json
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from tests.servers import Server

Message = dict[str, Any]

WAIT_S = 30.0

_RESULT_FIELDS = ("run", "outputs", "stdout", "stderr", "error")


class Page:
    """The notebook as a page shows it: the committed state, and what runs now."""

    def __init__(self) -> None:
        self.notebook: Message = {}
        self.cells: dict[str, Message] = {}
        self.live: dict[str, Message] = {}
        self.overtaken: set[str] = set()
        """Running cells that a commit of something else has changed: what the kernel still tells of them is moot."""

    @property
    def revision(self) -> int:
        return int(self.notebook["revision"])

    def take(self, message: Message) -> None:
        """Apply one message of the server's. An AssertionError is a breach of the protocol."""
        match message["type"]:
            case "snapshot":
                self.notebook = copy.deepcopy(message["notebook"])
                self.cells = {cell["id"]: cell for cell in self.notebook.pop("cells")}
                self.live = {}
            case "ready":
                assert message["revision"] == self.revision
                self.notebook.update({name: message[name] for name in ("kernel", "read_only", "run_mode")})
                self.live = {}
                self._status(message["cells"])
            case "commit":
                assert message["revision"] == self.revision + 1, "revisions come in order, without gaps"
                ran = {change.get("cell_id") for change in message["changes"] if change["kind"] == "cell_ran"}
                self._patch(copy.deepcopy(message["patch"]), ran)
                self.notebook["revision"] = message["revision"]
            case "status":
                self._status(message["cells"])
            case "kernel":
                self.notebook["kernel"] = message["state"]
            case "run" if message["state"] == "finished":
                for cell_id in message["cell_ids"]:
                    self.live.pop(cell_id, None)
            case "stream" | "output" | "replace" | "clear":
                self._progress(message)

    def _patch(self, patch: Message, ran: set[str | None]) -> None:
        for cell_id in patch.pop("removed", ()):
            del self.cells[cell_id]
            if self.live.pop(cell_id, None) is not None:
                self.overtaken.add(cell_id)
        for cell_id, change in patch.pop("cells", {}).items():
            cell = self.cells.setdefault(cell_id, {})
            cell.update(change)
            if cell_id in self.live and _ends_run(change, cell):
                del self.live[cell_id]
                if cell_id not in ran:
                    self.overtaken.add(cell_id)
        order = patch.pop("order", list(self.cells))
        assert sorted(order) == sorted(self.cells), "the order names every cell once"
        self.cells = {cell_id: self.cells[cell_id] for cell_id in order}
        assert set(patch) <= {"name", "run_mode", "deleted_at", "updated_at"}, patch
        self.notebook.update(patch)

    def _status(self, cells: dict[str, Message]) -> None:
        for cell_id, progress in cells.items():
            self.overtaken.discard(cell_id)
            if progress["status"] in {"queued", "running"}:
                self.live[cell_id] = {"status": progress["status"], "stdout": "", "stderr": "", "outputs": []}
            else:
                self.live.pop(cell_id, None)

    def _progress(self, message: Message) -> None:
        if message["cell_id"] in self.overtaken:
            return  # It was deleted, an edit blocked it, or a restore took its place, while the kernel was at it.
        assert message["cell_id"] in self.live, (message, self.cells.get(message["cell_id"], "deleted"))
        live = self.live[message["cell_id"]]
        match message["type"]:
            case "stream":
                live[message["name"]] += message["text"]
            case "output":
                live["outputs"].append(message["output"])
            case "replace":
                new = message["output"]
                live["outputs"] = [new if old["display_id"] == new["display_id"] else old for old in live["outputs"]]
            case "clear":
                live.update(stdout="", stderr="", outputs=[])

    def shown(self, client: httpx.Client) -> Message:
        """What GET should answer now; printed text that has an address is read there."""
        cells = copy.deepcopy(list(self.cells.values()))
        for cell in cells:
            if cell["id"] in self.live:
                cell["status"] = self.live[cell["id"]]["status"]
            for name in ("stdout", "stderr"):
                if (url := cell[f"{name}_url"]) is not None:
                    cell[name], cell[f"{name}_url"] = client.get(url).text, None
        return {**self.notebook, "cells": cells}


def _ends_run(change: Message, cell: Message) -> bool:
    """`stale` alone does not: somebody edited what the running cell depends on."""
    if cell["status"] in {"running", "queued"}:
        return False
    return any(field in change for field in _RESULT_FIELDS) or change.get("status", "stale") != "stale"


class Follower:
    """One connection, and the page that it keeps."""

    def __init__(self, server: Server, notebook: str, *, since: int | None = None, page: Page | None = None) -> None:
        self._stack = ExitStack()
        self.socket = self._stack.enter_context(server.socket(notebook, since))
        self.page = page or Page()
        self.log: list[Message] = []
        self._ids = (f"m{number}" for number in count(1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def next(self) -> Message:
        """The next message, applied to the page."""
        message: Message = json.loads(self.socket.recv(timeout=WAIT_S))
        self.log.append(message)
        self.page.take(message)
        return message

    def until(self, condition: Callable[[Message], bool]) -> Message:
        """Read on to the first message that is meant; that message."""
        while not condition(message := self.next()):
            pass
        return message

    def until_type(self, type_: str, **fields: Any) -> Message:
        """Read on to a message of this type that has these fields."""
        return self.until(
            lambda message: (
                message["type"] == type_ and all(message.get(name) == value for name, value in fields.items())
            )
        )

    def ready(self) -> Self:
        """Read on until what follows is live."""
        self.until_type("ready")
        return self

    def up_to(self, revision: int) -> None:
        """Read on until the page has this revision."""
        while self.page.revision < revision:
            self.next()

    def send(self, type_: str, **fields: Any) -> str:
        """Send a request; its id."""
        request_id = next(self._ids)
        self.socket.send(json.dumps({"id": request_id, "type": type_, **fields}))
        return request_id

    def answer(self, request_id: str | None) -> Message:
        """Read on to the answer of a request."""
        return self.until(lambda message: message["type"] in {"ack", "problem"} and message.get("id") == request_id)

    def request(self, type_: str, **fields: Any) -> Message:
        """Send a request, and read on to its answer."""
        return self.answer(self.send(type_, **fields))
