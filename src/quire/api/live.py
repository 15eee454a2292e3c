"""The WebSocket of one notebook: commits and transient events out, the same edits as REST in."""

import asyncio
import contextlib
from typing import Any

import msgspec
import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from quire.api.commands import Commands
from quire.api.problems import Problem, problem_message, problem_of
from quire.api.requests import Services
from quire.api.views import commit_view, notebook_view, output_view, progress_view
from quire.auth.principal import NotAuthenticated, Principal
from quire.sessions import events
from quire.sessions.errors import NotSaved, Refused
from quire.sessions.provisioning import SHORT_FORMS, full_id
from quire.sessions.replay import replay
from quire.sessions.session import Session

router = APIRouter()
log = structlog.get_logger(__name__)

MESSAGE_CHARS_MAX = 2 * 1024 * 1024
REPLAY_COMMITS_MAX = 500
"""A client that is further behind gets the whole notebook instead."""
COMMANDS_IN_FLIGHT_MAX = 64

WEBSOCKET_NOT_FOUND = 4404
WEBSOCKET_TRY_AGAIN = 1013


@router.websocket("/api/ws/notebooks/{notebook_id}")
async def live(socket: WebSocket, notebook_id: str, since: str = "0") -> None:
    """Follow a notebook from the commit after `since`."""
    await socket.accept()
    services: Services = socket.app.state.services
    principal: Principal = socket.scope["state"]["principal"]
    try:
        session = await _session(services, principal, notebook_id)
        await session.refresh()
    except (Refused, NotSaved) as error:
        problem = problem_of(error)
        await socket.send_text(_encode(problem_message(problem)))
        code = WEBSOCKET_NOT_FOUND if problem["status"] == 404 else WEBSOCKET_TRY_AGAIN
        await socket.close(code, problem["title"])
        return
    await _Connection(socket, session, services, principal).serve(int(since) if since.isdecimal() else 0)


async def _session(services: Services, principal: Principal, notebook_id: str) -> Session:
    user_id = principal.user_id
    if notebook_id in SHORT_FORMS or notebook_id in {full_id(user_id, short) for short in SHORT_FORMS}:
        await services.provisioner.provision(user_id)
    return await services.registry.open(user_id, full_id(user_id, notebook_id))


class _Connection:
    """One client. Answers and events leave through one queue, so that an `ack` comes after its `commit`."""

    def __init__(self, socket: WebSocket, session: Session, services: Services, principal: Principal) -> None:
        self._socket = socket
        self._session = session
        self._services = services
        self._commands = Commands(services.registry, session, principal, services.help)
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._running: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(COMMANDS_IN_FLIGHT_MAX)

    async def serve(self, since: int) -> None:
        """Until either side closes."""
        subscription, so_far = self._session.follow()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._catch_up(since, so_far)
            tasks = [
                asyncio.create_task(self._send_all(), name="socket out"),
                asyncio.create_task(self._forward(subscription), name="socket events"),
                asyncio.create_task(self._receive(), name="socket in"),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except (WebSocketDisconnect, NotSaved, Refused) as error:
            log.info("socket_closed", reason=str(error))
        finally:
            self._session.unfollow(subscription)
            # Commands go on: what was asked for is done even if the client has left.
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect):
                    log.error("socket_failed", error=repr(outcome))
            await self._close()

    async def _close(self) -> None:
        if self._socket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # The client was first.
                await self._socket.close(WEBSOCKET_TRY_AGAIN)

    # -- out

    async def _catch_up(self, since: int, so_far: list[events.Event]) -> None:
        """Everything up to now. The subscription has begun, so nothing falls between."""
        view = self._session.view
        head = view.state.revision
        missed = None
        if 0 < since <= head and head - since <= REPLAY_COMMITS_MAX:
            missed = await replay(self._session, since, view.state)
        if missed is None:
            header = await self._services.registry.header(view.state)
            shown = notebook_view(view, has_connection=bool(header and header.db_conn_string))
            await self._send({"type": "snapshot", "notebook": shown})
        else:
            for commit in missed:
                await self._send(commit_view(commit))
        cells = {cell_id: progress_view(progress) for cell_id, progress in view.progress.items()}
        await self._send(
            {
                "type": "ready",
                "revision": head,
                "kernel": view.kernel,
                "cells": cells,
                "read_only": None,
                "run_mode": view.state.settings.run_mode,
            }
        )
        for event in so_far:
            await self._send(self._message(event))

    async def _forward(self, subscription: events.Subscription) -> None:
        while True:
            event = await subscription.next()
            if isinstance(event, events.Closed):
                await self._out.put(problem_message(problem_of(Problem(503, event.reason))))
                await self._out.join()
                return
            self._out.put_nowait(self._message(event))

    def _message(self, event: events.Event) -> dict[str, Any]:
        notebook_id = self._session.state.notebook_id
        match event:
            case events.Committed():
                return commit_view(event)
            case events.StatusChanged():
                cells = {cell_id: progress_view(progress) for cell_id, progress in event.cells.items()}
                return {"type": "status", "cells": cells}
            case events.Streamed():
                return {"type": "stream", "cell_id": event.cell_id, "name": event.name, "text": event.text}
            case events.Shown():
                kind = "replace" if event.replace else "output"
                return {"type": kind, "cell_id": event.cell_id, "output": output_view(event.output, notebook_id)}
            case events.Cleared():
                return {"type": "clear", "cell_id": event.cell_id}
            case events.RunChanged():
                return {"type": "run", "run_id": event.run_id, "state": event.state, "cell_ids": event.cell_ids}
            case events.KernelChanged():
                return {"type": "kernel", "state": event.state}
            case events.Saving():
                state = "ok" if event.detail is None else "failing"
                return {"type": "saving", "state": state, "detail": event.detail}
            case events.Closed():
                return problem_message(problem_of(Problem(503, event.reason)))

    async def _send_all(self) -> None:
        while True:
            await self._send(await self._out.get())
            self._out.task_done()

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(_encode(message))

    # -- in

    async def _receive(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                refusal = Problem(415, "Messages are JSON in text frames: this was a binary one.")
                self._out.put_nowait(problem_message(problem_of(refusal)))
                continue
            if len(text) > MESSAGE_CHARS_MAX:
                self._out.put_nowait(await asyncio.to_thread(_too_large, text))
                continue
            await self._places.acquire()
            task = asyncio.create_task(self._answer(text), name="socket command")
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _answer(self, text: str) -> None:
        """Carry out one message. Commands start in the order they came: edits queue before the run behind them."""
        try:
            self._out.put_nowait(await self._outcome(text))
        finally:
            self._places.release()

    async def _outcome(self, text: str) -> dict[str, Any]:
        request_id: str | None = None
        try:
            request_id, command = self._commands.parse(text)
            answer = await command
        except (Refused, NotSaved, Problem, NotAuthenticated) as error:
            return problem_message(problem_of(error), request_id or self._commands.id_of(text))
        except Exception:
            log.exception("command_failed")
            failure = Problem(500, "The server failed. Its log says why.")
            return problem_message(problem_of(failure), request_id)
        return {"type": "ack", "id": request_id, **answer}


def _too_large(text: str) -> dict[str, Any]:
    """The refusal. The socket stays open: a client that connects again would send the same again."""
    detail = f"A message is above the limit of {MESSAGE_CHARS_MAX:,} characters."
    return problem_message(problem_of(Problem(413, detail, limit=MESSAGE_CHARS_MAX)), Commands.id_of(text))


def _encode(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
