"""The client's side of a kernel's sockets."""

import asyncio
from pathlib import Path

import zmq
import zmq.asyncio

from quire.kernels.channels import NUDGE_TOPIC, TOPIC, Channels, Connection


async def test_a_subscription_that_nobody_noticed_is_followed_by_others(tmp_path: Path) -> None:
    """A kernel's IOPub thread that misses the event of one subscription reads it with the next."""
    connection = Connection.in_folder(tmp_path)
    with zmq.asyncio.Context() as context, context.socket(zmq.XPUB) as iopub:
        iopub.linger = 0
        iopub.bind(connection.iopub_url)
        channels = Channels(connection)
        nudging = asyncio.create_task(channels.keep_nudging())
        async with asyncio.timeout(30):
            assert await iopub.recv() == b"\1" + TOPIC
            assert [await iopub.recv() for _ in range(4)] == [b"\1" + NUDGE_TOPIC, b"\0" + NUDGE_TOPIC] * 2
            # What is sent now arrives: nudging takes nothing back.
            receiving = channels.receive()
            await iopub.send_multipart([TOPIC, b"welcome"])
            assert [frame.bytes for frame in await receiving] == [TOPIC, b"welcome"]
        nudging.cancel()
        channels.close()
