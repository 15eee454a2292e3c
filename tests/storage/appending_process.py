"""A process that appends to a log and prints each revision once it was acknowledged.

Arguments: the URL of the store, the log, the writer's name, how many records (0: until it is killed).
"""

import asyncio
import sys
from itertools import count

import structlog

from quire.storage.append import append_until_definite
from quire.storage.protocol import Record
from quire.storage.urls import open_store


async def main(url: str, log_id: str, writer: str, records: int) -> None:
    store = await open_store(url)
    newest = await store.read_newest(log_id, 1)
    head = newest.records[-1].revision if newest.records else 0
    for number in range(1, records + 1) if records else count(1):
        accepted = False
        tries = 0
        while not accepted:
            tries += 1
            body = f"{writer}-{number}".encode() + b"." * 300
            record = Record(head + 1, f"{writer}-{number}-{tries}", body, checkpoint_revision=1)
            result = await append_until_definite(store, log_id, record)
            accepted = result.accepted
            if not accepted:
                tail = await store.read_newest(log_id, 1)
                head = tail.records[-1].revision
        head += 1
        sys.stdout.write(f"{head} {writer}-{number}\n")
        sys.stdout.flush()
    await store.close()


if __name__ == "__main__":
    # Standard output is for what was acknowledged.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
