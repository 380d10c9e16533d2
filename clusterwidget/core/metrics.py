"""Metrics: maps of a stage's vectors after which plain L2 is the distance that is wanted.

In a residual stream a few huge coordinates can carry most of L2. Each metric but ``"l2"`` maps the
vectors once; everything that is said of distances then holds in the mapped space, exactly:

- ``"cosine"``: each vector over its length. The squared distance is 2 − 2 cos.
- ``"standardized"``: each coordinate over its standard deviation.
- ``"whitened"``: Mahalanobis distance. Coordinates are standardized, their correlation matrix R is
  shrunk towards the identity, (1 − λ) R + λ I, with the λ that Ledoit and Wolf, "A well-conditioned
  estimator for large-dimensional covariance matrices" (2004), estimate; its inverse is the metric.

What differs by no more than float32's rounding counts for nothing: coordinates, and directions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import choice

Metric = Literal["l2", "cosine", "standardized", "whitened"]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

METRICS: tuple[Metric, ...] = ("l2", "cosine", "standardized", "whitened")

MOST_WHITENED = 4096
"""Directions that are whitened at most: the eigenvectors of more would take minutes."""

_BLOCK_BYTES = 16 << 20
_ROUNDING = 1e-6
"""Standard deviation, in shares of the largest or of a coordinate's own size, that is rounding."""
_SAME_DIRECTION = 1e-8
"""Variance, in shares of the largest, of a direction in which examples differ by rounding alone."""


def checked_metric(value: object) -> Metric:
    """Return a metric's name, or raise an error that names those that there are."""
    known: Metric = choice("metric", value, METRICS)  # type: ignore[assignment]
    return known


@dataclass(frozen=True)
class Moments:
    """Mean and spread of the vectors of a stage, in float64.

    Attributes
    ----------
    n : int
        Number of vectors.
    mean, variance : numpy.ndarray, shape (d,)
        Of each coordinate, over the n vectors.
    """

    n: int
    mean: Float64Array
    variance: Float64Array

    @classmethod
    def of(cls, matrix: Float32Array, basis: Float32Array | None = None) -> Moments:
        """Return the moments of the rows of a matrix, shape (n, d), read once.

        Parameters
        ----------
        matrix : numpy.ndarray, shape (n, d)
        basis : numpy.ndarray, shape (d, D), optional
            The moments are of ``matrix @ basis``, D coordinates.

        Raises
        ------
        ValueError
            Where a value is not finite.
        """
        if basis is not None:
            shift, total, products = _products(matrix)
            wide = basis.astype(np.float64)
            n = len(matrix)
            covariance = products / n - np.outer(total / n, total / n)
            variance = np.einsum("ij,ij->j", wide, covariance @ wide)
            return cls(n, (shift + total / n) @ wide, np.maximum(variance, 0))
        shift = _first_mean(matrix)
        total, squares = np.zeros_like(shift), np.zeros_like(shift)
        for _, block in _blocks(matrix):
            block -= shift
            total += block.sum(axis=0)
            squares += np.einsum("ij,ij->j", block, block)
        n = len(matrix)
        mean = total / n
        return cls(n, shift + mean, np.maximum(squares / n - mean**2, 0))

    @property
    def spread(self) -> float:
        """Root mean squared distance of the vectors to their mean."""
        return math.sqrt(self.variance.sum())

    @property
    def length(self) -> float:
        """Root mean squared length of the vectors."""
        return math.sqrt((self.variance + self.mean**2).sum())

    @property
    def shares(self) -> Float64Array:
        """Share of the squared L2 distance between vectors that each coordinate carries."""
        total = self.variance.sum()
        return self.variance / total if total > 0 else np.zeros_like(self.variance)

    @property
    def scales(self) -> Float64Array:
        """One over the standard deviation of each coordinate; 0 where that is rounding."""
        deviation = np.sqrt(self.variance)
        size = np.sqrt(self.variance + self.mean**2)
        least = _ROUNDING * np.maximum(size, deviation.max())
        differs = deviation > least
        return np.where(differs, 1 / np.where(differs, deviation, 1), 0)


@dataclass(frozen=True)
class Transform:
    """What maps vectors so that L2 between them is the metric's distance.

    Attributes
    ----------
    mean : numpy.ndarray, shape (d,), or None
        Subtracted first; None for cosine.
    factors : numpy.ndarray, shape (d,) or (d, r), or None
        Multiplies each coordinate, or the vectors; None for cosine.
    """

    mean: Float64Array | None
    factors: Float64Array | None

    def apply(self, rows: Float32Array) -> Float32Array:
        """Return vectors of shape (n, d) mapped, shape (n, d) or (n, r), float32."""
        width = rows.shape[1] if self.factors is None else self.factors.shape[-1]
        mapped = np.empty((len(rows), width), np.float32)
        for part, block in _blocks(rows):
            if self.mean is None or self.factors is None:
                length = np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
                # A vector of zeros has no direction, and stays where it is.
                mapped[part] = block / np.where(length > 0, length, 1)
            elif self.factors.ndim == 1:
                mapped[part] = (block - self.mean) * self.factors
            else:
                mapped[part] = (block - self.mean) @ self.factors
        return mapped


def transform_of(
    metric: Metric, matrix: Float32Array, basis: Float32Array | None = None
) -> Transform:
    """Return the transform of a metric, its statistics taken from the rows of a stage matrix.

    Parameters
    ----------
    metric : "cosine", "standardized" or "whitened"
    matrix : numpy.ndarray, shape (n, d)
    basis : numpy.ndarray, shape (d, D), optional
        Orthonormal rows; ``matrix @ basis`` has the coordinates that are standardized, where the
        matrix is held in fewer.

    Raises
    ------
    ValueError
        Where a value is not finite, and where there are too many directions to whiten.
    """
    if metric == "cosine":
        return Transform(None, None)
    n, d = matrix.shape
    if metric == "whitened" and min(n - 1, d) > MOST_WHITENED:
        raise ValueError(
            f"{min(n - 1, d):,} directions are too many to whiten, at most {MOST_WHITENED:,} are: "
            "take metric='standardized', which needs no eigenvectors, or another stage."
        )
    moments = Moments.of(matrix, basis)
    if basis is None:
        if metric == "standardized":
            return Transform(moments.mean, moments.scales)
        return Transform(moments.mean, _whitening(matrix, moments))
    # The distances between rows of `matrix @ scaled`, in no more coordinates than the matrix has.
    scaled = basis.astype(np.float64) * moments.scales
    left, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    narrow = left * sizes
    own = Moments.of(matrix)
    if metric == "standardized":
        return Transform(own.mean, narrow)
    mapped = Transform(own.mean, narrow).apply(matrix)
    differing = int((moments.scales > 0).sum())
    return Transform(own.mean, narrow @ _shrunk(mapped, np.ones(narrow.shape[1]), differing))


def _whitening(matrix: Float32Array, moments: Moments) -> Float64Array:
    """Return what multiplies vectors, less their mean, to whiten them, shape (d, r)."""
    return _shrunk(matrix, moments.scales, int((moments.scales > 0).sum()), moments.mean)


def _shrunk(
    matrix: Float32Array, scales: Float64Array, width: int, mean: Float64Array | None = None
) -> Float64Array:
    """Return the square root of the inverse of the shrunk correlations, times the scales.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, d)
    scales : numpy.ndarray, shape (d,)
        After which each of `width` coordinates has variance 1.
    width : int
        Number of coordinates that the identity, towards which is shrunk, is of.
    mean : numpy.ndarray, shape (d,), optional
    """
    n, d = matrix.shape
    mean = np.zeros(d) if mean is None else mean
    if n <= d:
        # Fewer examples than dimensions: from the products of examples, which are fewer.
        rows = (matrix.astype(np.float64) - mean) * scales
        products = rows @ rows.T / n
        sizes, vectors = np.linalg.eigh(products)
        fourth = float((np.einsum("ij,ij->i", rows, rows) ** 2).sum())
        kept = sizes > _SAME_DIRECTION * max(float(sizes[-1]), 0.0)
        axes = rows.T @ vectors[:, kept] / np.sqrt(n * sizes[kept])
    else:
        covariance, fourth = np.zeros((d, d)), 0.0
        for _, block in _blocks(matrix):
            block -= mean
            block *= scales
            covariance += block.T @ block
            fourth += float((np.einsum("ij,ij->i", block, block) ** 2).sum())
        sizes, axes = np.linalg.eigh(covariance / n)
        kept = sizes > _SAME_DIRECTION * max(float(sizes[-1]), 0.0)
        axes = axes[:, kept]
    shrinkage = _ledoit_wolf(np.maximum(sizes, 0), fourth, n, width)
    level = float(np.maximum(sizes, 0).sum()) / max(width, 1)
    shrunk = (1 - shrinkage) * sizes[kept] + shrinkage * level
    if not kept.any():
        return np.zeros((d, 1))
    factors: Float64Array = scales[:, None] * axes / np.sqrt(shrunk)
    return factors


def _ledoit_wolf(sizes: Float64Array, fourth: float, n: int, width: int) -> float:
    """Return by how much a covariance is shrunk towards a multiple of the identity, 0 to 1.

    Parameters
    ----------
    sizes : numpy.ndarray
        Its eigenvalues, but for those that are 0.
    fourth : float
        Sum of the fourth powers of the vectors' lengths.
    n, width : int
        Number of vectors, and of their coordinates.
    """
    squares = float((sizes**2).sum())
    apart = squares - float(sizes.sum()) ** 2 / max(width, 1)
    noise = (fourth / n - squares) / n
    return min(1.0, max(0.0, noise / apart)) if apart > 0 else 1.0


def _first_mean(matrix: Float32Array) -> Float64Array:
    """Return the mean of the first rows: less it, sums of squares do not cancel."""
    mean: Float64Array = matrix[:1024].mean(axis=0, dtype=np.float64)
    return np.where(np.isfinite(mean), mean, 0)


def _products(matrix: Float32Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return a shift, and of the rows less it their sum and the sum of their outer products."""
    shift = _first_mean(matrix)
    d = matrix.shape[1]
    total, products = np.zeros(d), np.zeros((d, d))
    for _, block in _blocks(matrix):
        block -= shift
        total += block.sum(axis=0)
        products += block.T @ block
    return shift, total, products


def _blocks(matrix: Float32Array) -> Iterator[tuple[slice, Float64Array]]:
    """Yield a matrix in blocks of rows, copied as float64; raise where one is not finite."""
    step = max(1, _BLOCK_BYTES // (8 * max(1, matrix.shape[1])))
    for start in range(0, len(matrix), step):
        block = matrix[start : start + step].astype(np.float64)
        if not np.isfinite(block).all():
            broken = start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise ValueError(
                f"the vector of example {broken} holds NaN or infinite values, so that no distance "
                "to it can be told. Leave that example out."
            )
        yield slice(start, start + len(block)), block
