"""Arrays as the page reads them: bytes, in types that JavaScript has."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Buffer = bytes | memoryview


def smallest_unsigned(largest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the smallest type that holds a number and leaves the type's largest one free."""
    return np.dtype("uint8" if largest < 0xFF else "uint16" if largest < 0xFFFF else "uint32")


def as_bytes(array: npt.NDArray[Any]) -> Buffer:
    """Return the bytes of an array in row-major order, without a copy where it has that order."""
    # A view of nothing cannot be cast.
    return np.ascontiguousarray(array).data.cast("B") if array.size else b""
