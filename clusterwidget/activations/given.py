"""Given activations: arrays that were captured elsewhere, checked and put in order by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.activations.cache import Cache, Matrix
from clusterwidget.core.checks import shown, unmasked
from clusterwidget.core.places import Places
from clusterwidget.core.stages import Stage, StageRow, StageSet


def given_activations(
    activations: Mapping[Stage | str, npt.ArrayLike], n: int, places: Places
) -> tuple[Cache, StageSet]:
    """Return activations that were captured elsewhere, and their stages.

    Raises
    ------
    ValueError, TypeError
        For an array that is not N × d floating point numbers, or holds NaN or infinity.
    """
    if not isinstance(activations, Mapping):
        raise TypeError(
            f"activations must say which stages they are, {{'L0.z@0': array}}, not be "
            f"{shown(activations)}."
        )
    if not activations:
        raise ValueError("activations are empty, {}: give at least one stage, {'L0.z@0': array}.")
    held, positions = Cache(), places.names
    widths: dict[tuple[str, int | None, int | None], list[int]] = {}
    for key, given in activations.items():
        stage = Stage.of(key)
        if not stage.position:
            stage = replace(stage, position=positions[-1])
        column = places.column(stage.position)
        if column is not None:
            stage = replace(stage, position=places.name(column))
        if stage.position not in positions:
            raise ValueError(
                f"the activations of {stage} name the position {stage.position!r}; the examples "
                f"have {list(positions)}."
            )
        if held.get(stage) is not None:
            raise ValueError(f"the activations of {stage} are given twice: give them once.")
        matrix = _checked_matrix(stage, given, n)
        row = widths.setdefault((stage.kind, stage.layer, stage.head), [0] * len(positions))
        row[positions.index(stage.position)] = matrix.shape[1]
        held.put(stage, matrix)
    rows = [StageRow(*key, tuple(row)) for key, row in widths.items()]
    return held, StageSet(rows, positions, places.layout)


def _checked_matrix(stage: Stage, given: Any, n: int) -> Matrix:
    if type(given).__module__.partition(".")[0] == "torch" and hasattr(given, "detach"):
        if given.is_complex():
            raise TypeError(f"the activations of {stage} must be real numbers, not {given.dtype}.")
        given = given.detach().float().cpu()
    unmasked(f"the activations of {stage}", given)
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise ValueError(
            f"the activations of {stage} must be rows of equal length, (examples, dimensions), "
            f"not {shown(given)}."
        ) from error
    if array.ndim != 2 or len(array) != n or array.shape[1] == 0:
        raise ValueError(
            f"the activations of {stage} have shape {array.shape}, {shown(given)}; there are "
            f"{n:,} examples: give one row each, (examples, dimensions)."
        )
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise TypeError(
            f"the activations of {stage} must be real numbers, not {array.dtype}, {shown(given)}."
        )
    # What is too large for float32 becomes infinite here and is refused below, not warned of.
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(array, dtype=np.float32)
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(broken):
        raise ValueError(
            f"the activations of {stage} hold NaN or infinity, first in row {broken[0]} "
            f"({len(broken):,} rows in all): leave those examples out."
        )
    return matrix
