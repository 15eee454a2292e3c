"""For load balancers and people: does the process live, can it serve."""

from fastapi import APIRouter
from starlette.responses import Response

import quire
from quire.api import schemas
from quire.api.problems import problem_response
from quire.api.requests import PrincipalOf, ServicesOf, json_response
from quire.blobs.protocol import BlobError
from quire.storage.protocol import StorageError

router = APIRouter(tags=["server"])


@router.get("/healthz")
async def healthz() -> Response:
    """The process lives and its event loop turns."""
    return json_response({"status": "ok"})


@router.get("/readyz")
async def readyz(services: ServicesOf) -> Response:
    """The store can be written. 503 with the reason otherwise."""
    try:
        await services.registry.environment.store.check()
    except (StorageError, BlobError) as error:
        return problem_response({"type": "about:blank", "title": "Not ready", "status": 503, "detail": str(error)})
    return json_response({"status": "ready"})


@router.get("/api/me", response_model=schemas.Me)
async def me(principal: PrincipalOf, services: ServicesOf) -> Response:
    """Who is signed in, and what serves them."""
    store = services.registry.environment.store.engine
    return json_response({"user_id": principal.user_id, "version": quire.__version__, "store": store})
