"""What every request carries: who asks, about which notebook, under which idempotency key."""

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, Path, Request
from starlette.responses import Response

from quire.api.problems import Problem
from quire.auth.principal import Principal
from quire.sessions.assisting import StaticHelp
from quire.sessions.clock import now_ms
from quire.sessions.intents import Origin
from quire.sessions.provisioning import SHORT_FORMS, Provisioner, full_id
from quire.sessions.registry import Registry
from quire.sessions.session import Session

IDEMPOTENCY_KEY_CHARS_MAX = 255


class Services:
    """What the routes work with; the composition root puts it into `app.state.services`."""

    def __init__(self, registry: Registry, provisioner: Provisioner, help_: StaticHelp) -> None:
        self.registry = registry
        self.help = help_
        self.provisioner = provisioner


def services(request: Request) -> Services:
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


def principal(request: Request) -> Principal:
    """Who asks: the gate put it there."""
    found = request.scope["state"]["principal"]
    assert isinstance(found, Principal)
    return found


def principal_key(user_id: str, method: str, path: str, client_key: str) -> str:
    """The idempotency key as it is stored: other users' and other requests' keys cannot meet it (I1)."""
    return hashlib.blake2b("\n".join((user_id, method, path, client_key)).encode(), digest_size=16).hexdigest()


def body_hash(body: bytes) -> str:
    """Tells one request from another under the same key (I1)."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def make_origin(user_id: str, method: str, path: str, client_key: str, body: bytes) -> Origin:
    """The origin of a request; raises Problem for a key that cannot be one."""
    if not client_key:
        return Origin(user_id, now_ms())
    if len(client_key) > IDEMPOTENCY_KEY_CHARS_MAX:
        raise Problem(
            422,
            f"Idempotency-Key: at most {IDEMPOTENCY_KEY_CHARS_MAX} characters",
            field="Idempotency-Key",
            limit=IDEMPOTENCY_KEY_CHARS_MAX,
        )
    return Origin(user_id, now_ms(), principal_key(user_id, method, path, client_key), body_hash(body))


async def origin(
    request: Request, idempotency_key: Annotated[str, Header(description="One change, however often it is sent")] = ""
) -> Origin:
    """The request's origin."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    user_id = principal(request).user_id
    return make_origin(user_id, request.method, path, idempotency_key, await request.body())


async def open_session(request: Request, notebook_id: str) -> Session:
    """The notebook's session, `demo` and `blank` meaning one's own."""
    user_id = principal(request).user_id
    found = services(request)
    if notebook_id in SHORT_FORMS or notebook_id in {full_id(user_id, short) for short in SHORT_FORMS}:
        await found.provisioner.provision(user_id)
    return await found.registry.open(user_id, full_id(user_id, notebook_id))


async def session(request: Request, notebook_id: Annotated[str, Path()]) -> Session:
    """The session of the notebook in the path."""
    return await open_session(request, notebook_id)


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON by the same encoder as the log's."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


ServicesOf = Annotated[Services, Depends(services)]
PrincipalOf = Annotated[Principal, Depends(principal)]
OriginOf = Annotated[Origin, Depends(origin)]
SessionOf = Annotated[Session, Depends(session)]
