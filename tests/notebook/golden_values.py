"""What the files in `golden/format1` say, spelled out.

A published file never alters: its bytes stand in somebody's log. A new kind of change, or a new field, gets a new file.
"""

from quire.notebook import changes as ch
from quire.notebook.model import (
    BlobRef,
    Cell,
    CellConfig,
    CellError,
    IdempotencyEntry,
    Notebook,
    Output,
    Result,
    Settings,
)

AT = 1_795_400_000_000
COMMIT_ID = "01a20628-a600-7abc-9def-0123456789ab"
BLOB = BlobRef(sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", size=123_456)
TEXT = 'x = "é😀\0\u2028"\nprint(x)'
CONFIG = CellConfig(disabled=True, code_hidden=True, output_hidden=True, result_name="totals", connection="warehouse")
ERROR = CellError(
    name="NameError",
    message="name 'math' is not defined",
    traceback=("\x1b[31mNameError\x1b[0m", "line 2"),
    line=2,
    caused_by="b2",
)
OUTPUTS = (
    Output(mime_type="text/plain", data="10"),
    Output(mime_type="application/json", data='{"n":NaN}', metadata='{"expanded":true}', display_id="d1"),
    Output(mime_type="image/png", data=BLOB),
)
RESULT = Result(
    run_id="r1",
    epoch=3,
    code_hash="d41d8cd98f00b204e9800998",
    revision=12,
    started_at=AT,
    duration_ms=9_007_199_254_740_993,
    stdout="printed\n",
    stderr=BLOB,
    outputs=OUTPUTS,
)
FULL_CELL = Cell(
    cell_id="a1",
    type="python",
    code=TEXT,
    code_revision=11,
    status="stale",
    stale_since=13,
    error=ERROR,
    result=RESULT,
    config=CONFIG,
)
BARE_CELL = Cell(cell_id="b2", type="sql", code="", code_revision=1)
IDEMPOTENCY = ch.Idempotency(key="k" * 8, request_hash="h" * 8, result='{"cell_id":"a1"}')
LAZY = Settings(run_mode="lazy")

CHANGES: dict[str, tuple[ch.Change, ...]] = {
    "notebook_created": (
        ch.NotebookCreated(
            author="ann",
            at=AT,
            idempotency=IDEMPOTENCY,
            notebook_id="n1",
            user_id="auth0|ann",
            name="Sales",
            cells=(FULL_CELL, BARE_CELL),
            settings=LAZY,
        ),
        ch.NotebookCreated(author="ann", at=AT, notebook_id="n1", user_id="ann", name=""),
    ),
    "notebook_renamed": (ch.NotebookRenamed(author="ann", at=AT, name="Costs 😀"),),
    "notebook_configured": (ch.NotebookConfigured(author="ann", at=AT, settings=LAZY),),
    "notebook_deleted": (ch.NotebookDeleted(author="ann", at=AT),),
    "notebook_undeleted": (ch.NotebookUndeleted(author="ann", at=AT),),
    "notebook_purging": (ch.NotebookPurging(author="system", at=AT),),
    "notebook_restored": (
        ch.NotebookRestored(
            author="ann", at=AT, from_revision=7, name="Sales", settings=LAZY, cells=(BARE_CELL, FULL_CELL)
        ),
        ch.NotebookRestored(author="ann", at=AT, from_revision=1, name="", settings=Settings(), cells=()),
    ),
    "cell_inserted": (
        ch.CellInserted(
            author="ann",
            at=AT,
            idempotency=IDEMPOTENCY,
            cell_id="a1",
            type="python",
            code=TEXT,
            after_cell_id="b2",
            config=CONFIG,
        ),
        ch.CellInserted(author="ann", at=AT, cell_id="b2", type="markdown", code="", after_cell_id=None),
    ),
    "cell_edited": (
        ch.CellEdited(
            author="ann",
            at=AT,
            idempotency=ch.Idempotency(key="k", request_hash="h"),
            cell_id="a1",
            code=TEXT,
            type="python",
        ),
    ),
    "cell_moved": (
        ch.CellMoved(author="ann", at=AT, cell_id="a1", after_cell_id="b2"),
        ch.CellMoved(author="ann", at=AT, cell_id="a1", after_cell_id=None),
    ),
    "cell_deleted": (ch.CellDeleted(author="ann", at=AT, cell_id="a1"),),
    "cell_configured": (
        ch.CellConfigured(author="ann", at=AT, cell_id="a1", config=CONFIG),
        ch.CellConfigured(author="ann", at=AT, cell_id="a1", config=CellConfig()),
    ),
    "cells_marked": (
        ch.CellsMarked(author="system", at=AT, cell_ids=("a1", "b2"), status="blocked", error=ERROR),
        ch.CellsMarked(author="system", at=AT, cell_ids=(), status="stale"),
    ),
    "cell_ran": (
        ch.CellRan(
            author="ann",
            at=AT,
            cell_id="a1",
            run_id="r1",
            epoch=3,
            code_hash="d41d8cd98f00b204e9800998",
            base_revision=11,
            status="error",
            started_at=AT,
            duration_ms=2**63 - 1,
            stdout="printed\n",
            stderr=BLOB,
            outputs=OUTPUTS,
            error=ERROR,
        ),
        ch.CellRan(
            author="ann", at=AT, cell_id="b2", run_id="r1", epoch=0, code_hash="", base_revision=0, status="success"
        ),
    ),
    "kernel_owned": (ch.KernelOwned(author="system", at=AT, epoch=4, instance="host-1"),),
}
"""By kind: one commit body each, at revision 14."""

NOTEBOOK = Notebook(
    notebook_id="n1",
    user_id="auth0|ann",
    name="Sales",
    revision=14,
    created_at=AT,
    updated_at=AT + 1,
    cells={"b2": BARE_CELL, "a1": FULL_CELL},
    settings=LAZY,
    deleted_at=AT + 2,
    purging=True,
    epoch=3,
    owner="host-1",
    idempotency={"kkkkkkkk": IdempotencyEntry(request_hash="hhhhhhhh", result="{}", revision=14, at=AT)},
)
EMPTY_NOTEBOOK = Notebook(notebook_id="n1", user_id="ann", name="", revision=1, created_at=AT, updated_at=AT)


def commit_of(kind: str) -> ch.Commit:
    return ch.Commit(revision=14, commit_id=COMMIT_ID, changes=CHANGES[kind])
