"""Activations: the stage matrices that are held in memory, within a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from clusterwidget.stages import Stage, StageRow, StageSet

Matrix = npt.NDArray[np.float32]


class Activations:
    """Stage matrices by stage; the least recently used go when the bound is passed.

    Safe to use from several threads.

    Parameters
    ----------
    bound : int or None
        Bytes that the matrices may take together; None for no bound. The newest matrix is kept
        even where it alone is larger.
    """

    def __init__(self, bound: int | None = None) -> None:
        if bound is not None and bound <= 0:
            raise ValueError(f"the memory bound must be a positive number of bytes, not {bound}.")
        self.bound = bound
        self._matrices: OrderedDict[Stage, Matrix] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes that are held now."""
        with self._lock:
            return self._nbytes

    def get(self, stage: Stage) -> Matrix | None:
        """Return a stage's matrix, or None where it is not held."""
        with self._lock:
            matrix = self._matrices.get(stage)
            if matrix is not None:
                self._matrices.move_to_end(stage)
            return matrix

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._matrices.clear()
            self._nbytes = 0

    def put(self, stage: Stage, matrix: Matrix) -> None:
        """Keep a matrix, and drop what was not used for longest until the bound holds."""
        with self._lock:
            old = self._matrices.pop(stage, None)
            self._nbytes += matrix.nbytes - (0 if old is None else old.nbytes)
            self._matrices[stage] = matrix
            while self.bound is not None and self._nbytes > self.bound and len(self._matrices) > 1:
                self._nbytes -= self._matrices.popitem(last=False)[1].nbytes


def given_activations(
    activations: Mapping[Stage | str, npt.ArrayLike], n: int, positions: tuple[str, ...]
) -> tuple[Activations, StageSet]:
    """Check activations that came from elsewhere, and say which stages they are.

    Raises
    ------
    ValueError, TypeError
        For an array that is not N × d floating point numbers, or holds NaN or infinity.
    """
    if not activations:
        raise ValueError("activations are empty: give at least one stage, {'L0.z@0': array}.")
    held = Activations()
    widths: dict[tuple[str, int | None, int | None], list[int]] = {}
    for key, given in activations.items():
        stage = Stage.of(key)
        if stage.position not in positions:
            raise ValueError(
                f"the activations of {stage} name the position {stage.position!r}; the examples "
                f"have {list(positions)}."
            )
        matrix = _checked_matrix(stage, given, n)
        row = widths.setdefault((stage.kind, stage.layer, stage.head), [0] * len(positions))
        row[positions.index(stage.position)] = matrix.shape[1]
        held.put(stage, matrix)
    rows = [StageRow(*key, tuple(row)) for key, row in widths.items()]
    return held, StageSet(rows, positions)


def _checked_matrix(stage: Stage, given: npt.ArrayLike, n: int) -> Matrix:
    if hasattr(given, "detach"):
        given = given.detach().float().cpu()
    array = np.asarray(given)
    if array.ndim != 2 or len(array) != n or array.shape[1] == 0:
        raise ValueError(
            f"the activations of {stage} have shape {array.shape}; there are {n:,} examples: give "
            "one row each, (examples, dimensions)."
        )
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise TypeError(f"the activations of {stage} must be real numbers, not {array.dtype}.")
    matrix = np.ascontiguousarray(array, dtype=np.float32)
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(broken):
        raise ValueError(
            f"the activations of {stage} hold NaN or infinity, first in row {broken[0]} "
            f"({len(broken):,} rows in all): leave those examples out."
        )
    return matrix
