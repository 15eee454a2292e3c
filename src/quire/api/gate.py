"""What every request passes before any route: host, origin, size, identity. Pure ASGI, so that it costs little."""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

import msgspec
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quire.api.problems import Problem, problem_message, problem_of, problem_response
from quire.auth.principal import NotAuthenticated, Principal

BODY_BYTES_MAX = 2 * 1024 * 1024
"""Largest body of a request; a cell's code has a limit of its own below it."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

WEBSOCKET_NOT_AUTHENTICATED = 4401
WEBSOCKET_FORBIDDEN = 4403


class Authenticator(Protocol):
    """Tells who sends a request."""

    def authenticate(self, authorization: str, cookies: dict[str, str]) -> Principal:
        """Raises NotAuthenticated."""
        ...


class Gate:
    """ASGI middleware.

    Args:
        app: what is behind the gate.
        authenticator: decides who asks.
        hosts: Host names that this server answers to (DNS rebinding); the port is not compared.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, hosts: Iterable[str]) -> None:
        self._app = app
        self._authenticator = authenticator
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                self._check(scope, headers)
                state["principal"] = self._principal(scope, headers)
            except (Problem, NotAuthenticated) as error:
                await self._refuse(scope, receive, send, error, request_id)
                return
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._app(scope, _bounded(receive, headers), _stamped(send, request_id))

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises Problem."""
        host = headers.get("host", "")
        if _host_name(host) not in self._hosts:
            raise Problem(403, f"This server does not answer to the host name {_host_name(host)!r}.", field="Host")
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise Problem(403, "Requests from other web sites are refused.", field="Origin")
        if origin is None and headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise Problem(403, "Requests from other web sites are refused.", field="Sec-Fetch-Site")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            raise _too_large()

    def _principal(self, scope: Scope, headers: Headers) -> Principal | None:
        """Who asks; only `/api` needs to know. Raises NotAuthenticated."""
        if not scope["path"].startswith("/api"):
            return None
        return self._authenticator.authenticate(headers.get("authorization", ""), cookies_of(headers))

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: Exception, request_id: str) -> None:
        problem = problem_of(error)
        if scope["type"] == "websocket":
            # Accepted first, so that the page gets the reason: a refused handshake has no readable body.
            await receive()
            await send({"type": "websocket.accept"})
            text = msgspec.json.encode(problem_message(problem)).decode()
            await send({"type": "websocket.send", "text": text})
            code = WEBSOCKET_NOT_AUTHENTICATED if problem["status"] == 401 else WEBSOCKET_FORBIDDEN
            await send({"type": "websocket.close", "code": code, "reason": problem["title"]})
            return
        headers = {"WWW-Authenticate": "Bearer"} if problem["status"] == 401 else {}
        await problem_response(problem, request_id, headers)(scope, receive, send)


def cookies_of(headers: Headers) -> dict[str, str]:
    """The request's cookies; none if they cannot be parsed."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _too_large() -> Problem:
    return Problem(413, f"The body is above the limit of {BODY_BYTES_MAX:,} bytes.", field="body", limit=BODY_BYTES_MAX)


def _bounded(receive: Receive, headers: Headers) -> Receive:
    """`receive`, ending a body that has no Content-Length once it is above the limit."""
    if "content-length" in headers:
        return receive
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > BODY_BYTES_MAX:
            # FastAPI turns any other error while it reads a body into "could not be parsed".
            raise HTTPException(413, str(_too_large()))
        return message

    return bounded


def _stamped(send: Send, request_id: str) -> Callable[[Message], Awaitable[None]]:
    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = request_id
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return stamped
