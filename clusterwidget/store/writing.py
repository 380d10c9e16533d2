"""Saving: writes an exploration whole or not at all; `store` reads it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.examples import Examples
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.store.arrays import write_array, write_group
from clusterwidget.store.description import FORMAT, VERSION, described
from clusterwidget.store.files import with_checksum
from clusterwidget.store.leftovers import NEW, OLD, working_folder
from clusterwidget.store.records import Records, put_record
from clusterwidget.store.tables import LAID_OUT, to_arrays

Float32Array = npt.NDArray[np.float32]
Matrices = Iterable[tuple[Stage, Float32Array]]
Bases = Iterable[tuple[str, Float32Array]]


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
    ValueError
        Where a matrix holds NaN or infinity.
    """
    require_free(path)
    identity = uuid.uuid4().hex
    with _replacing(path) as fresh:
        write_group(fresh)
        saved: dict[str, str] = {}
        checksums: dict[str, Any] = {}
        for stage, matrix in matrices:
            name = saved[str(stage)] = f"stages/{len(saved)}"
            rows = matrix[: len(examples)]
            if not np.isfinite(rows).all():
                raise ValueError(
                    f"the matrix of {stage} holds NaN or infinity and cannot be compared: leave "
                    "the stage, or the examples that cause it, out."
                )
            write_group(fresh, "stages")
            checksums[name] = write_array(fresh, name, rows, stage_attributes(stage, identity))
        write_rest(
            fresh, identity, examples, stage_set, saved, checksums, bases, records, fingerprint
        )


def stage_attributes(stage: Stage, identity: str) -> dict[str, str]:
    """Return what stands beside a stage's matrix: whose it is, and of which exploration."""
    return {"stage": str(stage), "identity": identity}


def write_rest(
    fresh: Path,
    identity: str,
    examples: Examples,
    stage_set: StageSet,
    saved: Mapping[str, str],
    checksums: dict[str, Any],
    bases: Bases,
    records: Callable[[], Records],
    fingerprint: Float32Array | None,
) -> None:
    """Write all but the stages' matrices, and last the description of all.

    Parameters
    ----------
    fresh : Path
    identity : str
    examples, stage_set, bases, records, fingerprint
        As in `write_store`.
    saved : mapping of stage to array
        The names of the arrays that are written.
    checksums : dict
        Of these arrays; those of all others are added.
    """
    arrays, known = to_arrays(examples)

    def write(name: str, array: npt.NDArray[Any]) -> None:
        write_group(fresh, name.rpartition("/")[0])
        checksums[name] = write_array(fresh, name, array)

    for name, array in arrays.items():
        write(name, array)
    if fingerprint is not None:
        write("fingerprint", fingerprint)
    saved_bases: dict[str, str] = {}
    for name, basis in bases:
        saved_bases[name] = f"bases/{len(saved_bases)}"
        write(saved_bases[name], basis)
    about = {
        **known,
        "format": FORMAT,
        # What has neither is read by earlier releases as well.
        "version": VERSION if any(known[name] for name in LAID_OUT) else 2,
        "identity": identity,
        "arrays": list(arrays),
        "fingerprint": fingerprint is not None,
        "bases": saved_bases,
        "stages": dict(saved),
        "rows": [asdict(row) for row in stage_set.rows],
        "checksums": checksums,
    }
    (fresh / ".zattrs").write_bytes(with_checksum(about))
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
        described(path)
    except (ValueError, FileNotFoundError) as error:
        raise FileExistsError(
            f"{path} is there and is no saved exploration: choose another name, or remove it."
        ) from error


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yield a folder that takes the path's place at the end, or is removed after an error."""
    path = path.absolute()
    with working_folder(path) as working:
        fresh, old = working / NEW, working / OLD
        yield fresh
        try:
            if path.exists():
                path.rename(old)
            fresh.rename(path)
        except BaseException:
            if old.exists() and not path.exists():
                old.rename(path)
            raise
