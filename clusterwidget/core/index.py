"""Index: the k nearest rows of a matrix, asked for many times, exactly.

A search has two steps. A *screen* reads something quicker than the rows themselves and gives every
squared distance up to a known error; whatever could be among the k nearest within that error is
then measured as `nearest` does it, rows subtracted first. So the answer is that of `nearest`, bit
for bit, and never an approximation.

Small matrices are screened by a product, ``|a|^2 - 2 a.b``, which cancels near zero and is good
enough for a screen. Large ones take long to be read: they have codes of one byte a number.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import checked_index, checked_k
from clusterwidget.core.distances import (
    Float32Array,
    few_l2,
    nearest,
    products,
    require_matrix,
    scanned,
    smallest,
)

_ROUNDING = float(np.finfo(np.float32).eps) / 2
_ROWS_AT_ONCE = 4096
_WORTH_CODES = 1 << 24
"""Bytes of a matrix from which codes are quicker than a product."""
_SQUARES_FIT = 4e18
"""Length of rows up to which no squared distance overflows, and no error of one is immense."""
_WORTH_SCREENING = 8
"""Where more than one row in so many passes the screen, all are measured instead."""


class Index:
    """The rows of a matrix, prepared for many searches.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
        Of float32 it is kept as it is, not copied: do not change it afterwards. What is held
        beside it takes 4 bytes a row, or for matrices over 16 MB one byte a number.

    Raises
    ------
    TypeError, ValueError
        For what is no matrix of finite floating point numbers.

    See Also
    --------
    nearest : the same for one search.
    Explorer.neighbors : the same at a stage.

    Notes
    -----
    The error of a product of float32 numbers is bounded by ``d u |a| |b|`` with ``u = 2**-24``
    (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1); that of codes by
    the distance between a row and what its code stands for, of which the largest is kept. Where a
    few huge coordinates make the bound useless, all rows are measured.

    Examples
    --------
    >>> index = cw.Index(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    >>> index.nearest(0, k=2)
    (array([2, 1]), array([1., 5.], dtype=float32))
    """

    def __init__(self, matrix: npt.NDArray[Any]) -> None:
        if not isinstance(matrix, np.ndarray):
            raise TypeError(f"the matrix must be a numpy array, not {type(matrix).__name__}.")
        require_matrix(matrix)
        self.matrix: Float32Array = np.ascontiguousarray(matrix, np.float32)
        mean = self.matrix.mean(axis=0, dtype=np.float64)
        if not np.isfinite(mean).all():
            at = int(np.flatnonzero(~np.isfinite(self.matrix).all(axis=1))[0])
            raise ValueError(f"row {at} of the matrix holds NaN or infinity: leave such rows out.")
        self._screen: _Screen | None = None
        if float(np.abs(self.matrix).max()) < _SQUARES_FIT / np.sqrt(self.matrix.shape[1]):
            large = self.matrix.nbytes >= _WORTH_CODES
            self._screen = (_Codes if large else _Product)(self.matrix, mean)

    def __len__(self) -> int:
        return len(self.matrix)

    def nearest(self, row: int, k: int) -> tuple[npt.NDArray[np.int64], Float32Array]:
        """Return the k rows nearest to one row: nearest first, ties by index, the row left out.

        Parameters
        ----------
        row : int
            Index of a row.
        k : int
            How many, from 1 to N - 1.

        Returns
        -------
        indices : numpy.ndarray, shape (k,), int64
        distances : numpy.ndarray, shape (k,), float32

        Raises
        ------
        TypeError, ValueError, IndexError
            Where the row is not there or there are not so many others.

        See Also
        --------
        clusterwidget.nearest

        Examples
        --------
        >>> indices, distances = cw.Index(ex.matrix("L1H0.result@S3")).nearest(42, k=5)
        >>> bool((indices == ex.neighbors("L1H0.result@S3", 42, k=5)["example"]).all())
        True
        """
        n = len(self.matrix)
        row, k = checked_index(row, n), checked_k(k, n)
        screen = self._screen
        within = None if screen is None else screen.within(self.matrix[row], k + 1)
        if within is None or len(within) > n // _WORTH_SCREENING + k:
            return nearest(self.matrix, row, k)
        within = within[within != row]
        distances = few_l2(self.matrix.take(within, axis=0), self.matrix[row])
        order = np.argsort(distances, kind="stable")[:k]
        return within[order], distances[order]


class _Screen(Protocol):
    def within(self, vector: Float32Array, count: int) -> npt.NDArray[np.int64] | None:
        """Return, in order, all rows that can be among the `count` nearest; None if not known."""


class _Product:
    """Squared distances by a product with the matrix, less what is the same for all rows."""

    def __init__(self, matrix: Float32Array, mean: npt.NDArray[np.float64]) -> None:
        self._matrix = matrix
        self._mean = mean.astype(np.float32)
        # Of rows less the mean, which are shorter: the error of the product goes with their length.
        self._norms = np.empty(len(matrix), np.float32)
        longest = 0.0
        for start in range(0, len(matrix), _ROWS_AT_ONCE):
            rows = matrix[start : start + _ROWS_AT_ONCE].astype(np.float64)
            longest = max(longest, float(np.einsum("ij,ij->i", rows, rows).max()))
            rows -= self._mean
            self._norms[start : start + len(rows)] = np.einsum("ij,ij->i", rows, rows)
        self._longest = float(np.sqrt(longest))
        self._furthest = float(np.sqrt(self._norms.max()))

    def within(self, vector: Float32Array, count: int) -> npt.NDArray[np.int64] | None:
        apart = vector - self._mean
        squares = products(self._matrix, apart)
        squares *= -2
        squares += self._norms
        length = float(np.sqrt(apart @ apart))
        # The product, the norms, their difference, and what the distances are rounded by.
        off = 2 * self._longest * length + (self._furthest + length) ** 2
        slack = 4 * (len(apart) + 8) * _ROUNDING * off
        return smallest(squares, count, slack) if np.isfinite(slack) else None


class _Codes:
    """Squared distances between codes: each number as one of 255 steps, in one byte."""

    def __init__(self, matrix: Float32Array, mean: npt.NDArray[np.float64]) -> None:
        self._mean = mean.astype(np.float32)
        self._step = max(_furthest(matrix, self._mean) / 127, float(np.finfo(np.float32).tiny))
        self._codes = np.empty(matrix.shape, np.int8)
        worst = 0.0
        for start in range(0, len(matrix), _ROWS_AT_ONCE):
            rows = matrix[start : start + _ROWS_AT_ONCE]
            codes = self._codes[start : start + len(rows)]
            worst = max(worst, self._code(rows, codes))
        self._worst = worst

    def _code(self, rows: Float32Array, codes: npt.NDArray[np.int8]) -> float:
        """Write the codes of rows, and return how far at most a row is from what its code says."""
        steps = rows - self._mean
        steps /= np.float32(self._step)
        rounded = np.rint(steps)
        codes[:] = rounded
        steps -= rounded
        return self._step * float(np.sqrt(np.einsum("ij,ij->i", steps, steps).max()))

    def within(self, vector: Float32Array, count: int) -> npt.NDArray[np.int64] | None:
        code = np.empty((1, len(vector)), np.int8)
        off = self._worst + self._code(vector[None], code)
        squares = scanned(self._codes, code)
        # Both are that far off; the rest is for sums and steps of float32 numbers.
        d = len(vector)
        last = float(np.sqrt(squares[smallest(squares, count)].max()))
        reach = (last + 2 * off / self._step) * (1 + 8 * d * _ROUNDING) + 1e-4 * np.sqrt(d)
        return np.flatnonzero(squares <= reach**2) if np.isfinite(reach) else None


def _furthest(matrix: Float32Array, mean: Float32Array) -> float:
    """Return the largest absolute value of all rows less the mean."""
    return float(max((matrix.max(axis=0) - mean).max(), (mean - matrix.min(axis=0)).max()))
