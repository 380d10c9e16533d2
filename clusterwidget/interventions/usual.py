"""Usual range: distance to the nearest reference activation, over its usual size.

A patched run can hold activations that no example leads to, and what it answers then says little
about the model. Heimersheim and Nanda, "How to use and interpret activation patching" (2024).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from simsimd import cdist

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_REFERENCES = 2000


class UsualRange:
    """The residual stream after the last layer on reference examples, at the answers.

    Parameters
    ----------
    indices : numpy.ndarray of int, shape (m,)
        The reference examples.
    seen : numpy.ndarray, shape (m, answers, d_model)
        Their activations.
    """

    def __init__(self, indices: Ints, seen: Float32Array) -> None:
        self._indices = indices
        self._seen = [np.ascontiguousarray(seen[:, answer]) for answer in range(seen.shape[1])]
        self._typical = [self._typical_of(rows) for rows in self._seen]

    def unusual(self, rows: Float32Array, answer: int, apart: Ints) -> Float32Array:
        """Return the distance to the nearest reference activation, over its usual size.

        Parameters
        ----------
        rows : numpy.ndarray, shape (n, d_model)
            Activations, as `seen`.
        answer : int
            Index of the answer.
        apart : numpy.ndarray of int, shape (n, any)
            Examples that a row is not compared with: those that it was made from.

        Returns
        -------
        numpy.ndarray, shape (n,)
            The usual size is the median of this distance over the reference examples; NaN where
            it is 0.
        """
        distances = _distances(np.ascontiguousarray(rows, np.float32), self._seen[answer])
        for column in apart.T:
            distances[column[:, None] == self._indices] = np.inf
        nearest = distances.min(axis=1)
        typical = self._typical[answer]
        ratio: Float32Array = nearest / typical if typical else np.full_like(nearest, np.nan)
        ratio[~np.isfinite(nearest)] = np.nan
        return ratio

    @staticmethod
    def _typical_of(rows: Float32Array) -> float:
        distances = _distances(rows, rows)
        np.fill_diagonal(distances, np.inf)
        return float(np.median(distances.min(axis=1)))


def _distances(one: Float32Array, other: Float32Array) -> Float32Array:
    return np.asarray(cdist(one, other, metric="euclidean", out_dtype="float32"), np.float32)
