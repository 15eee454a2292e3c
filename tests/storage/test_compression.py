"""E1: what is packed comes back, and nothing that is read can fill the memory."""

import contextlib
import random
import threading

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from quire.storage.compression import PACK_BYTES_MIN, UNPACKED_BYTES_MAX, pack, unpack
from quire.storage.protocol import DamagedRecord

MAGIC = b"\x28\xb5\x2f\xfd"
TEXT = b'{"code":"' + b"import pandas as pd\\n" * 200 + b'"}'


@given(st.binary(max_size=5000) | st.binary(max_size=50).map(lambda data: MAGIC + data))
def test_E1_any_bytes_come_back(data: bytes) -> None:
    assert unpack(pack(data)) == data


def test_E1_only_what_is_above_1_KB_and_gains_is_packed() -> None:
    short = b"{" + b" " * (PACK_BYTES_MIN - 1)
    assert pack(short) is short
    assert len(pack(short + b" ")) < 40
    noise = b"{" + random.Random(1).randbytes(5000)
    assert pack(noise) is noise
    assert pack(b"") == b""
    assert pack(TEXT).startswith(MAGIC)
    assert len(pack(TEXT)) < len(TEXT) / 10


def test_E1_a_bomb_is_refused_before_it_takes_memory() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(UNPACKED_BYTES_MAX + 1))
    assert len(bomb) < 5000
    with pytest.raises(DamagedRecord, match=r"16,777,217"):
        unpack(bomb)
    assert len(unpack(zstandard.ZstdCompressor().compress(bytes(UNPACKED_BYTES_MAX)))) == UNPACKED_BYTES_MAX


def test_E1_a_frame_that_does_not_tell_its_size_is_refused() -> None:
    untold = zstandard.ZstdCompressor(write_content_size=False).compress(TEXT)
    with pytest.raises(DamagedRecord):
        unpack(untold)


def test_E1_a_damaged_frame_is_refused() -> None:
    packed = pack(TEXT)
    for damaged in (packed[:-1], packed[:5], MAGIC, packed + b"x", packed[:-3] + b"abc"):
        with pytest.raises(DamagedRecord):
            unpack(damaged)
    for position in range(4, len(packed)):
        altered = packed[:position] + bytes([packed[position] ^ 0x10]) + packed[position + 1 :]
        with contextlib.suppress(DamagedRecord):
            assert unpack(altered) == TEXT  # some bits of a frame's header do not matter


def test_E1_threads_do_not_disturb_each_other() -> None:
    wrong: list[int] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(100):
            data = b"{" + bytes(dice.choices(b"abcdef", k=dice.randrange(2000, 30_000)))
            if unpack(pack(data)) != data:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
