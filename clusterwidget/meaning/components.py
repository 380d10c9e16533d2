"""Components: the leading principal components of what is left of a stage."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clusterwidget.meaning.shares import Float32Array, Float64Array

MOST = 5
RANGES = 10
"""Ranges into which a component is divided to make a concept of it."""

_ENDS = 5
_SAME = 1e-9


@dataclass(frozen=True)
class Components:
    """Principal components of a stage, or of what is left of it.

    Attributes
    ----------
    shares : numpy.ndarray, shape (components,)
        Share of the squared distance between examples, of what was looked at.
    values : numpy.ndarray, shape (N, components), float32
        Each example's coordinates.

    See Also
    --------
    Explorer.components

    Examples
    --------
    >>> bool(ex.components("L0H0.result@S3", without="L2").shares[0] > 0.5)
    True
    """

    shares: Float64Array
    values: Float32Array

    def ends(self, component: int) -> tuple[list[int], list[int]]:
        """Return the five examples lowest and highest on a component, the outermost first.

        See Also
        --------
        ranges

        Examples
        --------
        >>> low, high = ex.components("L0H0.result@S3", without="L2").ends(0)
        >>> len(low), len(high)
        (5, 5)
        """
        order = np.argsort(self.values[:, component], kind="stable")
        return order[:_ENDS].tolist(), order[::-1][:_ENDS].tolist()

    def ranges(self, component: int) -> list[str]:
        """Return each example's tenth on a component, to make a concept of.

        See Also
        --------
        Explorer.add_concept

        Examples
        --------
        >>> ranges = ex.components("L0H0.result@S3", without="L2").ranges(0)
        >>> len(ranges) == len(ex.examples)
        True
        """
        values = self.values[:, component]
        inner = np.unique(np.quantile(values, np.arange(1, RANGES) / RANGES))
        bounds = [float(values.min()), *inner.tolist(), float(values.max())]
        # Numbered, so that the texts sort as the ranges do.
        texts = [
            f"{at + 1:02} from {low:.3g} to {high:.3g}"
            for at, (low, high) in enumerate(pairwise(bounds))
        ]
        return [texts[at] for at in np.searchsorted(inner, values, side="left").tolist()]


def components(matrix: Float32Array, most: int = MOST) -> Components:
    """Return the leading principal components of a stage matrix, shape (N, d).

    From the eigenvectors of the covariance: d is far smaller than N. The sign of a component is
    that with which its largest weight is positive.
    """
    n, d = matrix.shape
    mean = matrix.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((d, d))
    rows = 8192
    for start in range(0, n, rows):
        block: npt.NDArray[np.float64] = matrix[start : start + rows] - mean
        covariance += block.T @ block
    sizes, axes = np.linalg.eigh(covariance / n)
    total = float(sizes.sum())
    there = max(1, min(most, int((sizes > _SAME * max(total, 1e-300)).sum())))
    axes = axes[:, ::-1][:, :there]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(there)])
    shares = sizes[::-1][:there] / total if total > 0 else np.zeros(there)
    values = (matrix - mean.astype(np.float32)) @ axes.astype(np.float32)
    return Components(shares, values)
