"""What several commands take, and how each of them runs."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import typer

from quire.api.requests import Services
from quire.app import open_services
from quire.config import load_config
from quire.observability import configure_logs

Store = Annotated[str | None, typer.Option("--store", help="Store URL; default: $QUIRE_STORE, else SQLite")]
Blobs = Annotated[str | None, typer.Option("--blobs", help="Folder or s3:// URL for large data; default: by the store")]
Auth = Annotated[str | None, typer.Option("--auth", help="Who may enter: local")]


def fail(message: str) -> NoReturn:
    """Say why, and exit with 1."""
    typer.echo(f"quire: {' '.join(message.split())}", err=True)
    sys.exit(1)


def with_services(work: Callable[[Services], Awaitable[None]], **flags: Any) -> None:
    """Run `work` on the configured store and blobs, without kernels; `flags` as for `load_config`."""
    configure_logs("text", quiet=True)
    config = load_config(**flags)

    async def run() -> None:
        async with open_services(config, with_kernels=False) as services:
            await work(services)

    asyncio.run(run())
