"""Mapping: numbers as they lie in a file, in memory that all processes that map it share.

A mapped page is read when it is first looked at, and can be dropped and read again: a hundred
processes that open one exploration hold its matrices once. Nothing can be written through a map.
"""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

LEAST_MAPPED = 1 << 16
"""Bytes below which a file is read instead."""

_MOST_MAPPED = 256
"""Python before 3.13 keeps each mapped file open, and of open files there may not be many."""
_OWN_FILE = sys.version_info < (3, 13)

# Windows lets nobody replace or remove a file that is mapped, and a save must.
_POSSIBLE = os.name == "posix"

_maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def mapped(file: BinaryIO, size: int) -> npt.NDArray[np.uint8] | None:
    """Return the bytes of a file, read-only; None where it must be read instead.

    Parameters
    ----------
    file : binary file
        May be closed afterwards.
    size : int
        The file must be exactly as long.
    """
    if not _POSSIBLE or size < LEAST_MAPPED or (_OWN_FILE and len(_maps) >= _MOST_MAPPED):
        return None
    if os.fstat(file.fileno()).st_size != size:
        return None
    options: dict[str, Any] = {} if _OWN_FILE else {"trackfd": False}
    try:
        found = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ, **options)
    except (OSError, ValueError):
        # Some file systems map nothing.
        return None
    _maps.add(found)
    return np.frombuffer(found, np.uint8)
