"""Explained share: how much of the distance between examples a concept accounts for.

For a concept at a stage, ``1 - E[d² | same value] / E[d² | any pair]`` over pairs of different
examples: η², corrected for the number of groups, so that a concept that says nothing comes out at
0 on average however many values it has. It is computed without looking at pairs: the mean squared
distance within a group of n is twice its summed squared deviation over n - 1, and the deviations
follow from the groups' sums, which one matrix product gives for all concepts at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from clusterwidget.core.concepts import Partition

Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

_ROWS = 8192
_SAME = 1e-12
"""Share of the summed squares below which a deviation is rounding: the examples are the same."""


class Groups:
    """The groups of several partitions side by side, as columns of zeros and ones.

    Parameters
    ----------
    partitions : sequence of Partition
    """

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self.partitions = tuple(partitions)
        self.counts = np.concatenate([partition.sizes for partition in partitions]).astype(float)
        groups = [len(partition.groups) for partition in partitions]
        self.starts = np.concatenate([[0], np.cumsum(groups)[:-1]]).astype(np.int64)
        self._columns = np.stack(
            [
                np.where(partition.codes < 0, -1, partition.codes + start)
                for partition, start in zip(partitions, self.starts, strict=True)
            ],
            axis=1,
        )

    def one_hot(self, rows: npt.NDArray[np.int64] | slice) -> Float32Array:
        """Return the memberships of some examples, shape (examples, groups)."""
        columns = self._columns[rows]
        # One column more takes the missing values, and is cut off.
        table = np.zeros((len(columns), len(self.counts) + 1), np.float32)
        np.put_along_axis(table, columns, 1, axis=1)
        return table[:, :-1]


class GroupSums:
    """Sums over groups at one stage, taken in batches of examples.

    Parameters
    ----------
    groups : Groups
    shift : numpy.ndarray, shape (d,)
        Subtracted from every vector, so that sums of large activations do not lose their small
        differences. Any vector near the mean does: the shares do not depend on it.
    """

    def __init__(self, groups: Groups, shift: Float32Array) -> None:
        self._groups = groups
        self._shift = shift.astype(np.float32)
        self._sums = np.zeros((len(groups.counts), len(shift)))
        self._squares = np.zeros(len(groups.counts))

    def add(self, one_hot: Float32Array, rows: Float32Array) -> None:
        """Add a batch: memberships (b, groups) and vectors (b, d)."""
        moved = rows - self._shift
        squares = np.einsum("ij,ij->i", moved, moved, dtype=np.float64)
        self._sums += one_hot.T @ moved
        self._squares += one_hot.T @ squares

    def shares(self) -> Float64Array:
        """Return the explained share of each partition; NaN where all examples are the same."""
        counts, starts = self._groups.counts, self._groups.starts
        norms = np.einsum("ij,ij->i", self._sums, self._sums)
        within = np.maximum(self._squares - norms / np.maximum(counts, 1), 0)
        pairs = np.add.reduceat(counts * (counts - 1), starts)
        same = np.divide(
            np.add.reduceat(counts * within, starts),
            pairs,
            out=np.full(len(starts), np.nan),
            where=pairs > 0,
        )
        n = np.add.reduceat(counts, starts)
        total = np.add.reduceat(self._sums, starts, axis=0)
        squares = np.add.reduceat(self._squares, starts)
        deviation = squares - np.einsum("ij,ij->i", total, total) / n
        anywhere = np.where(deviation > _SAME * squares, deviation / (n - 1), np.nan)
        shares: Float64Array = 1 - same / anywhere
        return shares


def stage_shares(
    matrix: Float32Array, groups: Groups, rows: npt.NDArray[np.int64] | None = None
) -> Float64Array:
    """Return the explained share of each partition at one stage, shape (partitions,).

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    groups : Groups
        Of as many examples as the matrix has rows, or as `rows` has entries.
    rows : numpy.ndarray of int, optional
        The examples to look at, in the order of the groups' codes.
    """
    n = len(matrix) if rows is None else len(rows)
    first = matrix[:_ROWS] if rows is None else matrix[rows[:_ROWS]]
    sums = GroupSums(groups, first.mean(axis=0, dtype=np.float64).astype(np.float32))
    for start in range(0, n, _ROWS):
        part = slice(start, min(start + _ROWS, n))
        sums.add(groups.one_hot(part), matrix[part if rows is None else rows[part]])
    return sums.shares()
