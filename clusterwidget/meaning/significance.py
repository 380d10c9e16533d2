"""Significance: the chance that an unrelated concept explains as much, by permutation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control

from clusterwidget.activations.activations import Activations
from clusterwidget.core.concepts import Partitions
from clusterwidget.core.watch import Cancelled, CaptureCancelledError, Progress, reported
from clusterwidget.meaning.shares import Float64Array, Groups, stage_shares
from clusterwidget.core.stages import Stage

if TYPE_CHECKING:
    pass

Float32Array = npt.NDArray[np.float32]
Correction = Literal["bh", "max", "none"]
CORRECTIONS = ("bh", "max", "none")

MOST_EXAMPLES = 2000


def significance(
    captures: Activations,
    stages: Sequence[Stage],
    partitions: Partitions,
    *,
    permutations: int = 199,
    correction: Correction = "bh",
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> pd.DataFrame:
    """Return p of each explained share, stages × concepts, by permuting the examples.

    Whole examples are permuted, so that concepts keep what they have to do with one another. Of
    more than 2,000 examples a random 2,000 are looked at: the test is then of less power, but of
    the same size.

    Parameters
    ----------
    captures : Activations
    stages : sequence of Stage
    partitions : Partitions
    permutations : int
        The smallest p is one over this plus one.
    correction : str
        ``"bh"``: false discovery rate over stages × concepts (Benjamini and Hochberg 1995).
        ``"max"``: family-wise, each share against the largest of all shares in each permutation
        (Westfall and Young 1993). ``"none"``: each by itself.
    seed : int
    progress : function of (permutations done, in all), optional
    cancelled : function, optional
    """
    if correction not in CORRECTIONS:
        raise ValueError(
            f"there is no correction {correction!r}; there are {', '.join(CORRECTIONS)}."
        )
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, not {permutations}.")
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(captures.n)[:MOST_EXAMPLES])
    groups = Groups([partition.of(rows) for partition in partitions.all])
    matrices = _rows_of(captures, stages, rows, cancelled)
    observed = _shares(matrices, groups, np.arange(len(rows)))
    reached = np.zeros_like(observed)
    with reported(progress, permutations, "permutation") as report:
        for done in range(permutations):
            permuted = _shares(matrices, groups, rng.permutation(len(rows)))
            against = np.nanmax(permuted) if correction == "max" else permuted
            reached += against >= observed
            if cancelled is not None and cancelled():
                raise CaptureCancelledError
            report(done + 1, permutations)
    p = (1 + reached) / (1 + permutations)
    known = np.isfinite(observed)
    if correction == "bh" and known.any():
        p[known] = false_discovery_control(p[known])
    p[~known] = np.nan
    return pd.DataFrame(
        p,
        index=pd.Index([str(stage) for stage in stages], name="stage"),
        columns=pd.Index([partition.name for partition in partitions.all], name="concept"),
    )


def _shares(
    matrices: Sequence[Float32Array], groups: Groups, order: npt.NDArray[np.int64]
) -> Float64Array:
    return np.stack([stage_shares(matrix, groups, order) for matrix in matrices])


def _rows_of(
    captures: Activations,
    stages: Sequence[Stage],
    rows: npt.NDArray[np.int64],
    cancelled: Cancelled | None,
) -> list[Float32Array]:
    """Return some rows of the stage matrices; what is not held is run for and not kept."""
    held, missing = captures.divided(stages)
    chosen = {stage: matrix[rows] for stage, matrix in held.items()}
    if missing:
        parts: dict[Stage, list[Float32Array]] = {stage: [] for stage in missing}

        def consume(stage: Stage, start: int, batch: Float32Array) -> None:
            inside = rows[(rows >= start) & (rows < start + len(batch))] - start
            parts[stage].append(batch[inside])

        captures.stream(missing, consume, None, cancelled)
        chosen |= {stage: np.concatenate(kept) for stage, kept in parts.items()}
    return [chosen[stage] for stage in stages]
