"""Set aside: what is left of a stage when the parts of some concepts are taken out.

Each concept's part is a vector for each of its values. All are fitted together by least squares on
the concepts' indicator columns, so that concepts that go together are not taken out twice. The
normal equations need only the sums over groups: see `meaning.shares`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.activations import Activations, Consumer
from clusterwidget.activations.measured import Measured
from clusterwidget.core.concepts import Partition, partitions
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.shares import Float32Array, Float64Array

if TYPE_CHECKING:
    from scipy.sparse import csc_array

_ROWS = 2048
_KEPT_BYTES = 256 << 20
_SINGULAR = 1e-9
"""Share of the largest eigenvalue below which a direction of the normal equations is rounding."""


class Indicators:
    """Indicator columns of some partitions; a missing value is a group of its own.

    Parameters
    ----------
    partitions : sequence of Partition

    Attributes
    ----------
    starts : list of int
        The first column of each partition, and the number of columns.
    """

    def __init__(self, partitions: Sequence[Partition]) -> None:
        columns = []
        self.starts = [0]
        for partition in partitions:
            codes = partition.codes.astype(np.int64)
            width = len(partition.groups) + bool((codes < 0).any())
            codes = np.where(codes < 0, len(partition.groups), codes)
            columns.append(codes + self.starts[-1])
            self.starts.append(self.starts[-1] + width)
        self._columns = np.stack(columns, axis=1)

    def __len__(self) -> int:
        return self.starts[-1]

    def rows(self, rows: slice | npt.NDArray[np.integer]) -> csc_array:
        """Return the indicators of some examples, transposed: shape (columns, examples)."""
        columns = self._columns[rows]
        ends = np.arange(len(columns) + 1) * columns.shape[1]
        ones = np.ones(columns.size, np.float32)
        from scipy.sparse import csc_array

        return csc_array((ones, columns.ravel(), ends), shape=(len(self), len(columns)))

    def products(self) -> Float64Array:
        """Return how many examples are in each two groups, shape (columns, columns)."""
        indicators = self.rows(slice(None)).astype(np.float64)
        counts: Float64Array = (indicators @ indicators.T).toarray()
        return counts


def solved(products: Float64Array, sums: Float64Array) -> Float64Array:
    """Return the least-squares effects of groups, shape (columns, d); the shortest where many fit.

    Parameters
    ----------
    products : numpy.ndarray, shape (columns, columns)
    sums : numpy.ndarray, shape (columns, d)
        Sum of the vectors in each group.
    """
    values, vectors = np.linalg.eigh(products)
    kept = values > _SINGULAR * max(float(values[-1]), 1.0)
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
    effects: Float64Array = (vectors * inverse) @ (vectors.T @ sums)
    return effects


def set_aside(matrix: Float32Array, partitions: Sequence[Partition]) -> Float32Array:
    """Return a stage matrix less the parts of some concepts, shape (N, d), float32.

    The mean of all examples is taken out with them.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    partitions : sequence of Partition
        Of the N examples.
    """
    indicators = Indicators(partitions)
    shift = matrix[:_ROWS].mean(axis=0, dtype=np.float64).astype(np.float32)
    sums = np.zeros((len(indicators), matrix.shape[1]))
    blocks = [slice(start, start + _ROWS) for start in range(0, len(matrix), _ROWS)]
    for block in blocks:
        sums += indicators.rows(block) @ (matrix[block] - shift)
    effects = solved(indicators.products(), sums).astype(np.float32)
    left = np.empty(matrix.shape, np.float32)
    for block in blocks:
        left[block] = matrix[block] - shift
        left[block] -= indicators.rows(block).T @ effects
    return left


def partitions_aside(concepts: pd.DataFrame, names: Sequence[str]) -> tuple[Partition, ...]:
    """Return the groups of concepts that are set aside.

    Raises
    ------
    ValueError
        For a concept that is unknown or the same for all, and where there are as many groups as
        examples, so that nothing would be left.
    """
    found = []
    for name in dict.fromkeys(names):
        # Concepts that divide the examples alike are called by all their names: S4 = carry4.
        first = name if name in concepts.columns else name.split(" = ")[0]
        made = partitions(concepts, [first])
        if not made.all:
            raise ValueError(
                f"{' '.join(made.notes)} Nothing can be set aside with it: leave it out of without."
            )
        found.append(made.all[0])
    groups = sum(len(partition.groups) for partition in found)
    if groups >= len(concepts) and found:
        raise ValueError(
            f"{', '.join(names)} have {groups:,} values together, and there are {len(concepts):,} "
            "examples: nothing would be left. Set fewer concepts aside, or take more examples."
        )
    return tuple(found)


class Asides:
    """Stage matrices with concepts set aside; the latest few are kept.

    Parameters
    ----------
    activations : Activations or Measured
    concepts : pandas.DataFrame
        Of the examples.
    """

    def __init__(self, activations: Activations | Measured, concepts: pd.DataFrame) -> None:
        self._activations = activations
        self._concepts = concepts
        self._groups: dict[tuple[str, ...], tuple[Partition, ...]] = {}
        self._kept: OrderedDict[tuple[Stage, tuple[str, ...], int], Float32Array] = OrderedDict()
        self._lock = threading.Lock()

    def groups(self, names: Sequence[str]) -> tuple[Partition, ...]:
        """Return `partitions_aside`, worked out once: each press and each hover asks for it."""
        key = tuple(names)
        if key not in self._groups:
            self._groups[key] = partitions_aside(self._concepts, names)
        return self._groups[key]

    def matrix(self, stage: Stage, aside: tuple[Partition, ...], watch: Watch) -> Float32Array:
        """Return what is left of a stage, shape (N, d)."""
        key = stage, tuple(partition.name for partition in aside), self._activations.n
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept
        left = set_aside(self._activations.matrix(stage, watch), aside)
        with self._lock:
            self._kept[key] = left
            while len(self._kept) > 1 and (
                sum(matrix.nbytes for matrix in self._kept.values()) > _KEPT_BYTES
            ):
                self._kept.popitem(last=False)
        return left


class AllAside:
    """Activations with concepts set aside at every stage, for what goes through many stages.

    Parameters
    ----------
    activations : Activations or Measured
    aside : tuple of Partition
    """

    def __init__(self, activations: Activations | Measured, aside: tuple[Partition, ...]) -> None:
        self._activations, self._partitions = activations, aside

    @property
    def n(self) -> int:
        """Number of examples."""
        return self._activations.n

    @property
    def stage_set(self) -> StageSet:
        """The stages."""
        return self._activations.stage_set

    def divided(self, stages: Sequence[Stage]) -> tuple[dict[Stage, Float32Array], list[Stage]]:
        """Return no matrix as held: each is worked out as it streams by."""
        return {}, list(stages)

    def stream(
        self, stages: Sequence[Stage], consume: Consumer, watch: Watch, first: int | None = None
    ) -> None:
        """Pass on what is left of these stages, one after another, in batches as a model does.

        Sums in float32 stay exact enough over a batch, not over a million examples.
        """
        for stage, matrix in self._activations.each(stages, watch):
            left = set_aside(matrix, self._partitions)[:first]
            for start in range(0, len(left), _ROWS):
                consume(stage, start, left[start : start + _ROWS])
