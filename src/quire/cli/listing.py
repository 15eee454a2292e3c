"""`quire list` and `quire trash`."""

from datetime import UTC, datetime

import typer

from quire.api.requests import Services
from quire.auth.principal import LOCAL_USER
from quire.cli.options import Blobs, Store, with_services
from quire.sessions.clock import now_ms
from quire.sessions.retention import restorable


def list_notebooks(store: Store = None, blobs: Blobs = None) -> None:
    """List your notebooks: id, revision, last change, name."""

    async def show(services: Services) -> None:
        await _print_headers(services, trash=False)

    with_services(show, store=store, blobs=blobs)


def trash(store: Store = None, blobs: Blobs = None) -> None:
    """List the notebooks in your trash."""

    async def show(services: Services) -> None:
        await _print_headers(services, trash=True)

    with_services(show, store=store, blobs=blobs)


async def _print_headers(services: Services, *, trash: bool) -> None:
    cursor: str | None = None
    while True:
        page = await services.registry.environment.store.list_headers(LOCAL_USER, cursor=cursor, trash=trash)
        for header in page.headers:
            if trash and not restorable(header, now_ms()):
                continue
            changed = datetime.fromtimestamp(header.updated_at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            typer.echo(f"{header.notebook_id}\tr{header.revision}\t{changed}\t{header.name}")
        cursor = page.next_cursor
        if cursor is None:
            return
