"""Significance: the chance that an unrelated concept explains as much, by permutation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control

from clusterwidget.activations.activations import Activations
from clusterwidget.core.concepts import Partitions
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.shares import Float64Array, Groups, stage_shares

Float32Array = npt.NDArray[np.float32]
Correction = Literal["bh", "max", "none"]
CORRECTIONS = ("bh", "max", "none")

MOST_EXAMPLES = 2000


def significance(
    activations: Activations,
    stages: Sequence[Stage],
    partitions: Partitions,
    *,
    permutations: int = 199,
    correction: Correction = "bh",
    seed: int = 0,
    watch: Watch | None = None,
) -> pd.DataFrame:
    """Return p of each explained share, stages × concepts, by permuting the examples.

    Whole examples are permuted, so that concepts keep what they have to do with one another. Of
    more than 2,000 examples a random 2,000 are looked at: the test is then of less power, but of
    the same size.

    Parameters
    ----------
    activations : Activations
    stages : sequence of Stage
    partitions : Partitions
    permutations : int
        The smallest p is one over this plus one.
    correction : str
        ``"bh"``: false discovery rate over stages × concepts (Benjamini and Hochberg 1995).
        ``"max"``: family-wise, each share against the largest of all shares in each permutation
        (Westfall and Young 1993). ``"none"``: each by itself.
    seed : int
    watch : Watch, optional
        Told how many permutations are done.
    """
    if correction not in CORRECTIONS:
        raise ValueError(
            f"there is no correction {correction!r}; there are {', '.join(CORRECTIONS)}."
        )
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, not {permutations}.")
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(activations.n)[:MOST_EXAMPLES])
    groups = Groups([partition.of(rows) for partition in partitions.all])
    watch = watch or Watch()
    matrices = _rows_of(activations, stages, rows, watch.quiet())
    observed = _shares(matrices, groups, np.arange(len(rows)))
    reached = np.zeros_like(observed)
    with watch.bar(permutations, "permutation") as watch:
        for done in range(permutations):
            permuted = _shares(matrices, groups, rng.permutation(len(rows)))
            against = np.nanmax(permuted) if correction == "max" else permuted
            reached += against >= observed
            watch.step(done + 1, permutations)
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
    activations: Activations,
    stages: Sequence[Stage],
    rows: npt.NDArray[np.int64],
    watch: Watch,
) -> list[Float32Array]:
    """Return some rows of the stage matrices; what is not held is run for and not kept."""
    held, missing = activations.divided(stages)
    chosen = {stage: matrix[rows] for stage, matrix in held.items()}
    if missing:
        parts: dict[Stage, list[Float32Array]] = {stage: [] for stage in missing}

        def consume(stage: Stage, start: int, batch: Float32Array) -> None:
            inside = rows[(rows >= start) & (rows < start + len(batch))] - start
            parts[stage].append(batch[inside])

        activations.stream(missing, consume, watch)
        chosen |= {stage: np.concatenate(kept) for stage, kept in parts.items()}
    return [chosen[stage] for stage in stages]
