"""Store: an exploration as one Zarr group on disk, which any tool that knows Zarr can read.

``tokens`` (N × T), ``labels``, ``concepts``, ``answers``, and one array of N × d for each stage
that was saved; ``records`` are small JSON documents that are added one at a time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.examples import Examples
from clusterwidget.hooks import Model
from clusterwidget.stages import Stage, StageRow, StageSet
from clusterwidget.tables import from_arrays, to_arrays

Float32Array = npt.NDArray[np.float32]
Group = Any
"""A zarr.Group: zarr is imported when a store is opened, and its two versions differ in types."""
Matrices = Iterable[tuple[Stage, Float32Array]]

_FORMAT = "clusterwidget exploration"
_VERSION = 1
_CHUNK_BYTES = 1 << 26


class Store:
    """A saved exploration, its stage matrices read when they are asked for.

    Parameters
    ----------
    path : path of the folder

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no saved exploration there, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._group = _opened(path)
        about = _about(self._group, path)
        try:
            self.n, self._t = self._group["tokens"].shape
            self.stage_set = StageSet(
                [StageRow(**{**row, "widths": tuple(row["widths"])}) for row in about["rows"]],
                about["positions"],
            )
            self._arrays = {Stage.parse(stage): name for stage, name in about["stages"].items()}
            self._about = about
            missing = [name for name in self._arrays.values() if name not in self._group]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(_damaged(path, str(error))) from error
        if missing:
            raise ValueError(_damaged(path, missing[0]))

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages whose matrices were saved."""
        return frozenset(self._arrays)

    def rows(self, stage: Stage, start: int = 0, stop: int | None = None) -> Float32Array:
        """Return rows of a stage's matrix, shape (rows, d), float32."""
        found: Float32Array = np.asarray(
            self._group[self._arrays[stage]][start:stop], dtype=np.float32
        )
        return found

    def examples(self, **changes: Any) -> Examples:
        """Return the examples; functions, `vocabulary` and `parse`, are not saved: give them."""
        arrays = {
            name: self._group[name][...] for name in self._about["arrays"] if name in self._group
        }
        try:
            return from_arrays(arrays, self._about, **changes)
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(_damaged(self.path, str(error))) from error

    def require_model(self, model: Model, stage_set: StageSet, tokens: npt.NDArray[Any]) -> None:
        """Raise ValueError where a model is clearly not the one that the matrices came from."""
        for stage, name in self._arrays.items():
            width = self._group[name].shape[1]
            try:
                own = stage_set.width(stage)
            except ValueError as error:
                raise ValueError(f"{self.path} is of another model: {error}") from error
            if own != width:
                raise ValueError(
                    f"{self.path} is of another model: {stage} has {width} dimensions there and "
                    f"{own} in this one."
                )
        if "fingerprint" not in self._group:
            return
        saved, own_print = (
            self._group["fingerprint"][...],
            model_fingerprint(model, stage_set, tokens),
        )
        if not np.allclose(saved, own_print, rtol=1e-2, atol=1e-2 * np.abs(saved).max()):
            raise ValueError(
                f"{self.path} is of another model: this one has the same shape, and other "
                "activations on the first examples. Open it with the weights it was saved with."
            )


def model_fingerprint(model: Model, stage_set: StageSet, tokens: npt.NDArray[Any]) -> Float32Array:
    """Return what tells two models of the same shape apart: the last layer on two examples."""
    from clusterwidget.capture import capture

    last = stage_set.select(kinds="resid_post", layers=int(model.cfg.n_layers) - 1)
    found = capture(model, tokens[:2], last, stage_set)
    return np.stack([found[stage] for stage in last], axis=1)


def write_store(
    path: Path,
    examples: Examples,
    stage_set: StageSet,
    matrices: Matrices,
    records: Mapping[str, Mapping[str, Mapping[str, Any]]],
    fingerprint: Float32Array | None,
) -> None:
    """Write an exploration, whole or not at all, in place of one that is there.

    Parameters
    ----------
    path : Path
    examples : Examples
    stage_set : StageSet
    matrices : iterable of (Stage, matrix)
        Taken one at a time.
    records : mapping of kind to mapping of key to document
    fingerprint : numpy.ndarray or None

    Raises
    ------
    FileExistsError
        Where the path holds something else than a saved exploration.
    """
    require_free(path)
    with _replacing(path) as fresh:
        group = _zarr().open_group(str(fresh), mode="w")
        arrays, about = to_arrays(examples)
        for name, array in arrays.items():
            _write(group, name, array)
        if fingerprint is not None:
            _write(group, "fingerprint", fingerprint)
        saved: dict[Stage, str] = {}
        for stage, matrix in matrices:
            saved[stage] = f"stages/{len(saved)}"
            _write(group, saved[stage], matrix).attrs["stage"] = str(stage)
        group.attrs.update(
            {
                **about,
                "format": _FORMAT,
                "version": _VERSION,
                "arrays": list(arrays),
                "stages": {str(stage): name for stage, name in saved.items()},
                "rows": [
                    {"kind": row.kind, "layer": row.layer, "head": row.head, "widths": row.widths}
                    for row in stage_set.rows
                ],
            }
        )
        for kind, documents in records.items():
            for key, document in documents.items():
                put_record(fresh, kind, key, document)


def put_record(path: Path, kind: str, key: str, document: Mapping[str, Any]) -> None:
    """Add a small document to an exploration, whole or not at all; nothing else is rewritten."""
    folder = path / "records" / kind
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    temporary = folder / f".{name}"
    temporary.write_text(json.dumps({"key": key, "document": document}))
    temporary.replace(folder / f"{name}.json")


def records(path: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the documents of a kind, by key."""
    files = sorted((path / "records" / kind).glob("*.json"))
    try:
        found = [json.loads(file.read_text()) for file in files]
        return {record["key"]: record["document"] for record in found}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(_damaged(path, f"one of records/{kind}")) from error


def require_free(path: Path) -> None:
    """Raise where an exploration cannot be written without losing something else."""
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {path.absolute().parent} to save {path.name} in: make it first."
        )
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        _about(_opened(path), path)
    except (ValueError, FileNotFoundError) as error:
        raise FileExistsError(
            f"{path} is there and is no saved exploration: choose another name, or remove it."
        ) from error


def _zarr() -> Any:
    import zarr

    return zarr


def _opened(path: Path) -> Group:
    if not path.exists():
        raise FileNotFoundError(
            f"there is no saved exploration at {path}. Make one with explorer.save({str(path)!r})."
        )
    try:
        return _zarr().open_group(str(path), mode="r")
    except Exception as error:
        raise ValueError(f"{path} is no saved exploration: {error}") from error


def _about(group: Group, path: Path) -> dict[str, Any]:
    about = dict(group.attrs)
    if about.get("format") != _FORMAT:
        raise ValueError(f"{path} is a Zarr group, but no exploration that explorer.save(…) wrote.")
    if about.get("version") != _VERSION:
        raise ValueError(
            f"{path} was saved in version {about.get('version')} of the format, and this is "
            f"version {_VERSION}: open it with a newer clusterwidget."
        )
    return about


def _damaged(path: Path, what: str) -> str:
    return f"{path} is damaged: {what} is missing or not as it was saved. Save it again."


def _write(group: Group, name: str, data: npt.NDArray[Any]) -> Any:
    # The method's name changed from zarr 2 to 3.
    create = getattr(group, "create_array", None) or group.create_dataset
    row_bytes = max(1, data.nbytes // max(1, len(data)))
    rows = max(1, min(len(data), _CHUNK_BYTES // row_bytes))
    array = create(name, shape=data.shape, dtype=data.dtype, chunks=(rows, *data.shape[1:]))
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
