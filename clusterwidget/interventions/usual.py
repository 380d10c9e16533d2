"""Usual range: distance to the nearest reference activation, over its usual size.

A patched run can hold activations that no example leads to, and what it answers then says little
about the model. Heimersheim and Nanda, "How to use and interpret activation patching" (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_REFERENCES = 2000

_MULTIPLICATIONS = 12 * 10**9
"""What running the reference examples may take; a small model's are run in less than a second."""
_FEWEST_REFERENCES = 64


def references_for(cfg: Any, tokens: int) -> int:
    """Return how many reference examples a model is run on: fewer where a run is dear.

    Parameters
    ----------
    cfg : configuration
        Of the model.
    tokens : int
        In an example.
    """
    d_model = int(cfg.d_model)
    wide = int(getattr(cfg, "d_mlp", None) or 0)
    of_one = tokens * int(cfg.n_layers) * (4 * d_model * d_model + 3 * d_model * wide)
    return min(MOST_REFERENCES, max(_FEWEST_REFERENCES, _MULTIPLICATIONS // of_one))


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
        self._seen = [_Seen(seen[:, answer]) for answer in range(seen.shape[1])]
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
        hidden = [column[:, None] == self._indices for column in apart.T]
        nearest = self._seen[answer].nearest(np.asarray(rows, np.float32), hidden)
        typical = self._typical[answer]
        ratio: Float32Array = nearest / typical if typical else np.full_like(nearest, np.nan)
        ratio[~np.isfinite(nearest)] = np.nan
        return ratio

    @staticmethod
    def _typical_of(seen: _Seen) -> float:
        return float(np.median(seen.nearest(seen.rows, [np.eye(len(seen.rows), dtype=bool)])))


class _Seen:
    """Reference activations of one answer, shape (m, d_model), and their squared lengths.

    Which of them is nearest is found by a product, which is quick and cancels near zero: the
    distance to it is then measured for itself.
    """

    def __init__(self, rows: Float32Array) -> None:
        self.rows = np.ascontiguousarray(rows, np.float32)
        self._mean = self.rows.mean(axis=0)
        self._apart = self.rows - self._mean
        self._lengths = np.einsum("ij,ij->i", self._apart, self._apart)

    def nearest(self, rows: Float32Array, hidden: Sequence[npt.NDArray[np.bool_]]) -> Float32Array:
        """Return the distance of rows to the nearest that is not hidden; infinite where all are.

        Parameters
        ----------
        rows : numpy.ndarray, shape (n, d_model)
        hidden : sequence of numpy.ndarray of bool, shape (n, m)
        """
        # By torch, which runs the model: numpy's threads and torch's would get in each other's way.
        apart = torch.from_numpy(rows - self._mean)
        squares = (apart @ torch.from_numpy(self._apart).T).numpy()
        squares *= -2
        squares += self._lengths
        for some in hidden:
            squares[some] = np.inf
        best = squares.argmin(axis=1)
        found: Float32Array = np.linalg.norm(rows - self.rows[best], axis=1)
        found[~np.isfinite(squares[np.arange(len(rows)), best])] = np.inf
        return found
