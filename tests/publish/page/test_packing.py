from __future__ import annotations

import gzip

import numpy as np
import pytest

from clusterwidget.publish.page.packing import packed


def unpacked(data: bytes, size: int) -> bytes:
    return np.frombuffer(gzip.decompress(data), np.uint8).reshape(size, -1).T.tobytes()


@pytest.mark.parametrize("size", [1, 2, 4])
def test_bytes_come_back_as_they_were(size: int) -> None:
    data = np.random.default_rng(0).bytes(400)
    block = packed(data, size)
    assert unpacked(block.data, size) == data
    assert block.raw == 400


def test_what_gzip_ends_with_is_listed() -> None:
    block = packed(bytes(100), 4)
    assert int.from_bytes(block.data[-8:-4], "little") == block.crc
    assert int.from_bytes(block.data[-4:], "little") == block.raw


def test_numbers_of_a_kind_pack_best_by_their_places() -> None:
    numbers = np.arange(1000, dtype=np.uint32)
    block = packed(numbers.tobytes())
    assert block.size == 4
    assert len(block.data) < len(packed(numbers.tobytes(), 1).data)


def test_floats_are_rounded_to_float16_when_asked() -> None:
    numbers = np.random.default_rng(0).standard_normal(50).astype(np.float32)
    block = packed(numbers.tobytes(), 4, half=True)
    assert block.half
    assert unpacked(block.data, 2) == numbers.astype(np.float16).tobytes()


def test_numbers_that_float16_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"up to 7e\+04: leave dtype out"):
        packed(np.array([1, 7e4], np.float32).tobytes(), 4, half=True)


def test_the_same_bytes_pack_the_same() -> None:
    assert packed(b"abc" * 99) == packed(b"abc" * 99)


def test_nothing_packs() -> None:
    assert unpacked(packed(b"").data, packed(b"").size) == b""
