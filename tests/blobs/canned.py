"""A server that gives S3's answers as a test says, and keeps what it was asked."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from email.utils import formatdate

MODIFIED_AT = 1_795_413_600_000
"""When it says that its objects were written."""

Answer = tuple[int, str]
"""Status, and S3's error code (or nothing)."""


class Canned:
    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = iter(answers)
        self._last: Answer = (200, "")
        self.asked: list[str] = []
        """Method and path of each request."""
        self.heads: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        if length:
            await reader.readexactly(int(length[1]))
        self.asked.append(" ".join(head.split(" ", 2)[:2]))
        self.heads.append(head)
        self._last = next(self._answers, self._last)
        status, code = self._last
        body = b"" if head.startswith("HEAD") or not code else _error(code)
        age = f"last-modified: {formatdate(MODIFIED_AT / 1000, usegmt=True)}\r\netag: x\r\n" if status == 200 else ""
        length_line = "content-length: 1" if head.startswith("HEAD") else f"content-length: {len(body)}"
        writer.write(f"HTTP/1.1 {status} Told\r\n{age}connection: close\r\n{length_line}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def _error(code: str) -> bytes:
    return (
        f"<Error><Code>{code}</Code><Message>about AKIDTEST</Message><AWSAccessKeyId>AKIDTEST</AWSAccessKeyId>"
        "<StringToSign>secret-of-nobody</StringToSign></Error>"
    ).encode()


@asynccontextmanager
async def canned(*answers: Answer) -> AsyncIterator[Canned]:
    """Answers in this order, the last one for ever."""
    one = Canned(answers)
    server = await asyncio.start_server(one.answer, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield one
