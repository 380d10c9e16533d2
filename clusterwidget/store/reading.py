"""Store: an exploration as one Zarr group on disk, which any tool that knows Zarr can read.

``tokens`` (N × T), ``labels``, ``concepts``, ``answers``, and one array of N × d for each stage
that was saved, its address among its attributes; ``records`` are small documents, the attributes
of a group each, that are added one at a time. `saving` and `records` write what is read here.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.examples import Examples
from clusterwidget.core.stages import Stage, StageRow, StageSet, row_name
from clusterwidget.model.hooks import Model
from clusterwidget.store.records import damaged
from clusterwidget.store.tables import from_arrays

Float32Array = npt.NDArray[np.float32]
Group = Any
"""A zarr.Group: zarr is imported when a store is opened, and its two versions differ in types."""

FORMAT = "clusterwidget exploration"
VERSION = 1

_UNREADABLE = (
    *(KeyError, IndexError, TypeError, AttributeError, ValueError),
    *(RuntimeError, OSError, EOFError, zlib.error),
)
_OTHER_WEIGHTS = 0.05


class Store:
    """A saved exploration, its stage matrices read when they are asked for.

    Parameters
    ----------
    path : path of the folder

    Attributes
    ----------
    n : int
        Number of examples.
    whole : StageSet
        The stages that there were, saved or not.
    stage_set : SavedStages
        Those that were saved.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no saved exploration there, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._group = opened(path)
        known = self._about = about(self._group, path)
        self._complete: set[str] = set()
        try:
            self._identity = known["identity"]
            self.n = int(self._group["tokens"].shape[0])
            rows = [StageRow(**{**row, "widths": tuple(row["widths"])}) for row in known["rows"]]
            self.whole = StageSet(rows, known["positions"])
            self._arrays = {Stage.parse(stage): name for stage, name in known["stages"].items()}
            self.stage_set = SavedStages(self.whole, self.stages, path)
        except _UNREADABLE as error:
            what = str(error) if isinstance(error, KeyError) else "its description"
            raise ValueError(damaged(path, what)) from error
        # Asking Zarr whether each is there would take most of the time of opening.
        for name in self._arrays.values():
            if not (path / name / ".zarray").exists():
                raise ValueError(damaged(path, name))

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages whose matrices were saved."""
        return frozenset(self._arrays)

    def rows(self, stage: Stage, start: int = 0, stop: int | None = None) -> Float32Array:
        """Return rows of a stage's matrix, shape (rows, d), float32."""
        name = self._arrays[stage]
        found: Float32Array = np.asarray(self._data(name, start, stop), dtype=np.float32)
        saved_as = {"stage": str(stage), "identity": self._identity}
        attributes = self._group[name].attrs if name in self._group else {}
        if {key: attributes.get(key) for key in saved_as} != saved_as:
            raise ValueError(self._trouble(name))
        return found

    def basis(self, layer: int, head: int) -> Float32Array | None:
        """Return what turns a head's `result` into vectors, shape (d, d_model), if it was saved."""
        name = self._about.get("bases", {}).get(row_name("result", layer, head))
        return None if name is None else self._data(name)

    @property
    def fingerprint(self) -> Float32Array | None:
        """What tells the model from others: see `model_fingerprint`."""
        if not self._about.get("fingerprint"):
            return None
        found: Float32Array = self._data("fingerprint")
        return found

    def examples(self, **changes: Any) -> Examples:
        """Return the examples; functions, `vocabulary` and `parse`, are not saved: give them."""
        try:
            names = self._about["arrays"]
            arrays = {name: self._data(name) for name in names}
            return from_arrays(arrays, self._about, **changes)
        except (KeyError, IndexError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(damaged(self.path, "the description of its examples")) from error

    def require_model(self, model: Model, stage_set: StageSet, tokens: npt.NDArray[Any]) -> None:
        """Raise ValueError where a model is clearly not the one that the matrices came from."""
        saved = self.fingerprint
        difference = _difference(self.whole, stage_set, self.stages, of_model=saved is not None)
        if difference:
            raise ValueError(f"{self.path} is of another model: {difference}")
        if saved is not None and _other(saved, model_fingerprint(model, stage_set, tokens)):
            raise ValueError(
                f"{self.path} is of another model: these weights gave other activations on the "
                "first examples. Open it with the weights it was saved with."
            )

    def _data(self, name: str, start: int = 0, stop: int | None = None) -> Any:
        """Return rows of an array of which nothing was lost: zarr would fill in zeros."""
        try:
            array = self._group[name]
            if name not in self._complete and array.nchunks_initialized != array.nchunks:
                raise ValueError(f"{array.nchunks_initialized} of {array.nchunks} chunks")
            self._complete.add(name)
            return np.asarray(array[start:stop])
        except _UNREADABLE as error:
            raise ValueError(self._trouble(name)) from error

    def _trouble(self, name: str) -> str:
        """Say why an array cannot be read: a save may have replaced the folder in the meantime."""
        if opened(self.path).attrs.get("identity") != self._identity:
            return f"{self.path} was saved again since it was opened: open it again."
        return damaged(self.path, f"all or part of {name}")


class SavedStages(StageSet):
    """The stages that were saved, and what to do about the others.

    Parameters
    ----------
    whole : StageSet
    saved : set of Stage
    path : Path
    """

    def __init__(self, whole: StageSet, saved: frozenset[Stage], path: Path) -> None:
        rows = []
        for row in whole.rows:
            stages = [Stage(row.kind, row.layer, row.head, name) for name in whole.positions]
            pairs = zip(stages, row.widths, strict=True)
            widths = tuple(width if stage in saved else 0 for stage, width in pairs)
            if any(widths):
                rows.append(StageRow(row.kind, row.layer, row.head, widths))
        super().__init__(rows, whole.positions)
        self._unsaved = frozenset(whole.select()) - saved
        self._path = path

    def width(self, stage: Stage) -> int:
        """Return the length d of the vectors at a stage; raise where it was not saved."""
        if stage in self._unsaved:
            raise ValueError(
                f"the stage {str(stage)!r} was not saved in {self._path}: open it with the model, "
                "cw.open(path, model=model), which can also save it: explorer.save(path, stages)."
            )
        return super().width(stage)


def model_fingerprint(model: Model, stage_set: StageSet, tokens: npt.NDArray[Any]) -> Float32Array:
    """Return what tells two models of the same shape apart: the last layer on two examples.

    Returns
    -------
    numpy.ndarray, shape (2, T, d_model)
    """
    from clusterwidget.model.capture import capture

    last = stage_set.select(kinds="resid_post", layers=int(model.cfg.n_layers) - 1)
    found = capture(model, tokens[:2], last, stage_set)
    return np.stack([found[stage] for stage in last], axis=1)


def opened(path: Path) -> Group:
    """Return the Zarr group at a path; raise where there is none."""
    import zarr

    if not path.exists():
        aside = _set_aside(path)
        advice = (
            f"A save was broken off, and what it was to replace is whole in {aside}: move it here."
            if aside
            else f"Make one with explorer.save({str(path)!r})."
        )
        raise FileNotFoundError(f"there is no saved exploration at {path}. {advice}")
    try:
        return zarr.open_group(str(path), mode="r")
    except Exception as error:
        raise ValueError(f"{path} is no saved exploration: {error}") from error


def about(group: Group, path: Path) -> dict[str, Any]:
    """Return the attributes of an exploration; raise where the group is none."""
    known = dict(group.attrs)
    if known.get("format") != FORMAT:
        raise ValueError(f"{path} is a Zarr group, but no exploration that explorer.save(…) wrote.")
    if known.get("version") != VERSION:
        raise ValueError(
            f"{path} was saved in version {known.get('version')} of the format, and this is "
            f"version {VERSION}: open it with a newer clusterwidget."
        )
    return known


def _difference(
    saved: StageSet, own: StageSet, needed: frozenset[Stage], *, of_model: bool
) -> str | None:
    """Say how the stages of two models differ; None where they do not.

    Of kinds that only one of them has, only what is needed is compared: which kinds there are
    depends on the version of TransformerLens as well.
    """
    theirs = {(row.kind, row.layer, row.head): row.widths for row in saved.rows}
    ours = {(row.kind, row.layer, row.head): row.widths for row in own.rows}
    common = {kind for kind, *_ in theirs} & {kind for kind, *_ in ours} if of_model else set()
    compared = {(stage.kind, stage.layer, stage.head) for stage in needed}
    for key in {**theirs, **ours}:
        name = row_name(*key)
        if key[0] not in common and key not in compared:
            continue
        if key not in ours:
            return f"there is {name} in what was saved, and none in this one."
        if key not in theirs:
            return f"there is {name} in this one, and none in what was saved."
        for there, here in zip(theirs[key], ours[key], strict=True):
            if there not in (0, here):
                return f"{name} has {there} dimensions there and {here} in this one."
    return None


def _other(saved: Float32Array, own: Float32Array) -> bool:
    """Tell whether two fingerprints differ by more than rounding, at any example and position.

    Medians: a few dimensions of a residual stream can be larger than all others together.
    """
    if saved.shape != own.shape:
        return True
    off = np.median(np.abs(saved - own), axis=2)
    return bool((off > _OTHER_WEIGHTS * np.median(np.abs(saved), axis=2)).any())


def _set_aside(path: Path) -> Path | None:
    """Return where the exploration is that a save was about to replace when it was broken off."""
    parent, begin = path.absolute().parent, f".{path.name}-"
    if not parent.is_dir():
        return None
    left = (folder / "old" for folder in parent.iterdir() if folder.name.startswith(begin))
    return next((folder for folder in left if folder.exists()), None)
