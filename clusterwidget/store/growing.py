"""Growing: an array that is written from its first row to its last, and can go on after a kill.

How far it is, is kept elsewhere (`capturing`): what lies beyond that in its files is written anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from clusterwidget.store.arrays import array_metadata, chunk_name, write_metadata
from clusterwidget.store.files import damaged, open_plain

_PIECE = 1 << 22


class GrowingArray:
    """An array of floating point numbers, appended to.

    Parameters
    ----------
    root : Path
        Of the store; the array's folder must be there.
    name : str
    shape : tuple of int
        When it is whole.
    dtype : numpy.dtype
    checksums : list of int
        CRC32C of each chunk so far, the last one of as many bytes as it has.
    """

    def __init__(
        self,
        root: Path,
        name: str,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        checksums: list[int],
    ) -> None:
        self.name = name
        self.checksums = checksums
        self._root, self._shape, self._dtype = root, shape, dtype
        self._metadata = array_metadata(shape, dtype)
        self._chunk_bytes = int(self._metadata["chunks"][0]) * shape[1] * dtype.itemsize

    def append(self, start: int, rows: npt.NDArray[Any]) -> None:
        """Write rows, of which `start` is the first one's index; on to the next chunk if needed."""
        raw: Any = np.ascontiguousarray(rows, self._dtype).reshape(-1).view(np.uint8)
        at = start * self._shape[1] * self._dtype.itemsize
        done = 0
        while done < len(raw):
            index, offset = divmod(at + done, self._chunk_bytes)
            piece = raw[done : done + self._chunk_bytes - offset]
            self._write(index, offset, piece)
            done += len(piece)

    def finish(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Fill the last chunk, and return what the array is compared with when it is read."""
        size = self._shape[0] * self._shape[1] * self._dtype.itemsize
        missing = -size % self._chunk_bytes
        if missing:
            self._write(size // self._chunk_bytes, size % self._chunk_bytes, bytes(missing))
        folder = self._root / self.name
        return write_metadata(folder, self._metadata, self.checksums, attributes)

    def require_written(self, rows: int) -> None:
        """Raise ValueError where the first so many rows are not as they were written."""
        size = rows * self._shape[1] * self._dtype.itemsize
        for index in range(-(-size // self._chunk_bytes)):
            length = min(self._chunk_bytes, size - index * self._chunk_bytes)
            checksum = 0
            with open_plain(self._root, self._chunk(index)) as file:
                while length and (piece := file.read(min(_PIECE, length))):
                    checksum = int(google_crc32c.extend(checksum, piece))
                    length -= len(piece)
            if length or checksum != self.checksums[index]:
                way_out = "Remove that folder, and capture again."
                raise ValueError(damaged(self._root, self._chunk(index), way_out))

    def _write(self, index: int, offset: int, piece: Any) -> None:
        path = self._root / self._chunk(index)
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
            # What a killed capture wrote beyond what it had counted.
            file.truncate(offset)
            file.seek(offset)
            file.write(piece)
        if index == len(self.checksums):
            self.checksums.append(0)
        so_far = self.checksums[index] if offset else 0
        self.checksums[index] = int(google_crc32c.extend(so_far, bytes(piece)))

    def _chunk(self, index: int) -> str:
        return f"{self.name}/{chunk_name(index, 2)}"
