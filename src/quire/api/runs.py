"""Running: start, wait, interrupt, restart."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from quire.api import schemas
from quire.api.requests import OriginOf, SessionOf, json_response
from quire.sessions.events import shown_status

router = APIRouter(prefix="/api/notebooks/{notebook_id}", tags=["runs"])


@router.post(
    "/run",
    status_code=202,
    response_model=schemas.RunAccepted,
    responses={200: {"model": schemas.RunDone, "description": "With `wait`: when all results are durable"}},
)
async def run(
    session: SessionOf,
    origin: OriginOf,
    body: schemas.NewRun | None = None,
    wait: Annotated[bool, Query(description="Answer when the run is over")] = False,  # noqa: FBT002  a query flag
) -> Response:
    """Run these cells and what depends on them; without `cell_ids` and `scope`, all that are not up to date."""
    wanted = (body or schemas.NewRun()).wanted
    await session.refresh()
    started = session.run(wanted, key=origin.key, request_hash=origin.request_hash)
    if not wait:
        return json_response({"run_id": started.run_id}, 202)
    await asyncio.shield(started.done)
    view = session.view
    cells = [
        {"id": cell_id, "status": shown_status(cell, view)}
        for cell_id in started.cell_ids
        if (cell := view.state.cells.get(cell_id)) is not None
    ]
    return json_response({"run_id": started.run_id, "revision": view.state.revision, "cells": cells})


@router.post("/interrupt", status_code=202)
async def interrupt(session: SessionOf) -> Response:
    """Stop the running cell and what waits behind it."""
    await session.interrupt()
    return json_response({}, 202)


@router.post("/restart", status_code=202)
async def restart(session: SessionOf) -> Response:
    """End the kernel: its variables are gone, results stay; the next run gets a fresh one."""
    await session.restart()
    return json_response({}, 202)
