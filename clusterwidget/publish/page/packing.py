"""Packing: arrays as a page's files hold them, checked when they are read.

Bytes are sorted by their place in the number (all first bytes, then all second ones, …), since the
leading bytes of numbers are alike, and then compressed as gzip, which every browser can read. What
gzip ends with, a checksum and the length, stands in the page's list too: what is cut, changed or
taken for another is found out.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from clusterwidget.wire.binary import Buffer

_LEVEL = 6
"""Numbers hardly shrink beyond it, and 9 takes twice as long."""
_TRIED_BYTES = 1 << 20


class Listed(TypedDict):
    """How the page's list describes a packed array; `file` where it lies outside the page."""

    packed: int
    raw: int
    crc: int
    size: int
    half: bool
    file: str | None


@dataclass(frozen=True)
class Packed:
    """An array, packed.

    Attributes
    ----------
    data : bytes
        As gzip.
    raw : int
        Number of bytes before.
    crc : int
        CRC-32 of the bytes before they were compressed.
    size : int
        Bytes of a number, which were sorted by their place in it.
    half : bool
        Whether the numbers are float16, to be read as float32.
    """

    data: bytes
    raw: int
    crc: int
    size: int
    half: bool

    def listed(self, file: str | None) -> Listed:
        """Return how the page's list describes it."""
        return {
            "packed": len(self.data),
            "raw": self.raw,
            "crc": self.crc,
            "size": self.size,
            "half": self.half,
            "file": file,
        }


def packed(buffer: Buffer, size: int | None = None, *, half: bool = False) -> Packed:
    """Return bytes, packed as numbers of `size` bytes, or of whichever size packs them best.

    Parameters
    ----------
    buffer : bytes or memoryview
    size : int, optional
    half : bool
        Whether to round float32 numbers to float16.

    Raises
    ------
    ValueError
        Where a number is too large for float16.
    """
    if half:
        numbers = np.frombuffer(buffer, np.float32)
        with np.errstate(over="ignore"):
            halved = numbers.astype(np.float16)
        if not np.isfinite(halved).all():
            most = float(np.abs(numbers).max())
            raise ValueError(
                f"float16 holds numbers up to 65504, and there are numbers up to {most:.4g}: leave "
                "dtype out, which keeps float32."
            )
        return _packed(halved.tobytes(), 2, half=True)
    data = bytes(buffer)
    if size is not None:
        return _packed(data, size)
    sizes = [1, 2, 4] if len(data) % 4 == 0 and len(data) <= _TRIED_BYTES else [1]
    return min((_packed(data, size) for size in sizes), key=lambda found: len(found.data))


def _packed(data: bytes, size: int, *, half: bool = False) -> Packed:
    by_place = np.frombuffer(data, np.uint8).reshape(-1, size).T.tobytes()
    # Without a time in it, the same exploration makes the same page.
    compressed = gzip.compress(by_place, _LEVEL, mtime=0)
    return Packed(compressed, len(by_place), zlib.crc32(by_place), size, half)
