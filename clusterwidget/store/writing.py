"""Saving: writes an exploration whole or not at all; `store` reads it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.examples import Examples
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.store.reading import FORMAT, VERSION, Group, about, opened
from clusterwidget.store.records import Records, put_record
from clusterwidget.store.tables import to_arrays

Float32Array = npt.NDArray[np.float32]
Matrices = Iterable[tuple[Stage, Float32Array]]
Bases = Iterable[tuple[str, Float32Array]]

_CHUNK_BYTES = 1 << 26


def write_store(
    path: Path,
    examples: Examples,
    stage_set: StageSet,
    matrices: Matrices,
    *,
    bases: Bases = (),
    records: Callable[[], Records] = dict,
    fingerprint: Float32Array | None = None,
) -> None:
    """Write an exploration, whole or not at all, in place of one that is there.

    Parameters
    ----------
    path : Path
    examples : Examples
    stage_set : StageSet
        All stages that there are, saved or not.
    matrices : iterable of (Stage, matrix)
        Taken one at a time; the rows of examples that came later are left out.
    bases : iterable of (row name, array of shape (d, d_model))
        What turns the coordinates of `result` into vectors, by head.
    records : function, optional
        Returns documents by kind and key; asked when all else is written, as new ones may come.
    fingerprint : numpy.ndarray, optional
        See `model_fingerprint`; without it the activations came from elsewhere.

    Raises
    ------
    FileExistsError, FileNotFoundError
        Where the path holds something else, or its folder is not there.
    """
    require_free(path)
    identity = uuid.uuid4().hex
    with _replacing(path) as fresh:
        group = _created(fresh)
        arrays, known = to_arrays(examples)
        for name, array in arrays.items():
            _write(group, name, array)
        if fingerprint is not None:
            _write(group, "fingerprint", fingerprint)
        saved_bases: dict[str, str] = {}
        for name, basis in bases:
            saved_bases[name] = f"bases/{len(saved_bases)}"
            _write(group, saved_bases[name], basis)
        saved: dict[str, str] = {}
        for stage, matrix in matrices:
            saved[str(stage)] = f"stages/{len(saved)}"
            array = _write(group, saved[str(stage)], matrix[: len(examples)])
            array.attrs.put({"stage": str(stage), "identity": identity})
        group.attrs.put(
            {
                **known,
                "format": FORMAT,
                "version": VERSION,
                "identity": identity,
                "arrays": list(arrays),
                "fingerprint": fingerprint is not None,
                "bases": saved_bases,
                "stages": saved,
                "rows": [asdict(row) for row in stage_set.rows],
            }
        )
        for kind, documents in records().items():
            for key, document in documents.items():
                put_record(fresh, kind, key, document)


def require_free(path: Path) -> None:
    """Raise where an exploration cannot be written without losing something else."""
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {path.absolute().parent} to save {path.name} in: make it first."
        )
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        about(opened(path), path)
    except (ValueError, FileNotFoundError) as error:
        raise FileExistsError(
            f"{path} is there and is no saved exploration: choose another name, or remove it."
        ) from error


def _created(path: Path) -> Group:
    import zarr

    # Version 2 of Zarr's format: what one version of the library wrote, the other one reads.
    newer: dict[str, Any] = {"zarr_format": 2} if hasattr(zarr.Group, "create_array") else {}
    return zarr.open_group(str(path), mode="w", **newer)


def _write(group: Group, name: str, data: npt.NDArray[Any]) -> Any:
    """Write an array, every chunk of it: one that is missing later was lost.

    Numbers with a fraction hardly compress; as they are, a stage reads as one run of bytes. gzip
    notices when a file was cut short, which zstd does not always.
    """
    from numcodecs import GZip

    packed = None if data.dtype.kind == "f" else GZip(level=1)
    row_bytes = max(1, data.nbytes // max(1, len(data)))
    rows = max(1, min(len(data), _CHUNK_BYTES // row_bytes))
    shape = {"shape": data.shape, "dtype": data.dtype, "chunks": (rows, *data.shape[1:])}
    if hasattr(group, "create_array"):
        settings = {"compressors": packed, "config": {"write_empty_chunks": True}}
        array = group.create_array(name, **shape, **settings)
    else:
        settings = {"compressor": packed, "write_empty_chunks": True}
        array = group.create_dataset(name, **shape, **settings)
    array[...] = data
    return array


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yield a folder that takes the path's place at the end, or is removed after an error."""
    path = path.absolute()
    working = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    fresh, old = working / "new", working / "old"
    try:
        yield fresh
        if path.exists():
            path.rename(old)
        fresh.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        shutil.rmtree(working, ignore_errors=True)
