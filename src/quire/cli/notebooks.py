"""`quire new`, `quire history` and `quire restore`: what the page does, from the shell."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from quire.api.requests import Services
from quire.api.views import commit_summary
from quire.auth.principal import LOCAL_USER
from quire.cli.options import Blobs, Store, fail, with_services
from quire.notebook.model import NAME_BYTES_MAX
from quire.sessions.clock import now_ms
from quire.sessions.intents import Origin
from quire.sessions.notebook_intents import Restore
from quire.sessions.provisioning import full_id

PAGE_COMMITS = 200

NotebookId = Annotated[str, typer.Argument(metavar="ID", help="The notebook's id; demo and blank are your own")]


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it")],
    store: Store = None,
    blobs: Blobs = None,
) -> None:
    """Make an empty notebook and print its id."""
    if not name.strip() or len(name.encode()) > NAME_BYTES_MAX:
        fail(f"a name is 1 to {NAME_BYTES_MAX:,} bytes of UTF-8, and not blank")

    async def make(services: Services) -> None:
        receipt = await services.registry.create(LOCAL_USER, Origin(LOCAL_USER, now_ms()), name=name)
        typer.echo(receipt.answer["notebook_id"])

    with_services(make, store=store, blobs=blobs)


def history(notebook_id: NotebookId, store: Store = None, blobs: Blobs = None) -> None:
    """List a notebook's commits, newest first: revision, time, authors, what was done."""

    async def show(services: Services) -> None:
        session = await services.registry.open(LOCAL_USER, full_id(LOCAL_USER, notebook_id))
        before: int | None = None
        while commits := await session.commits(before=before, limit=PAGE_COMMITS):
            for commit in commits:
                told = commit_summary(commit)
                at = datetime.fromtimestamp(told["at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
                typer.echo(f"r{commit.revision}\t{at}\t{', '.join(told['authors'])}\t{told['summary']}")
            before = commits[-1].revision

    with_services(show, store=store, blobs=blobs)


def restore(
    notebook_id: NotebookId,
    revision: Annotated[int, typer.Argument(min=1, metavar="REVISION", help="As `quire history` lists it")],
    store: Store = None,
    blobs: Blobs = None,
) -> None:
    """Make a notebook's content that of an earlier revision, by a new commit; print its revision."""

    async def make(services: Services) -> None:
        session = await services.registry.open(LOCAL_USER, full_id(LOCAL_USER, notebook_id))
        then = await session.state_at(revision)
        receipt = await session.submit(Restore(Origin(LOCAL_USER, now_ms()), then))
        typer.echo(f"r{receipt.revision}")

    with_services(make, store=store, blobs=blobs)
