"""Arrays of a saved exploration: a strict part of Zarr's format 2, read and written here.

The arrays are numbers in C order, in chunks along the first axis, as they are or packed by gzip.
That is little enough to read without the Zarr library, which runs whatever codec a file names:
``pickle``, with zarr 2.18 and numcodecs 0.13. Any other tool reads and writes them as ever.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import numpy as np
import numpy.typing as npt

from clusterwidget.store.files import damaged, open_plain, plain_status, read_json
from clusterwidget.store.mapping import mapped

Array = npt.NDArray[Any]

MOST_CHUNK = 1 << 26
"""Bytes of a chunk."""

_DTYPE = re.compile(r"\|b1|[|<>][iu]1|[<>][iu][248]|[<>]f(?:2|4|8|12|16)")
_MOST_DIMENSIONS = 3
_LARGEST = 1 << 48
_MOST_METADATA = 1 << 16
_PIECE = 1 << 16
# Below this size nothing is asked of gzip; above, that it did not pack too well. Zeros alone
# pack more than 200 times.
_FREE_BYTES = 1 << 30
_MOST_RATIO = 128


@dataclass(frozen=True)
class SavedArray:
    """An array in a folder, whose description was checked.

    Attributes
    ----------
    root : Path
    name : str
    shape : tuple of int
    rows : int
        Of a chunk.
    dtype : numpy.dtype
    packed : bool
        Whether chunks are packed by gzip.
    checksums : tuple of int or None
        CRC32C of each chunk's file, where they were saved.
    """

    root: Path
    name: str
    shape: tuple[int, ...]
    rows: int
    dtype: np.dtype[Any]
    packed: bool
    checksums: tuple[int, ...] | None
    _verified: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)
    """Which file each chunk was in when its checksum was compared: it is compared again only
    where that changed."""

    @classmethod
    def at(cls, root: Path, name: str, saved: Mapping[str, Any] | None = None) -> SavedArray:
        """Return the array with a name.

        Parameters
        ----------
        saved : mapping, optional
            What `write_array` returned: the array must be that one.

        Raises
        ------
        ValueError
            Where it is missing, or is not of the part of Zarr's format that is read here.
        """
        metadata = read_json(root, f"{name}/.zarray", _MOST_METADATA)
        try:
            return cls(root, name, *_checked(metadata), _checksums(metadata, saved))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{damaged(root, name)} ({name}/.zarray: {error})") from error

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self, start: int = 0, stop: int | None = None) -> Array:
        """Return rows; raise ValueError where a chunk is missing or not as it was saved.

        They may be read-only: float32 within one chunk is mapped where it can be.
        """
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        stop = max(start, stop)
        row = self.shape[1:]
        first, last = start // self.rows, -(-stop // self.rows)
        require_backed([self], range(first, last))
        if first + 1 == last and not self.packed and self.dtype == np.float32:
            whole = self._mapped_chunk(first)
            if whole is not None:
                return whole[start - first * self.rows : stop - first * self.rows]
        found = np.empty((stop - start, *row), self.dtype)
        for index in range(first, last):
            begin, end = index * self.rows, (index + 1) * self.rows
            if start <= begin and end <= stop:
                self._read_chunk(index, found[begin - start : end - start])
                continue
            chunk = np.empty((self.rows, *row), self.dtype)
            self._read_chunk(index, chunk)
            low, high = max(start, begin), min(stop, end)
            found[low - start : high - start] = chunk[low - begin : high - begin]
        return found

    def stored_bytes(self, index: int) -> int:
        """Return the size of a chunk's file; raise where it cannot hold the chunk."""
        name = self._chunk(index)
        try:
            status = plain_status(self.root, name)
        except OSError as error:
            raise ValueError(damaged(self.root, name)) from error
        size, whole = status.st_size, self._chunk_bytes()
        # gzip adds 5 bytes to 16 KB that it cannot pack, and 18 in all.
        fits = size <= whole + whole // 1000 + 1024 if self.packed else size == whole
        if not stat.S_ISREG(status.st_mode) or not fits:
            raise ValueError(damaged(self.root, name))
        return size

    def _chunk(self, index: int) -> str:
        return f"{self.name}/{chunk_name(index, len(self.shape))}"

    def _chunk_bytes(self) -> int:
        return self.rows * self.nbytes // self.shape[0]

    def _read_chunk(self, index: int, into: Array) -> None:
        """Fill an array with a chunk: its checksum is compared first, then it is unpacked."""
        name = self._chunk(index)
        size = self.stored_bytes(index)
        memory = into.reshape(-1).view(np.uint8)
        raw = np.empty(size, np.uint8) if self.packed else memory
        with open_plain(self.root, name) as file:
            whole = file.readinto(raw.data) == size and not file.read(1)  # type: ignore[attr-defined]
            whole = whole and self._is_as_saved(index, file, raw)
        if whole and self.packed:
            whole = _unpack(raw, memory)
        if whole and self.dtype.kind == "b":
            whole = bool(memory.max() <= 1)
        if not whole:
            raise ValueError(damaged(self.root, name))

    def _mapped_chunk(self, index: int) -> Array | None:
        """Return a chunk that is shared with all who read it; None where it must be copied."""
        name = self._chunk(index)
        size = self.stored_bytes(index)
        with open_plain(self.root, name) as file:
            found = mapped(file, size)
            if found is not None and not self._is_as_saved(index, file, found):
                raise ValueError(damaged(self.root, name))
        return None if found is None else found.view(self.dtype).reshape(-1, *self.shape[1:])

    def _is_as_saved(self, index: int, file: BinaryIO, raw: npt.NDArray[np.uint8]) -> bool:
        """Tell whether a chunk's bytes have their checksum, if there is one."""
        if self.checksums is None:
            return True
        status = os.fstat(file.fileno())
        now = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        if self._verified.get(index) == now:
            return True
        if google_crc32c.value(raw) != self.checksums[index]:
            return False
        self._verified[index] = now
        return True


def require_backed(arrays: Iterable[SavedArray], chunks: range | None = None) -> None:
    """Raise ValueError where arrays would unpack to far more than there is on disk.

    Called before memory is reserved: nothing else bounds the shape that a file may declare.
    """
    stored = unpacked = 0
    for array in arrays:
        all_chunks = range(-(-array.shape[0] // array.rows))
        indices = all_chunks if chunks is None else chunks
        here = sum(array.stored_bytes(index) for index in indices)
        if array.packed:
            stored += here
            unpacked += array.nbytes * len(indices) // len(all_chunks)
        if unpacked > max(_FREE_BYTES, _MOST_RATIO * stored):
            raise ValueError(
                f"{array.root} is not read: with {array.name} it would unpack to {unpacked:,} "
                f"bytes from {stored:,}. If that is right, save it again with fewer examples."
            )


def write_array(
    root: Path, name: str, data: Array, attributes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write an array, every chunk of it, and return what `SavedArray.at` compares it with.

    Numbers with a fraction hardly compress: as they are, a stage reads as one run of bytes.
    """
    data = np.ascontiguousarray(data)
    metadata = array_metadata(data.shape, data.dtype)
    rows, packed = metadata["chunks"][0], metadata["compressor"] is not None
    folder = root / name
    folder.mkdir(parents=True)
    checksums = []
    for index, start in enumerate(range(0, len(data), rows)):
        chunk = data[start : start + rows]
        if len(chunk) < rows:
            filled = np.zeros((rows, *data.shape[1:]), data.dtype)
            filled[: len(chunk)] = chunk
            chunk = filled
        raw: Any = chunk.reshape(-1).view(np.uint8)
        if packed:
            packer = zlib.compressobj(1, wbits=31)
            raw = packer.compress(raw) + packer.flush()
        checksums.append(int(google_crc32c.value(raw)))
        (folder / chunk_name(index, data.ndim)).write_bytes(raw)
    return write_metadata(folder, metadata, checksums, attributes or {})


def array_metadata(shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return how an array is described: the largest chunks that may be, integers packed."""
    row_bytes = max(1, math.prod(shape[1:]) * dtype.itemsize)
    rows = max(1, min(shape[0], MOST_CHUNK // row_bytes))
    metadata = {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": [rows, *shape[1:]],
        "dtype": dtype.str,
        "compressor": {"id": "gzip", "level": 1} if dtype.kind != "f" else None,
        "fill_value": 0,
        "filters": None,
        "order": "C",
        "dimension_separator": ".",
    }
    _checked(metadata)
    return metadata


def write_metadata(
    folder: Path,
    metadata: Mapping[str, Any],
    checksums: list[int],
    attributes: Mapping[str, Any],
) -> dict[str, Any]:
    """Describe an array whose chunks are written; return what `SavedArray.at` compares it with."""
    (folder / ".zattrs").write_text(json.dumps(dict(attributes)))
    (folder / ".zarray").write_text(json.dumps(metadata, indent=1))
    return {**{key: metadata[key] for key in ("shape", "chunks", "dtype")}, "crc32c": checksums}


def write_group(root: Path, name: str = "") -> None:
    """Make the folder of a Zarr group, and those above it up to the root."""
    at = root / name
    at.mkdir(parents=True, exist_ok=True)
    for group in (at, *at.parents):
        if not (group / ".zgroup").exists():
            (group / ".zgroup").write_text(json.dumps({"zarr_format": 2}))
        if group == root:
            break


def chunk_name(index: int, dimensions: int) -> str:
    """Return the name of a chunk's file."""
    return ".".join([str(index), *["0"] * (dimensions - 1)])


def _checked(metadata: Mapping[str, Any]) -> tuple[tuple[int, ...], int, np.dtype[Any], bool]:
    """Return shape, rows of a chunk, dtype and whether it is packed; raise for all else."""
    shape, chunks, dtype = metadata["shape"], metadata["chunks"], metadata["dtype"]
    compressor = metadata["compressor"]
    if metadata["zarr_format"] != 2:
        raise ValueError("only format 2 of Zarr is read.")
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise ValueError(f"only plain numbers are read, not dtype {str(dtype)[:40]!r}.")
    if metadata["filters"] not in (None, []) or metadata["order"] != "C":
        raise ValueError("only arrays in C order without filters are read.")
    if metadata.get("dimension_separator", ".") != ".":
        raise ValueError("only names of chunks with dots are read.")
    if compressor is not None and (not isinstance(compressor, dict) or compressor["id"] != "gzip"):
        raise ValueError(f"only gzip is unpacked, not {str(compressor)[:60]}.")
    for sizes in (shape, chunks):
        if not isinstance(sizes, list) or not 1 <= len(sizes) <= _MOST_DIMENSIONS:
            raise ValueError(f"only 1 to {_MOST_DIMENSIONS} dimensions are read.")
        if not all(type(size) is int and 1 <= size <= _LARGEST for size in sizes):
            raise ValueError("a dimension is out of range.")
    found = np.dtype(dtype)
    if chunks[1:] != shape[1:] or chunks[0] > shape[0]:
        raise ValueError(f"chunks {chunks} do not divide the first axis of {shape} alone.")
    if math.prod(chunks) * found.itemsize > MOST_CHUNK:
        raise ValueError(f"a chunk of {chunks} is larger than {MOST_CHUNK:,} bytes.")
    return tuple(shape), chunks[0], found, compressor is not None


def _checksums(
    metadata: Mapping[str, Any], saved: Mapping[str, Any] | None
) -> tuple[int, ...] | None:
    if saved is None:
        return None
    for key in ("shape", "chunks", "dtype"):
        if metadata[key] != saved[key]:
            raise ValueError(f"its {key} was {saved[key]}, and is {metadata[key]}.")
    if len(saved["crc32c"]) != -(-metadata["shape"][0] // metadata["chunks"][0]):
        raise ValueError("there is not one checksum for each chunk.")
    return tuple(saved["crc32c"])


def _unpack(raw: npt.NDArray[np.uint8], into: npt.NDArray[np.uint8]) -> bool:
    """Unpack gzip to exactly as many bytes as there is room for; tell whether it was that."""
    unpacker = zlib.decompressobj(wbits=31)
    done = 0
    try:
        for start in range(0, len(raw), _PIECE):
            rest: Any = raw[start : start + _PIECE]
            while len(rest) and not unpacker.eof:
                # One byte more than there is room for shows that it is too much.
                piece = unpacker.decompress(rest, min(1 << 20, len(into) - done + 1))
                if len(piece) > len(into) - done:
                    return False
                into[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
                done += len(piece)
                rest = unpacker.unconsumed_tail
            if unpacker.eof and (unpacker.unused_data or start + _PIECE < len(raw)):
                return False
    except zlib.error:
        return False
    return unpacker.eof and done == len(into)
