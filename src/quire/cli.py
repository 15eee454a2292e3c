"""The `quire` command: arguments in, exit codes out (0 ok, 1 failed, 2 usage)."""

import asyncio
import contextlib
import dataclasses
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import typer
import uvicorn
import uvloop

import quire
from quire.api.requests import Services
from quire.app import check, create_app, open_services
from quire.auth.local import new_token
from quire.auth.principal import LOCAL_USER
from quire.blobs.protocol import BlobError
from quire.config import Config, ConfigError, load_config
from quire.doctor import create_tables as make_tables
from quire.doctor import examine
from quire.observability import configure_logs
from quire.sessions.errors import NotSaved, Refused
from quire.storage.protocol import StorageError

app = typer.Typer(
    name="quire",
    help="A reactive Python + SQL notebook server whose storage is a log.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Store = Annotated[str | None, typer.Option("--store", help="Store URL; default: $QUIRE_STORE, else SQLite")]
Blobs = Annotated[str | None, typer.Option("--blobs", help="Folder for large data; default: beside the store")]
Auth = Annotated[str | None, typer.Option("--auth", help="Who may enter: local")]
CreateTables = Annotated[bool, typer.Option("--create-tables", help="First make the tables of a local DynamoDB")]

SHUTDOWN_S = 5


def main() -> None:
    """Entry point: every failure is one clear line on stderr."""
    try:
        app()
    except (ConfigError, StorageError, BlobError, Refused, NotSaved) as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Say why, and exit with 1."""
    typer.echo(f"quire: {' '.join(message.split())}", err=True)
    sys.exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on", min=0, max=65535)] = None,
    store: Store = None,
    blobs: Blobs = None,
    auth: Auth = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Admit everybody who reaches this address")] = False,  # noqa: FBT002  a flag
) -> None:
    """Serve notebooks on this machine."""
    config = load_config(host=host, port=port, store=store, blobs=blobs, auth=auth, no_token=no_token or None)
    configure_logs(config.log_format)
    if not no_token and not config.token:
        config = dataclasses.replace(config, token=new_token())
    check(config)
    listener = _listen(config.host, config.port)
    config = dataclasses.replace(config, port=listener.getsockname()[1])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, listener))


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket, taken before anything else is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        fail(f"cannot listen on {host}:{port}: {error.strerror}. Choose another with --port")
    return listener


async def _serve(config: Config, listener: socket.socket) -> None:
    """Until SIGINT or SIGTERM; a second one does not wait for clients."""
    async with open_services(config) as services:
        server = _Server(
            uvicorn.Config(
                create_app(config, services),
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="websockets-sansio",
                ws_max_size=4 << 20,
                timeout_graceful_shutdown=SHUTDOWN_S,
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
        host = f"[{config.host}]" if ":" in config.host else config.host
        token = f"?token={config.token}" if config.token else ""
        typer.echo(f"Quire {quire.__version__} is at http://{host}:{config.port}/{token}")
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn, but for signals: it would raise them again before the sessions are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@app.command("list")
def list_command(store: Store = None, blobs: Blobs = None) -> None:
    """List your notebooks: id, revision, last change, name."""

    async def show(services: Services) -> None:
        await _print_headers(services, trash=False)

    _with_services(show, store=store, blobs=blobs)


@app.command()
def trash(store: Store = None, blobs: Blobs = None) -> None:
    """List the notebooks in your trash."""

    async def show(services: Services) -> None:
        await _print_headers(services, trash=True)

    _with_services(show, store=store, blobs=blobs)


async def _print_headers(services: Services, *, trash: bool) -> None:
    cursor: str | None = None
    while True:
        page = await services.registry.environment.store.list_headers(LOCAL_USER, cursor=cursor, trash=trash)
        for header in page.headers:
            changed = datetime.fromtimestamp(header.updated_at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            typer.echo(f"{header.notebook_id}\tr{header.revision}\t{changed}\t{header.name}")
        cursor = page.next_cursor
        if cursor is None:
            return


@app.command()
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


def _with_services(work: Callable[[Services], Awaitable[None]], **flags: Any) -> None:
    configure_logs("text", quiet=True)
    config = load_config(**flags)

    async def run() -> None:
        async with open_services(config, with_kernels=False) as services:
            await work(services)

    asyncio.run(run())
