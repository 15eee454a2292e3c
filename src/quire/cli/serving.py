"""`quire serve`."""

import asyncio
import contextlib
import dataclasses
import signal
import socket
from collections.abc import Iterator
from typing import Annotated

import typer
import uvicorn
import uvloop

import quire
from quire.app import check, create_app, open_services
from quire.auth.local import new_token
from quire.cli.options import Auth, Blobs, Store, fail
from quire.config import Config, load_config
from quire.observability import configure_logs

SHUTDOWN_S = 5


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on", min=0, max=65535)] = None,
    store: Store = None,
    blobs: Blobs = None,
    auth: Auth = None,
    run_mode: Annotated[str | None, typer.Option(help="Of new notebooks: automatic or lazy")] = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Admit everybody who reaches this address")] = False,  # noqa: FBT002  a flag
) -> None:
    """Serve notebooks on this machine."""
    config = load_config(
        host=host, port=port, store=store, blobs=blobs, auth=auth, run_mode=run_mode, no_token=no_token or None
    )
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
