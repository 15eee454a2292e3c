"""Cells: insert, edit, move, configure, delete."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from quire.api import schemas
from quire.api.problems import Problem
from quire.api.requests import OriginOf, SessionOf, json_response
from quire.notebook.ids import new_cell_id
from quire.notebook.model import CellType
from quire.sessions.cell_intents import Anchor, ConfigureCell, DeleteCell, EditCell, InsertCell, MoveCell

router = APIRouter(prefix="/api/notebooks/{notebook_id}/cells", tags=["cells"])


def refuse_sql(cell_type: CellType | None) -> None:
    """SQL cells come with connections; until then they are refused rather than kept as text that never runs."""
    if cell_type == "sql":
        raise Problem(
            422, "type: SQL cells are not part of this version yet. Use a python or markdown cell.", field="type"
        )


@router.post("", status_code=201, response_model=schemas.CellCreated)
async def insert(session: SessionOf, origin: OriginOf, body: schemas.NewCell) -> Response:
    """Add a cell behind `after_cell_id`; null: first; left out: last."""
    refuse_sql(body.type)
    intent = InsertCell(
        origin,
        body.type,
        body.code,
        Anchor(body.after_cell_id),
        last=body.last,
        cell_id=body.cell_id or new_cell_id(),
    )
    receipt = await session.submit(intent)
    return json_response({**receipt.answer, "revision": receipt.revision}, 201)


@router.put("/{cell_id}", response_model=schemas.Changed)
async def edit(session: SessionOf, origin: OriginOf, cell_id: str, body: schemas.NewCode) -> Response:
    """Change a cell's code; with `expected_revision`, only if nobody else did since (W5)."""
    refuse_sql(body.type)
    receipt = await session.submit(EditCell(origin, cell_id, body.code, body.type, body.expected_revision))
    return json_response({"revision": receipt.revision})


@router.put("/{cell_id}/config", response_model=schemas.Changed)
async def configure(session: SessionOf, origin: OriginOf, cell_id: str, body: schemas.NewCellConfig) -> Response:
    intent = ConfigureCell(origin, cell_id, body.disabled, body.code_hidden, body.output_hidden)
    receipt = await session.submit(intent)
    return json_response({"revision": receipt.revision})


@router.delete("/{cell_id}", response_model=schemas.Changed)
async def delete(
    session: SessionOf,
    origin: OriginOf,
    cell_id: str,
    expected_revision: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    receipt = await session.submit(DeleteCell(origin, cell_id, expected_revision))
    return json_response({"revision": receipt.revision})


@router.post("/{cell_id}/move", response_model=schemas.Changed)
async def move(session: SessionOf, origin: OriginOf, cell_id: str, body: schemas.NewPlace) -> Response:
    """Move a cell behind `after_cell_id`; null: first."""
    receipt = await session.submit(MoveCell(origin, cell_id, Anchor(body.after_cell_id)))
    return json_response({"revision": receipt.revision})
