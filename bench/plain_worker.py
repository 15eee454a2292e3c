"""The plain design in a process of its own: `plain_design.py`, under an interpreter that has aioboto3."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.foreign import interpreter

PROGRAM = Path(__file__).with_name("plain_design.py")
VERSION = "15.5.0"
LINE_BYTES_MAX = 64 << 20


class PlainWorker:
    """Speaks to one such process: a request at a time, each a line of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests = process.stdin
        self._answers = process.stdout

    async def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The answer of one of its operations. Raises RuntimeError if the process has ended: it has said why."""
        self._requests.write(msgspec.json.encode({"operation": operation, **arguments}) + b"\n")
        await self._requests.drain()
        line = await self._answers.readline()
        if not line:
            raise RuntimeError(f"the plain design failed at {operation}")
        answer: dict[str, Any] = msgspec.json.decode(line)
        return answer


@asynccontextmanager
async def plain_worker(endpoint: str, table: str) -> AsyncIterator[PlainWorker]:
    """One such process. Raises NotInstallable."""
    python = await asyncio.to_thread(interpreter, "aioboto3", VERSION)
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(PROGRAM),
        endpoint,
        table,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
    )
    try:
        yield PlainWorker(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
