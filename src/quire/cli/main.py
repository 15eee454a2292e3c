"""The commands, and what becomes of a failure."""

from collections.abc import Callable
from typing import Any

import typer

from quire.blobs.protocol import BlobError
from quire.cli.checking import doctor
from quire.cli.cleaning import collect_garbage
from quire.cli.costing import cost
from quire.cli.listing import list_notebooks, trash
from quire.cli.moving import migrate_store
from quire.cli.notebooks import history, new, restore
from quire.cli.options import fail
from quire.cli.serving import serve
from quire.config import ConfigError
from quire.sessions.errors import NotSaved, Refused
from quire.storage.protocol import StorageError

COMMANDS: dict[str, Callable[..., Any]] = {
    "serve": serve,
    "list": list_notebooks,
    "new": new,
    "history": history,
    "restore": restore,
    "trash": trash,
    "doctor": doctor,
    "migrate": migrate_store,
    "gc": collect_garbage,
    "cost": cost,
}
"""In the order in which `quire --help` lists them."""

app = typer.Typer(
    name="quire",
    help="A reactive Python + SQL notebook server whose storage is a log.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    """Entry point: every failure is one clear line on stderr."""
    try:
        app()
    except (ConfigError, StorageError, BlobError, Refused, NotSaved) as error:
        fail(str(error))
