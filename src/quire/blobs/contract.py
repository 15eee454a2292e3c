"""What every blob store must do, as tests: for this project's stores and for those of others.

Needs pytest and pytest-asyncio, which the server does not: nothing else in the package imports this. How to use it:
docs/engines.md. A title names the rule that the test proves.
"""

# ruff: noqa: N802 - a title begins with the rule that it proves

import asyncio
import time

import pytest

from quire.blobs.protocol import STREAM_BYTES, BlobInfo, BlobMissing, BlobStore, BlobsUnavailable, sha256_of

LOG = "alice/n1"
ODD_LOG = "%7C%21!$&'()*+,-.:;=@_~/A|~" + "x" * 512
LATER = 2**60


async def listed(blobs: BlobStore, log_id: str) -> list[BlobInfo]:
    return [blob async for blob in blobs.list(log_id)]


@pytest.mark.asyncio
class BlobContract:
    """Subclass it as ``TestBlobs``; the fixture `blobs` gives an empty store that nobody else uses."""

    @pytest.mark.parametrize("data", [b"", b"\0", b"PNG\r\n\x1a", bytes(range(256)) * 20_000])
    async def test_W6_a_blob_comes_back_by_its_hash(self, blobs: BlobStore, data: bytes) -> None:
        name = await blobs.put(LOG, data)
        assert name == sha256_of(data)
        assert await blobs.get(LOG, name) == data

    async def test_W6_storing_again_is_no_error(self, blobs: BlobStore) -> None:
        names = await asyncio.gather(*(blobs.put(LOG, b"same") for _ in range(20)))
        assert set(names) == {sha256_of(b"same")}
        assert len(await listed(blobs, LOG)) == 1

    async def test_W6_logs_do_not_share_blobs(self, blobs: BlobStore) -> None:
        name = await blobs.put(LOG, b"mine")
        for other in ("alice/N1", "Alice/n1", "alice/n", "bob/n1", ODD_LOG):
            with pytest.raises(BlobMissing):
                await blobs.get(other, name)
            assert await listed(blobs, other) == []
            assert not await blobs.delete(other, name, not_after=LATER)
        assert await blobs.get(LOG, name) == b"mine"

    async def test_W6_ids_of_any_characters(self, blobs: BlobStore) -> None:
        for log_id in (ODD_LOG, "../../etc/x", "a/../b", "/", "", "\U0001f9ea", "a\0b"):
            name = await blobs.put(log_id, log_id.encode())
            assert await blobs.get(log_id, name) == log_id.encode()

    @pytest.mark.parametrize(
        "name", ["", "x", "../../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "g" * 64, "é" * 64]
    )
    async def test_a_name_that_is_no_hash_names_no_blob(self, blobs: BlobStore, name: str) -> None:
        with pytest.raises(BlobMissing):
            await blobs.get(LOG, name)
        assert not await blobs.delete(LOG, name, not_after=LATER)

    async def test_a_blob_that_was_never_stored_is_missing(self, blobs: BlobStore) -> None:
        await blobs.put(LOG, b"other")
        with pytest.raises(BlobMissing):
            await blobs.get(LOG, sha256_of(b"never"))

    async def test_B2_a_list_tells_size_and_age(self, blobs: BlobStore) -> None:
        before = time.time_ns() // 1_000_000
        names = {await blobs.put(LOG, b"x" * size): size for size in (0, 5, 1000)}
        after = time.time_ns() // 1_000_000
        found = await listed(blobs, LOG)
        assert {blob.sha256: blob.size for blob in found} == names
        # A file system may stamp with a clock that ticks every few milliseconds; S3 does with whole seconds.
        assert all(before - 1000 <= blob.modified_at <= after for blob in found)

    async def test_B2_a_delete_takes_only_what_is_old_enough(self, blobs: BlobStore) -> None:
        name = await blobs.put(LOG, b"young")
        modified_at = (await listed(blobs, LOG))[0].modified_at
        assert not await blobs.delete(LOG, name, not_after=modified_at - 1)
        assert await blobs.get(LOG, name) == b"young"
        assert await blobs.delete(LOG, name, not_after=modified_at)
        assert not await blobs.delete(LOG, name, not_after=LATER)
        with pytest.raises(BlobMissing):
            await blobs.get(LOG, name)
        await blobs.put(LOG, b"young")
        assert await blobs.get(LOG, name) == b"young"

    @pytest.mark.parametrize("size", [0, 1, STREAM_BYTES, STREAM_BYTES + 1, 5 * STREAM_BYTES - 1])
    async def test_W6_a_blob_comes_back_part_by_part(self, blobs: BlobStore, size: int) -> None:
        data = bytes(range(251)) * (size // 251) + bytes(size % 251)
        stream = await blobs.stream(LOG, await blobs.put(LOG, data))
        parts = [part async for part in stream.parts]
        assert stream.size == size
        assert b"".join(parts) == data
        assert all(parts)
        assert all(len(part) < 4 * STREAM_BYTES for part in parts)

    async def test_W6_a_stream_may_be_left_before_its_end(self, blobs: BlobStore) -> None:
        name = await blobs.put(LOG, bytes(5 * STREAM_BYTES))
        await blobs.stream(LOG, name)
        stream = await blobs.stream(LOG, name)
        assert await anext(stream.parts)
        await stream.parts.aclose()
        assert len(await blobs.get(LOG, name)) == 5 * STREAM_BYTES

    async def test_W6_what_is_missing_has_no_stream(self, blobs: BlobStore) -> None:
        name = await blobs.put(LOG, b"mine")
        for log_id, sha256 in (("bob/n1", name), (LOG, sha256_of(b"never")), (LOG, "../../../etc/passwd"), (LOG, "")):
            with pytest.raises(BlobMissing):
                await blobs.stream(log_id, sha256)

    async def test_a_closed_store_refuses(self, blobs: BlobStore) -> None:
        await blobs.close()
        with pytest.raises(BlobsUnavailable):
            await blobs.put(LOG, b"x")
        with pytest.raises(BlobsUnavailable):
            await blobs.get(LOG, sha256_of(b"x"))
