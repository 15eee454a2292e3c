"""From a folder and settings to a kernel's process: what every way of starting one has in common."""

import asyncio
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from quire.kernels.channels import Connection
from quire.kernels.environment import KernelFolder, environment_for
from quire.kernels.oversight import ALL_OUTPUT_BYTES_MAX
from quire.kernels.process import KernelProcess, SpawnedChild
from quire.kernels.protocol import OUTPUT_BYTES_MAX, OUTPUTS_MAX, STREAM_BYTES_MAX, KernelUnavailable
from quire.kernels.settings import KernelSettings

BOOTSTRAP = Path(__file__).with_name("bootstrap")


class Launcher(Protocol):
    """A way to start kernels."""

    async def launch(self, folder: KernelFolder, connection: Connection) -> KernelProcess:
        """Start a process that will serve `connection`. Raises KernelUnavailable."""
        ...

    async def close(self) -> None:
        """Start no more. Those that were started go on."""
        ...


class Launch(NamedTuple):
    """What a new process is given."""

    options: dict[str, Any]
    """As the bootstrap's `Options`, without the descriptor of the lifeline."""
    environment: dict[str, str]
    lifeline_reader: int
    """The process ends when the other end is closed."""
    lifeline: int
    errors: int
    """Its standard error."""


def prepare(folder: KernelFolder, connection: Connection, settings: KernelSettings, closing: ExitStack) -> Launch:
    """Write the connection file and open what the process inherits. Blocking.

    `closing` closes the server's copies of what it inherits; the lifeline stays open.
    """
    connection.write(folder.connection_file)
    errors = closing.enter_context(folder.error_file.open("wb")).fileno()
    reader, lifeline = os.pipe()
    closing.callback(os.close, reader)
    options = {
        "connection_file": str(folder.connection_file),
        "memory_bytes": settings.memory_bytes,
        "nice": settings.nice,
        "limits": {
            "stream_bytes": STREAM_BYTES_MAX,
            "output_bytes": OUTPUT_BYTES_MAX,
            "outputs": OUTPUTS_MAX,
            "all_output_bytes": ALL_OUTPUT_BYTES_MAX,
        },
    }
    return Launch(options, environment_for(folder, settings, os.environ), reader, lifeline, errors)


class Spawner:
    """Starts each kernel as a process of its own, from nothing: any interpreter that has ipykernel will do."""

    def __init__(self, settings: KernelSettings) -> None:
        self._settings = settings

    async def launch(self, folder: KernelFolder, connection: Connection) -> KernelProcess:
        settings = self._settings
        try:
            popen, lifeline = await asyncio.to_thread(_spawn, folder, connection, settings)
        except OSError as error:
            raise KernelUnavailable(f"{settings.command[0]} could not be started: {error}") from error
        return KernelProcess(SpawnedChild(popen), lifeline, folder)

    async def close(self) -> None:
        return


def _spawn(
    folder: KernelFolder, connection: Connection, settings: KernelSettings
) -> tuple["subprocess.Popen[bytes]", int]:
    """The process, and the descriptor that keeps it alive. Blocking."""
    with ExitStack() as closing:
        launch = prepare(folder, connection, settings, closing)
        options = {**launch.options, "lifeline": launch.lifeline_reader}
        try:
            popen = subprocess.Popen(  # noqa: S603 - the operator's interpreter and our own file
                [*settings.command, str(BOOTSTRAP / "launch.py"), msgspec.json.encode(options).decode()],
                cwd=folder.work,
                env=launch.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=launch.errors,
                pass_fds=(launch.lifeline_reader,),
                start_new_session=True,
            )
        except BaseException:
            os.close(launch.lifeline)
            raise
    return popen, launch.lifeline
