"""`quire migrate`."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from quire.app import open_place
from quire.cli.options import fail
from quire.config import ConfigError, blobs_url
from quire.maintenance.migrate import Outcome, Summary, migrate
from quire.observability import configure_logs
from quire.storage.urls import InvalidStoreUrl, same_store

PROGRESS_S = 5.0
"""How often progress is told where there is no terminal."""

SKIPPED_SHOWN_MAX = 20

Source = Annotated[str, typer.Option("--from", help="URL of the store to copy from")]
Target = Annotated[str, typer.Option("--to", help="URL of the store to copy to")]
SourceBlobs = Annotated[str | None, typer.Option("--from-blobs", help="Its blobs; default: beside that store")]
TargetBlobs = Annotated[str | None, typer.Option("--to-blobs", help="Its blobs; default: beside that store")]
VerifyOnly = Annotated[bool, typer.Option("--verify-only", help="Write nothing; compare what is there")]


def migrate_store(
    source: Source,
    target: Target,
    source_blobs: SourceBlobs = None,
    target_blobs: TargetBlobs = None,
    verify_only: VerifyOnly = False,  # noqa: FBT002  a flag
) -> None:
    """Copy all notebooks to another store, and verify the copy. Run again after an interruption."""
    configure_logs("text", quiet=True)
    try:
        same = same_store(source, target)
    except InvalidStoreUrl as error:
        raise ConfigError(f"--from, --to: {error}") from error
    if same:
        raise ConfigError("--from and --to are the same store")
    began = time.monotonic()
    places = (source, source_blobs or blobs_url({}, source)), (target, target_blobs or blobs_url({}, target))
    if places[0][1] == places[1][1] and places[0][1] != "memory:":
        raise ConfigError("--from-blobs and --to-blobs are the same: give each store its own with both options")
    summary = asyncio.run(_migrate(*places, write=not verify_only))
    typer.echo(_told(summary, time.monotonic() - began, verify_only=verify_only))
    for outcome in summary.skipped[:SKIPPED_SHOWN_MAX]:
        typer.echo(f"skipped {outcome.notebook_id} of {outcome.user_id}: {outcome.reason}", err=True)
    if summary.skipped:
        fail(f"{len(summary.skipped):,} notebooks are not in the target as they are in the source")


async def _migrate(source: tuple[str, str], target: tuple[str, str], *, write: bool) -> Summary:
    from_, to = (
        open_place(*urls, store_from=f"--{name}", blobs_from=f"--{name}-blobs")
        for urls, name in ((source, "from"), (target, "to"))
    )
    async with from_ as here, to as there:
        if write:
            await there.store.check()
        notebooks = sum([1 async for _header in here.store.scan_headers()])
        with _progress(notebooks) as told:
            return await migrate(here, there, write=write, told=told)


def _told(summary: Summary, seconds: float, *, verify_only: bool) -> str:
    done = "compared" if verify_only else "copied and compared"
    return (
        f"{done} {summary.complete:,} notebooks in {seconds:.1f} s; written now: {summary.records:,} records and "
        f"{summary.blobs:,} blobs of {summary.bytes:,} bytes; skipped: {len(summary.skipped):,}"
    )


@contextmanager
def _progress(notebooks: int) -> Iterator[Callable[[Outcome], None]]:
    """To be told of each notebook: a bar on a terminal, elsewhere a line now and then."""
    if sys.stderr.isatty():
        with typer.progressbar(length=notebooks, label="Notebooks", file=sys.stderr, show_pos=True) as bar:
            yield lambda _outcome: bar.update(1)
        return
    done, shown_at = 0, time.monotonic()

    def told(_outcome: Outcome) -> None:
        nonlocal done, shown_at
        done += 1
        if time.monotonic() - shown_at >= PROGRESS_S:
            shown_at = time.monotonic()
            typer.echo(f"{done:,} of {notebooks:,} notebooks", err=True)

    yield told
