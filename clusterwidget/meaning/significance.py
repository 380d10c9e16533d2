"""Significance: permutation tests of explained shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.activations import Activations
from clusterwidget.activations.measured import Measured
from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.chance import corrected
from clusterwidget.meaning.shares import Float64Array, Groups, squared_lengths

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Correction = Literal["bh", "max", "none"]
CORRECTIONS = ("bh", "max", "none")

MOST_EXAMPLES = 2000
"""Examples in a test of many stages and concepts at once."""

MOST_PERMUTATIONS = 1_000_000
"""More would take days, and no p asks for them."""

MOST_OF_ONE = 20_000
"""Examples in a test of one concept at one stage."""

_ROUNDING = 1e-6
"""Shares that differ by less are equal: they are sums of float32."""


def significance(
    activations: Activations | Measured,
    stages: Sequence[Stage],
    partitions: Partitions,
    *,
    permutations: int = 199,
    correction: Correction = "bh",
    seed: int = 0,
    watch: Watch | None = None,
) -> pd.DataFrame:
    """Return p of each explained share, stages × concepts, by permuting the examples.

    All concepts of an example are permuted together, which keeps the dependence between concepts.
    Where there are more than 2,000 examples, a random 2,000 are tested: a test of the same size,
    with less power.

    Parameters
    ----------
    activations : Activations
    stages : sequence of Stage
    partitions : Partitions
    permutations : int
        The smallest possible p is ``1 / (permutations + 1)``.
    correction : str
        ``"bh"``: false discovery rate over stages × concepts (Benjamini and Hochberg 1995).
        ``"max"``: family-wise, each share against the largest of all shares in each permutation
        (Westfall and Young 1993). ``"none"``: each by itself.
    seed : int
    watch : Watch, optional
        Reports how many permutations are done.
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
    samples = [_Sample(some) for some in _rows_of(activations, stages, rows, watch.quiet())]
    observed = _shares(samples, groups, np.arange(len(rows)))
    reached = np.zeros_like(observed)
    with watch.bar(permutations, "permutation") as watch:
        for done in range(permutations):
            permuted = _shares(samples, groups, rng.permutation(len(rows)))
            against = np.nanmax(permuted) if correction == "max" else permuted
            reached += against >= observed - _ROUNDING
            watch.step(done + 1, permutations)
    p = (1 + reached) / (1 + permutations)
    known = np.isfinite(observed)
    if correction == "bh" and known.any():
        p[known] = corrected(p[known])
    p[~known] = np.nan
    return pd.DataFrame(
        p,
        index=pd.Index([str(stage) for stage in stages], name="stage"),
        columns=pd.Index([partition.name for partition in partitions.all], name="concept"),
    )


def p_of_share(
    matrix: Float32Array,
    partition: Partition,
    rows: Ints,
    *,
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """Return the permutation p of one concept's share at one stage.

    Where there are more than 20,000 examples, a random 20,000 are tested: a test of the same size,
    with less power. The unpermuted share counts as one of the permuted ones.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    partition : Partition
        Of the N examples.
    rows : numpy.ndarray of int
        The examples to test on.
    permutations : int
    rng : numpy.random.Generator
    """
    if len(rows) > MOST_OF_ONE:
        rows = np.sort(rng.choice(rows, MOST_OF_ONE, replace=False))
    samples, groups = [_Sample(matrix[rows])], Groups([partition.of(rows)])
    observed = _shares(samples, groups, np.arange(len(rows))).item()
    reached = 0
    for _ in range(permutations):
        permuted = _shares(samples, groups, rng.permutation(len(rows))).item()
        reached += permuted >= observed - _ROUNDING
    return (1 + reached) / (1 + permutations)


class _Sample:
    """Vectors at one stage, prepared for sums over many different groupings."""

    def __init__(self, rows: Float32Array) -> None:
        self.rows = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.squares = squared_lengths(self.rows)


def _shares(samples: Sequence[_Sample], groups: Groups, order: Ints) -> Float64Array:
    """Return stages × concepts, the vector at ``order[i]`` having the groups of example i."""
    # The groups are permuted rather than the vectors, which are larger.
    memberships = groups.memberships(np.argsort(order))
    shares = [
        groups.shares(memberships @ sample.rows, memberships @ sample.squares) for sample in samples
    ]
    return np.array(shares, dtype=np.float64).reshape(len(samples), len(groups.starts))


def _rows_of(
    activations: Activations | Measured, stages: Sequence[Stage], rows: Ints, watch: Watch
) -> list[Float32Array]:
    """Return some rows of the stage matrices; those that are not held are not kept either."""
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
