"""Notebooks: create, list, show, rename, delete."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from quire.api import schemas
from quire.api.problems import Problem
from quire.api.requests import OriginOf, PrincipalOf, ServicesOf, SessionOf, json_response, open_session
from quire.api.texts import with_texts
from quire.api.views import notebook_view
from quire.notebook.ids import new_notebook_id
from quire.sessions.clock import now_ms
from quire.sessions.errors import NotSaved, ReadOnly
from quire.sessions.events import View
from quire.sessions.names import NameIndex
from quire.sessions.notebook_intents import Configure, Rename
from quire.sessions.provisioning import full_id
from quire.sessions.retention import restorable
from quire.storage.protocol import Header, InvalidCursor, StorageError

router = APIRouter(prefix="/api/notebooks", tags=["notebooks"])

_NOTEBOOK_NAMESPACE = uuid.UUID("5f1c9a52-2f0e-4b7e-9d4e-7a5f3c1b8e60")


@router.post("", status_code=201, response_model=schemas.Created)
async def create(
    services: ServicesOf, principal: PrincipalOf, origin: OriginOf, body: schemas.NewNotebook | None = None
) -> Response:
    """Create a notebook. Its id is derived from an Idempotency-Key, so that a repeated request finds it (I1)."""
    name = (body or schemas.NewNotebook()).name
    notebook_id = str(uuid.uuid5(_NOTEBOOK_NAMESPACE, origin.key)) if origin.key else new_notebook_id()
    receipt = await services.registry.create(principal.user_id, origin, name=name, notebook_id=notebook_id)
    return json_response({**receipt.answer, "revision": receipt.revision}, 201)


@router.get("", response_model=schemas.NotebookList)
async def list_notebooks(
    services: ServicesOf,
    principal: PrincipalOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=2048)] = None,
    *,
    trash: bool = False,
) -> Response:
    """One page of the user's notebooks; the first call gives a new user the demo and the blank one."""
    await services.provisioner.provision(principal.user_id)
    registry = services.registry
    try:
        page = await registry.environment.store.list_headers(principal.user_id, limit=limit, cursor=cursor, trash=trash)
    except InvalidCursor as error:
        raise Problem(422, "cursor: not a cursor of this list. Start without one.", field="cursor") from error
    except StorageError as error:
        raise NotSaved(str(error)) from error
    headers = (header for header in page.headers if not trash or restorable(header, now_ms()))
    notebooks = [_listed(registry.current(header)) for header in headers]
    return json_response({"notebooks": notebooks, "next_cursor": page.next_cursor})


def _listed(header: Header) -> dict[str, str | int | None]:
    return {
        "id": header.notebook_id,
        "name": header.name,
        "revision": header.revision,
        "created_at": header.created_at or header.updated_at,  # of a notebook from an older server
        "updated_at": header.updated_at,
        "deleted_at": header.deleted_at or None,
    }


@router.get("/{notebook_id}", response_model=schemas.ShownNotebook)
async def show(
    request: Request,
    services: ServicesOf,
    principal: PrincipalOf,
    notebook_id: str,
    revision: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """The notebook as every acknowledged edit has left it (C6), or as of `revision`."""
    try:
        session = await open_session(request, notebook_id)
        await session.refresh()
        if session.state.deleted_at:
            await open_session(request, notebook_id)
        then = None if revision is None else await session.state_at(revision)
    except ReadOnly:
        if revision is None:
            raise
        # What is broken may lie behind it.
        then = await services.registry.past(principal.user_id, full_id(principal.user_id, notebook_id), revision)
    if then is None:
        view = session.view
        etag = f'"{view.state.revision}"'
        if not view.progress and request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
    else:
        view = View(then, (await NameIndex.of(then)).graph, {}, "none", cut_off=True)
        etag = f'"{revision}"'
    header = await services.registry.header(view.state)
    shown = notebook_view(view, has_connection=bool(header and header.db_conn_string))
    await with_texts(services.registry.environment.blobs, view.state, shown)
    return json_response(shown, headers={"ETag": etag, "Cache-Control": "no-cache"})


@router.put("/{notebook_id}/name", response_model=schemas.Changed)
async def rename(services: ServicesOf, session: SessionOf, origin: OriginOf, body: schemas.NewName) -> Response:
    receipt = await services.registry.rename(session, Rename(origin, body.name))
    return json_response({"revision": receipt.revision})


@router.put("/{notebook_id}/settings", response_model=schemas.Changed)
async def configure(session: SessionOf, origin: OriginOf, body: schemas.NewSettings) -> Response:
    receipt = await session.submit(Configure(origin, body.run_mode))
    return json_response({"revision": receipt.revision})


@router.put("/{notebook_id}/db", responses={422: {"description": "Not part of this version"}})
async def connect(session: SessionOf, body: schemas.NewConnection) -> Response:
    """Not available yet: refused, so that no connection string is kept where it could not be used."""
    del session, body
    raise Problem(422, "SQL cells and database connections are not part of this version yet. Use Python cells.")


@router.delete("/{notebook_id}", status_code=204)
async def delete(services: ServicesOf, principal: PrincipalOf, origin: OriginOf, notebook_id: str) -> Response:
    """To the trash, restorable for 30 days."""
    await services.registry.delete(principal.user_id, full_id(principal.user_id, notebook_id), origin)
    return Response(status_code=204)


@router.post("/{notebook_id}/undelete", response_model=schemas.Changed)
async def undelete(services: ServicesOf, principal: PrincipalOf, origin: OriginOf, notebook_id: str) -> Response:
    """Back from the trash."""
    receipt = await services.registry.undelete(principal.user_id, full_id(principal.user_id, notebook_id), origin)
    return json_response({"revision": receipt.revision})
