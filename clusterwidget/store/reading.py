"""Store: an exploration as one Zarr group on disk, which any tool that knows Zarr can read.

``tokens`` (N × T), ``labels``, ``concepts``, ``answers``, and one array of N × d for each stage
that was saved, its address among its attributes; ``records`` are small documents, the attributes
of a group each, that are added one at a time. `writing` and `records` write what is read here.

A store may come from anyone: it is read without code of its choosing, without following links,
and within the memory that it declares (`files`, `arrays`, `description`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.examples import Examples
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import Stage, StageRow, StageSet, row_name
from clusterwidget.model.hooks import Model
from clusterwidget.store.arrays import Array, SavedArray, require_backed
from clusterwidget.store.description import about, described, stage_rows
from clusterwidget.store.files import damaged, read_json
from clusterwidget.store.tables import from_arrays, replaced

Float32Array = npt.NDArray[np.float32]
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
        self._about = about(path)
        self._opened: dict[str, SavedArray] = {}
        self._finite: set[str] = set()
        self.n = self._array("tokens").shape[0]
        self.whole = stage_rows(self._about)
        self._arrays = {Stage.parse(stage): name for stage, name in self._about["stages"].items()}
        self.stage_set = SavedStages(self.whole, self.stages, path)
        # What is in them is checked when they are read: that takes time when there are many.
        for name in self._arrays.values():
            if not (path / name / ".zarray").exists():
                raise ValueError(damaged(path, name))

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages whose matrices were saved."""
        return frozenset(self._arrays)

    def rows(self, stage: Stage, start: int = 0, stop: int | None = None) -> Float32Array:
        """Return rows of a stage's matrix, shape (rows, d), float32; they may be read-only."""
        name = self._arrays[stage]
        found: Float32Array = self._data(name, (self.n, self.whole.width(stage)), start, stop)
        saved_as = {"stage": str(stage), "identity": self._about["identity"]}
        attributes = read_json(self.path, f"{name}/.zattrs")
        if {key: attributes.get(key) for key in saved_as} != saved_as:
            raise ValueError(self._trouble(damaged(self.path, name)))
        if name in self._finite:
            return found
        if not np.isfinite(found).all():
            raise ValueError(
                f"the matrix of {stage} in {self.path} holds NaN or infinity and cannot be "
                "compared: save it again without the examples that cause it."
            )
        if len(found) == self.n and self._array(name).checksums is not None:
            # What has its checksum stays finite.
            self._finite.add(name)
        return found

    def basis(self, layer: int, head: int) -> Float32Array | None:
        """Return what turns a head's `result` into vectors, shape (d, d_model), if it was saved."""
        name = self._about["bases"].get(row_name("result", layer, head))
        return None if name is None else self._data(name, (None, None))

    @property
    def fingerprint(self) -> Float32Array | None:
        """What tells the model from others: see `model_fingerprint`."""
        return self._data("fingerprint", (None, None, None)) if self._about["fingerprint"] else None

    def examples(self, **changes: Any) -> Examples:
        """Return the examples; of functions none is saved: give them."""
        arrays = [self._array(name) for name in self._about["arrays"]]
        try:
            require_backed(arrays)
            found: dict[str, Array] = {array.name: array.read() for array in arrays}
        except ValueError as error:
            raise ValueError(self._trouble(error)) from error
        try:
            saved = from_arrays(found, self._about)
        except ValueError as error:
            raise ValueError(f"{damaged(self.path, 'its examples')} ({error})") from error
        given = {name: value for name, value in changes.items() if value is not None}
        return replaced(saved, **given) if given else saved

    def require_model(self, model: Model, stage_set: StageSet, inputs: Inputs) -> None:
        """Raise ValueError where a model is clearly not the one that the matrices came from."""
        saved = self.fingerprint
        difference = _difference(self.whole, stage_set, self.stages, of_model=saved is not None)
        if difference:
            raise ValueError(f"{self.path} is of another model: {difference}")
        if saved is not None and is_other(saved, model_fingerprint(model, stage_set, inputs)):
            raise ValueError(
                f"{self.path} is of another model: these weights gave other activations on the "
                "first examples. Open it with the weights it was saved with."
            )

    def _array(self, name: str) -> SavedArray:
        if name not in self._opened:
            saved = self._about.get("checksums", {}).get(name)
            self._opened[name] = SavedArray.at(self.path, name, saved)
        return self._opened[name]

    def _data(
        self, name: str, shape: tuple[int | None, ...], start: int = 0, stop: int | None = None
    ) -> Float32Array:
        """Return rows of an array of float32 or float16; None in its shape is any length."""
        try:
            array = self._array(name)
            pairs = zip(array.shape, shape, strict=False)
            fits = len(array.shape) == len(shape) and all(b in (a, None) for a, b in pairs)
            if array.dtype.str not in ("<f4", ">f4", "<f2", ">f2") or not fits:
                raise ValueError(damaged(self.path, f"{name}/.zarray"))
            return np.asarray(array.read(start, stop), np.float32)
        except ValueError as error:
            raise ValueError(self._trouble(error)) from error

    def _trouble(self, error: ValueError | str) -> str:
        """Say why something cannot be read: a save may have replaced the folder meanwhile."""
        if described(self.path).get("identity") != self._about["identity"]:
            return f"{self.path} was saved again since it was opened: open it again."
        return str(error)


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


def model_fingerprint(model: Model, stage_set: StageSet, inputs: Inputs) -> Float32Array:
    """Return what tells two models of the same shape apart: the last layer on two examples.

    Returns
    -------
    numpy.ndarray, shape (2, T, d_model)
    """
    from clusterwidget.model.capture import capture

    last = stage_set.select(kinds="resid_post", layers=int(model.cfg.n_layers) - 1)
    found = capture(model, inputs[:2], last, stage_set)
    return np.stack([found[stage] for stage in last], axis=1)


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


def is_other(saved: Float32Array, own: Float32Array) -> bool:
    """Tell whether two fingerprints differ by more than rounding, at any example and position.

    Medians: a few dimensions of a residual stream can be larger than all others together.
    """
    if saved.shape != own.shape:
        return True
    off = np.median(np.abs(saved - own), axis=2)
    return bool((off > _OTHER_WEIGHTS * np.median(np.abs(saved), axis=2)).any())
