"""Thin clients: what they cost must not count."""

import http.client
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import msgspec
from websockets.sync.client import ClientConnection

from tests.servers import Server

Message = dict[str, Any]
ANSWER_S = 120.0


class Http:
    """One keep-alive connection that speaks JSON."""

    def __init__(self, port: int, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        self.headers = {"Content-Type": "application/json", **headers}

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """The answer's body. Raises RuntimeError unless it is a success."""
        content = None if body is None else msgspec.json.encode(body)
        self._connection.request(method, path, content, self.headers)
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:500]!r}")
        return data

    def json(self, method: str, path: str, body: object = None) -> Any:
        return msgspec.json.decode(self.call(method, path, body))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Page:
    """What a browser's page does: it follows one notebook over a WebSocket, and sends edits and runs through it."""

    def __init__(self, server: Server, notebook_id: str) -> None:
        self._connecting = server.socket(notebook_id)
        self._sent = 0
        self._socket: ClientConnection

    def __enter__(self) -> Self:
        self._socket = self._connecting.__enter__()
        self.until(lambda message: message["type"] == "ready")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connecting.__exit__(kind, error, at)

    def send(self, kind: str, **fields: object) -> str:
        """Send a request; returns its id."""
        self._sent += 1
        request_id = str(self._sent)
        self._socket.send(msgspec.json.encode({"id": request_id, "type": kind, **fields}).decode())
        return request_id

    def edit(self, cell_id: str, code: str) -> str:
        """Send new code for a cell; returns the request's id."""
        return self.send("edit_cell", cell_id=cell_id, code=code)

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        """Read up to the first message that is wanted. Raises RuntimeError for a problem."""
        while True:
            message: Message = msgspec.json.decode(self._socket.recv(ANSWER_S))
            if message["type"] == "problem":
                raise RuntimeError(f"refused: {message}")
            if wanted(message):
                return message

    def acknowledged(self, request_id: str) -> Message:
        """The acknowledgement of a request: it is durable."""
        return self.until(lambda message: message["type"] == "ack" and message["id"] == request_id)
