"""Printed text that lies in the blob store, put back into a notebook that is shown whole."""

from typing import Any

import structlog

from quire.blobs.protocol import BlobError, BlobMissing, BlobStore
from quire.notebook.ids import log_id_of
from quire.notebook.model import BlobRef, Notebook

log = structlog.get_logger(__name__)

TEXT_BYTES_MAX = 8 * 1024 * 1024
"""Printed text of all cells in one answer; the cells beyond give an address instead."""


async def with_texts(blobs: BlobStore, state: Notebook, shown: dict[str, Any]) -> None:
    """Put stdout and stderr into `shown`, a view of `state`. A blob that is missing is said, not fatal."""
    log_id = log_id_of(state.user_id, state.notebook_id)
    left = TEXT_BYTES_MAX
    for cell_view in shown["cells"]:
        result = state.cells[cell_view["id"]].result
        if result is None:
            continue
        for name, data in (("stdout", result.stdout), ("stderr", result.stderr)):
            if not isinstance(data, BlobRef) or data.size > left:
                continue
            left -= data.size
            try:
                cell_view[name] = (await blobs.get(log_id, data.sha256)).decode(errors="replace")
                cell_view[f"{name}_url"] = None
            except BlobError as error:
                log.warning("text_unreadable", log_id=log_id, error=str(error))
                way_out = ". Run the cell again to make it anew" if isinstance(error, BlobMissing) else ""
                cell_view[name] = f"[{data.size:,} bytes of text cannot be read: {error}{way_out}]"
