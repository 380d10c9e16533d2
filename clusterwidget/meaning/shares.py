"""Explained share: how much of the distance between examples a concept accounts for.

For a concept at a stage, ``1 - E[d² | same value] / E[d² | any pair]`` over pairs of different
examples: η² (the between-group share of variance), corrected for the number of groups, so that an
unrelated concept has a share of 0 on average however many values it has. No pair is looked at: the
mean squared distance within a group of n is twice its summed squared deviation over n - 1, which
follows from the sum of the group's vectors and of their squared lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clusterwidget.core.concepts import Partition

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_ROWS = 2048
"""Rows in a block: one of 128 dimensions fits the cache, and its float32 sums stay exact enough."""

_SAME = 1e-12
"""Share of the summed squares below which a deviation is rounding: the examples are the same."""


class Groups:
    """The groups of several partitions side by side, one row of a membership matrix each.

    Parameters
    ----------
    partitions : sequence of Partition
    among : numpy.ndarray of bool, shape (N,), optional
        The examples that count; all by default.

    Attributes
    ----------
    counts : numpy.ndarray, shape (groups,)
        Examples in each group.
    starts : numpy.ndarray of int, shape (partitions,)
        The first group of each partition.
    """

    def __init__(
        self, partitions: Sequence[Partition], among: npt.NDArray[np.bool_] | None = None
    ) -> None:
        sizes = [_sizes(partition, among) for partition in partitions]
        self.counts: Float64Array = np.concatenate(sizes).astype(float)
        self.starts: Ints = np.cumsum([0, *map(len, sizes[:-1])])
        self._partitions = tuple(partitions)
        self._among = among

    def memberships(self, rows: Ints | slice) -> csc_array:
        """Return the memberships of some examples as ones and zeros, shape (groups, examples).

        Sparse: an example has one group of each partition, so a product with the examples' vectors
        costs as many additions as there are partitions, however many groups they have.
        """
        columns = np.stack([partition.codes[rows] for partition in self._partitions], axis=1)
        counted = columns >= 0
        if self._among is not None:
            counted &= self._among[rows, None]
        columns += self.starts.astype(np.int32)
        ends = np.concatenate([[0], np.cumsum(counted.sum(axis=1))])
        groups = columns[counted]
        ones = np.ones(len(groups), np.float32)
        from scipy.sparse import csc_array

        return csc_array((ones, groups, ends), shape=(len(self.counts), len(columns)))

    def shares(self, sums: Float64Array, squares: Float64Array) -> Float64Array:
        """Return the explained share of each partition; NaN where all examples are the same.

        Parameters
        ----------
        sums : numpy.ndarray, shape (groups, d)
            Sum of the vectors in each group, less any fixed vector near their mean.
        squares : numpy.ndarray, shape (groups,)
            Sum of their squared lengths.
        """
        counts, starts = self.counts, self.starts
        norms = np.einsum("ij,ij->i", sums, sums)
        within = np.maximum(squares - norms / np.maximum(counts, 1), 0)
        pairs = np.add.reduceat(counts * (counts - 1), starts)
        same = np.divide(
            np.add.reduceat(counts * within, starts),
            pairs,
            out=np.full(len(starts), np.nan),
            where=pairs > 0,
        )
        n = np.add.reduceat(counts, starts)
        total = np.add.reduceat(sums, starts, axis=0)
        all_squares = np.add.reduceat(squares, starts)
        deviation = all_squares - np.einsum("ij,ij->i", total, total) / np.maximum(n, 1)
        differ = deviation > _SAME * all_squares
        anywhere = np.where(differ, deviation / np.maximum(n - 1, 1), np.nan)
        shares: Float64Array = 1 - same / anywhere
        return shares


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

    def add(self, memberships: csc_array, rows: Float32Array) -> None:
        """Add a batch: memberships (groups, b) and vectors (b, d)."""
        moved = rows - self._shift
        self._sums += memberships @ moved
        self._squares += memberships @ squared_lengths(moved)

    def shares(self) -> Float64Array:
        """Return the explained share of each partition; NaN where all examples are the same."""
        return self._groups.shares(self._sums, self._squares)

    def spread(self) -> tuple[float, float]:
        """Return the spread and the length of the last group's vectors: see `meaning.spread`."""
        mean = self._sums[-1] / self._groups.counts[-1]
        apart = max(self._squares[-1] / self._groups.counts[-1] - float(mean @ mean), 0.0)
        return apart**0.5, (apart + float(np.square(self._shift + mean).sum())) ** 0.5


def stage_shares(matrix: Float32Array, groups: Groups, rows: Ints | None = None) -> Float64Array:
    """Return the explained share of each partition at one stage, shape (partitions,).

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    groups : Groups
        Of as many examples as the matrix has rows, or as `rows` has entries.
    rows : numpy.ndarray of int, optional
        The examples to look at, in the order of the groups' codes.
    """
    return shares_of_each(matrix, [groups], rows)[0]


def explained_shares(matrix: Float32Array, partitions: Sequence[Partition]) -> list[float]:
    """Return the explained share of each partition at one stage; of none, none."""
    return stage_shares(matrix, Groups(partitions)).tolist() if partitions else []


def shares_of_each(
    matrix: Float32Array, several: Sequence[Groups], rows: Ints | None = None
) -> list[Float64Array]:
    """Return `stage_shares` for several groups, for instance of two halves, from one pass."""
    n = len(matrix) if rows is None else len(rows)
    first = matrix[:_ROWS] if rows is None else matrix[rows[:_ROWS]]
    shift = first.mean(axis=0, dtype=np.float64).astype(np.float32)
    sums = [GroupSums(groups, shift) for groups in several]
    for start in range(0, n, _ROWS):
        part = slice(start, min(start + _ROWS, n))
        block = matrix[part if rows is None else rows[part]]
        for groups, each in zip(several, sums, strict=True):
            each.add(groups.memberships(part), block)
    return [each.shares() for each in sums]


def squared_lengths(rows: Float32Array) -> Float64Array:
    """Return the squared length of each row, shape (N,)."""
    lengths: Float64Array = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return lengths


def _sizes(partition: Partition, among: npt.NDArray[np.bool_] | None) -> Ints:
    """Return how many examples each group has; one empty group where all values are missing."""
    codes = partition.codes if among is None else partition.codes[among]
    return np.bincount(codes[codes >= 0], minlength=max(1, len(partition.groups)))
