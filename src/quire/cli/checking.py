"""`quire doctor`."""

import asyncio
import sys
from typing import Annotated

import typer

from quire.cli.options import Auth, Blobs, Store
from quire.config import load_config
from quire.doctor import create_tables as make_tables
from quire.doctor import examine
from quire.observability import configure_logs

CreateTables = Annotated[bool, typer.Option("--create-tables", help="First make the tables of a local DynamoDB")]


def doctor(
    store: Store = None,
    blobs: Blobs = None,
    auth: Auth = None,
    create_tables: CreateTables = False,  # noqa: FBT002  a flag
) -> None:
    """Check the configuration, the store, the blobs, the page and the kernel."""
    configure_logs("text")
    config = load_config(store=store, blobs=blobs, auth=auth)
    if create_tables:
        asyncio.run(make_tables(config))
    findings = asyncio.run(examine(config))
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.ok else 'FAILED '} {finding.subject}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)
