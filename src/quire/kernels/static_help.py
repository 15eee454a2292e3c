"""Completion and hover without a kernel: asked of a process of its own, which is ended when it takes too long."""

import asyncio
import os
import sys
from typing import Any, Literal

import msgspec
import structlog

log = structlog.get_logger(__name__)

SECONDS_MAX = 4.0
START_S = 10.0
WAITING_MAX = 8
"""Questions that wait for the one before; more are answered with nothing: whoever asked has typed on."""
ANSWER_BYTES_MAX = 4 * 1024 * 1024
_KEPT = ("PATH", "LANG", "VIRTUAL_ENV", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
"""Variables that the process gets: no secret of the server's."""

_READER = "quire.kernels.bootstrap.reader"

Kind = Literal["complete", "inspect"]


class StaticHelp:
    """One worker, started with the first question, and again after it had to be ended."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def ask(self, kind: Kind, code: str, line: int, column: int) -> dict[str, Any] | None:
        """The worker's answer; None if it did not come in time, or too many wait.

        Args:
            kind: what is asked for.
            code: with all that the place needs.
            line: from 1.
            column: in code points, from 0.
        """
        if self._waiting >= WAITING_MAX:
            return None
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask(kind, code, line, column)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _ask(self, kind: Kind, code: str, line: int, column: int) -> dict[str, Any] | None:
        request = msgspec.json.encode({"kind": kind, "code": code, "line": line, "column": column}) + b"\n"
        fresh = self._process is None or self._process.returncode is not None
        try:
            process = await self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            async with asyncio.timeout(SECONDS_MAX + (START_S if fresh else 0)):
                process.stdin.write(request)
                await process.stdin.drain()
                answer = await process.stdout.readline()
            return msgspec.json.decode(answer, type=dict[str, Any])
        except (OSError, ValueError, TimeoutError) as error:
            # What it would say now belongs to this question, which nobody waits for any more.
            log.info("static_help_ended", reason=repr(error))
            await self.close()
            return None
        except asyncio.CancelledError:
            await self.close()
            raise

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _READER,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                limit=ANSWER_BYTES_MAX,
                start_new_session=True,
            )
        return self._process
