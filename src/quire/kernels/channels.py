"""The sockets of a kernel that are used: plans go out on one, batches of events come in on another, and questions
about the kernel's values are asked and answered on a third.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import zmq
import zmq.asyncio
from jupyter_client.session import Session

from quire.kernels.protocol import KernelEvent

TOPIC = b"quire"
NUDGE_TOPIC = b"quire-nudge"
NUDGE_S = 0.25
RECONNECT_MS = 10
"""The kernel binds its sockets after we connect: this is how often it is tried again."""
SOCKETS_MAX = 16 * 1024
MESSAGE_BYTES_MAX = 256 * 1024 * 1024
"""No batch of ours comes near: whoever sends more has taken over the kernel's socket."""
DECODE_INLINE_BYTES_MAX = 256 * 1024
"""Larger batches are checked and decoded in a thread."""


class Batch(msgspec.Struct, frozen=True):
    """Events of one plan, in order."""

    plan: int
    sequence: int
    """Counts the batches of a kernel, from 1, without gaps."""
    done: bool
    interrupted: bool
    """An interrupt has reached the kernel's own code since the plan was sent."""
    events: list[KernelEvent]


T = TypeVar("T")

_context: zmq.Context[zmq.Socket[bytes]] | None = None


def _shared_context() -> zmq.Context[zmq.Socket[bytes]]:
    """One for all kernels: each has threads of its own."""
    global _context  # noqa: PLW0603 - made when the first kernel needs it
    if _context is None or _context.closed:
        _context = zmq.Context()
        _context.set(zmq.MAX_SOCKETS, SOCKETS_MAX)
    return _context


class Connection(msgspec.Struct, frozen=True):
    """Where a kernel's sockets are, and the key that signs its messages."""

    address: str
    key: str

    @classmethod
    def in_folder(cls, folder: Path) -> "Connection":
        """Unix sockets in a folder that only this user can open: nobody else can connect or listen."""
        return cls(str(folder / "s"), secrets.token_hex(32))

    def write(self, path: Path) -> None:
        """Write the file that ipykernel reads. Blocking."""
        ports = {f"{name}_port": port for port, name in enumerate(("shell", "iopub", "stdin", "control", "hb"), 1)}
        content = {
            "transport": "ipc",
            "ip": self.address,
            "key": self.key,
            "signature_scheme": "hmac-sha256",
            **ports,
        }
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(content, file)

    @property
    def shell_url(self) -> str:
        return f"ipc://{self.address}-1"

    @property
    def iopub_url(self) -> str:
        return f"ipc://{self.address}-2"


class Answer(msgspec.Struct, frozen=True):
    """What the kernel's bootstrap says to one question."""

    number: int
    answer: msgspec.Raw
    refusal: str
    """Why there is no answer; empty: there is one."""


_decoder = msgspec.json.Decoder(Batch)
_answer_decoder = msgspec.json.Decoder(Answer)


class BrokenChannel(Exception):
    """A message is missing or was not made by the kernel's bootstrap."""


class Channels:
    """A client of one kernel."""

    def __init__(self, connection: Connection) -> None:
        context = _shared_context()
        self._session = Session(key=connection.key.encode(), signature_scheme="hmac-sha256")
        on_loop = zmq.asyncio.Context.shadow(context.underlying)
        self._shell = on_loop.socket(zmq.DEALER)
        self._iopub = on_loop.socket(zmq.SUB)
        self._questions = on_loop.socket(zmq.DEALER)
        for socket in (self._shell, self._iopub, self._questions):
            socket.linger = 0
            socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
            socket.setsockopt(zmq.SNDHWM, 0)
            socket.setsockopt(zmq.RCVHWM, 0)
            socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES_MAX)
        self._iopub.setsockopt(zmq.SUBSCRIBE, TOPIC)
        self._shell.connect(connection.shell_url)
        self._iopub.connect(connection.iopub_url)
        self._questions.connect(connection.shell_url)
        self._sequence = 0
        self._plan: set[str] = set()

    async def send_plan(self, plan: bytes) -> None:
        """One execute request; `plan_replied` tells when the kernel is done with it."""
        content = msgspec.json.encode(
            {
                "code": plan.decode(),
                "silent": True,
                "store_history": False,
                "allow_stdin": False,
                "stop_on_error": False,
                "user_expressions": {},
            }
        )
        message = self._session.msg("execute_request", metadata={"quire_plan": True})
        # ipykernel says nothing at all of a request that fails in a way it does not expect. It goes on to the next one.
        probe = self._session.msg("kernel_info_request")
        self._plan = {message["msg_id"], probe["msg_id"]}
        await self._shell.send_multipart(self._session.serialize({**message, "content": content}))
        await self._shell.send_multipart(self._session.serialize(probe))

    async def plan_replied(self) -> None:
        """Return when ipykernel is done with the last plan, however that went: its batches were sent before."""
        while True:
            frames = await self._shell.recv_multipart()
            _identities, parts = self._session.feed_identities(frames)
            reply: dict[str, Any] = self._session.deserialize(parts, content=False)
            if reply["parent_header"].get("msg_id") in self._plan:
                return

    async def send_question(self, question: Mapping[str, object]) -> None:
        """One question; its answer comes from `receive_answer`."""
        message = self._session.msg("quire_question")
        frames = self._session.serialize({**message, "content": msgspec.json.encode(question)})
        await self._questions.send_multipart(frames)

    async def receive_answer(self, number: int) -> Answer:
        """The answer to the question with this number; those to earlier ones, which nobody waits for, are dropped.

        Raises:
            BrokenChannel
        """
        while True:
            frames = await self._questions.recv_multipart(copy=False)
            answer = self._content(frames, "quire_answer", _answer_decoder)
            if answer is not None and answer.number == number:
                return answer

    def receive(self) -> "asyncio.Future[list[zmq.Frame]]":
        """The next message on IOPub; may be cancelled without losing one."""
        return asyncio.ensure_future(self._iopub.recv_multipart(copy=False))

    async def keep_nudging(self) -> None:
        """Until cancelled, have ipykernel look for subscriptions again and again.

        Its thread learns of ours by an event of the socket's. If it sends something at just that moment, ZeroMQ hands
        the subscription over during the send, the event is gone, and the welcome that we wait for is never sent.
        The next subscription brings both to light.
        """
        while True:
            await asyncio.sleep(NUDGE_S)
            self._iopub.setsockopt(zmq.SUBSCRIBE, NUDGE_TOPIC)
            self._iopub.setsockopt(zmq.UNSUBSCRIBE, NUDGE_TOPIC)

    async def decode(self, frames: list[zmq.Frame]) -> Batch | None:
        """The batch in a message; None if it is something else.

        Raises:
            BrokenChannel
        """
        if sum(map(len, frames)) > DECODE_INLINE_BYTES_MAX:
            batch = await asyncio.to_thread(self._decode, frames)
        else:
            batch = self._decode(frames)
        if batch is not None:
            self._sequence += 1
            if batch.sequence != self._sequence:
                raise BrokenChannel(f"one is missing, perhaps for lack of memory (number {self._sequence})")
        return batch

    def _decode(self, frames: list[zmq.Frame]) -> Batch | None:
        return self._content(frames, "quire_events", _decoder)

    def _content(self, frames: list[zmq.Frame], kind: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        """What a message of this kind says; None if it is of another kind. Raises BrokenChannel."""
        try:
            _identities, parts = self._session.feed_identities(frames, copy=False)
            message: dict[str, Any] = self._session.deserialize(parts, content=False, copy=False)
            if message["header"]["msg_type"] != kind:
                return None
            return decoder.decode(message["content"])
        except (ValueError, TypeError, KeyError) as error:
            raise BrokenChannel(str(error)) from error

    def close(self) -> None:
        self._shell.close()
        self._iopub.close()
        self._questions.close()
