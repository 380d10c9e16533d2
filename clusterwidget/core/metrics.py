"""Metrics: maps of a stage's vectors after which plain L2 is the distance that is wanted.

In a residual stream a few huge coordinates can carry most of L2. Each metric but ``"l2"`` maps the
vectors once; everything that is said of distances then holds in the mapped space, exactly:

- ``"cosine"``: each vector over its length. The squared distance is 2 − 2 cos.
- ``"standardized"``: each coordinate over its standard deviation.
- ``"whitened"``: Mahalanobis distance. Coordinates are standardized, their correlation matrix R is
  shrunk towards the identity, (1 − λ) R + λ I, with the λ that Ledoit and Wolf, "A well-conditioned
  estimator for large-dimensional covariance matrices" (2004), estimate; its inverse is the metric.

Coordinates that differ by no more than float32's rounding count for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import choice

Metric = Literal["l2", "cosine", "standardized", "whitened"]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

METRICS: tuple[Metric, ...] = ("l2", "cosine", "standardized", "whitened")

MOST_WHITENED = 4096
"""Coordinates, or examples where these are fewer, that are whitened at most: the eigenvectors of
more would take minutes."""

HEAVY, DOMINATES, LEAST_COORDINATES = 3, 0.5, 24
"""So many coordinates that carry more than this share of L2 are pointed out, among so many at
least: of fewer they would be a good part of all."""

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
class Whitening:
    """The square root of the inverse of shrunk correlations, by their eigenvectors.

    Attributes
    ----------
    axes : numpy.ndarray, shape (d, r)
        Eigenvectors.
    stretch : numpy.ndarray, shape (r,)
        What multiplies a vector along each.
    rest : float or None
        What multiplies what is left of a vector, where there are fewer eigenvectors than
        coordinates; None where there are as many.
    """

    axes: Float64Array
    stretch: Float64Array
    rest: float | None

    @classmethod
    def of(
        cls, rows: Callable[[], Iterator[Float64Array]], n: int, d: int, width: int
    ) -> Whitening:
        """Return what whitens n standardized vectors of d numbers.

        Parameters
        ----------
        rows : function that returns an iterator of blocks of them
        n, d : int
        width : int
            Number of coordinates that the identity, towards which is shrunk, is of.
        """
        fourth = 0.0
        if n <= d:
            # From the products of examples with one another, which are fewer.
            all_rows = np.concatenate(list(rows()))
            fourth = _fourth(all_rows)
            sizes, vectors = np.linalg.eigh(all_rows @ all_rows.T / n)
            there = sizes > _SAME_DIRECTION * max(float(sizes[-1]), 0.0)
            sizes = sizes[there]
            axes = all_rows.T @ vectors[:, there] / np.sqrt(n * sizes)
        else:
            products = np.zeros((d, d))
            for block in rows():
                products += block.T @ block
                fourth += _fourth(block)
            sizes, axes = np.linalg.eigh(products / n)
            sizes = np.maximum(sizes, 0)
        shrinkage = _ledoit_wolf(sizes, fourth, n, width)
        level = shrinkage * float(sizes.sum()) / max(width, 1)
        shrunk = (1 - shrinkage) * sizes + level
        rest = _inverse_root(np.array([level]), shrunk).item() if n <= d else None
        return cls(axes, _inverse_root(shrunk, shrunk), rest)

    def apply(self, rows: Float64Array) -> Float64Array:
        """Return standardized vectors whitened, shape (n, d)."""
        along = rows @ self.axes
        if self.rest is None:
            return along * self.stretch
        found: Float64Array = self.rest * rows
        found += (along * (self.stretch - self.rest)) @ self.axes.T
        return found


def _fourth(rows: Float64Array) -> float:
    """Return the sum of the fourth powers of vectors' lengths."""
    return float((np.einsum("ij,ij->i", rows, rows) ** 2).sum())


def _inverse_root(sizes: Float64Array, all_sizes: Float64Array) -> Float64Array:
    """Return one over the roots of variances; 0 for those that are rounding."""
    there = sizes > _SAME_DIRECTION * max(float(all_sizes.max(initial=0)), 1e-300)
    return np.where(there, 1 / np.sqrt(np.where(there, sizes, 1)), 0)


@dataclass(frozen=True)
class Transform:
    """What maps vectors so that L2 between them is the metric's distance.

    Attributes
    ----------
    mean : numpy.ndarray, shape (d,), or None
        Subtracted first; None for cosine.
    factors : numpy.ndarray, shape (d,) or (d, d), or None
        Multiplies each coordinate, or the vectors; None for cosine.
    whitening : Whitening or None
        Applied last.
    """

    mean: Float64Array | None = None
    factors: Float64Array | None = None
    whitening: Whitening | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        axes = None if self.whitening is None else self.whitening.axes
        arrays = [array for array in (self.mean, self.factors, axes) if array is not None]
        return sum(array.nbytes for array in arrays)

    def apply(self, rows: Float32Array) -> Float32Array:
        """Return vectors of shape (n, d) mapped, shape (n, d), float32."""
        mapped = np.empty(rows.shape, np.float32)
        for part, block in _blocks(rows):
            mapped[part] = self._applied(block)
        return mapped

    def standardized(self, matrix: Float32Array) -> Iterator[Float64Array]:
        """Yield vectors in blocks, mapped but for the whitening."""
        for _, block in _blocks(matrix):
            yield self._standardized(block)

    def _applied(self, block: Float64Array) -> Float64Array:
        if self.mean is None:
            length = np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
            # A vector of zeros has no direction, and stays where it is.
            return block / np.where(length > 0, length, 1)
        standardized = self._standardized(block)
        return self.whitening.apply(standardized) if self.whitening else standardized

    def _standardized(self, block: Float64Array) -> Float64Array:
        assert self.mean is not None
        assert self.factors is not None
        centered = block - self.mean
        found: Float64Array = (
            centered * self.factors if self.factors.ndim == 1 else centered @ self.factors
        )
        return found


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
        return Transform()
    n, d = matrix.shape
    if metric == "whitened" and min(n, d) > MOST_WHITENED:
        raise ValueError(
            f"{min(n, d):,} directions are too many to whiten, at most {MOST_WHITENED:,} are: "
            "take metric='standardized', which needs no eigenvectors, or another stage."
        )
    moments = Moments.of(matrix)
    if basis is None:
        scales = moments.scales
        factors, width = scales, int((scales > 0).sum())
    else:
        factors, width = scaling_of(matrix, basis)
    transform = Transform(moments.mean, factors)
    if metric == "standardized":
        return transform
    whitening = Whitening.of(lambda: transform.standardized(matrix), n, d, width)
    return replace(transform, whitening=whitening)


def scaling_of(matrix: Float32Array, basis: Float32Array) -> tuple[Float64Array, int]:
    """Return what standardizes the coordinates of ``matrix @ basis``, and how many differ.

    Distances between rows of ``matrix @ factors``, shape (n, d), are those of all D coordinates
    over their standard deviations.
    """
    scales = Moments.of(matrix, basis).scales
    left, sizes, _ = np.linalg.svd(basis.astype(np.float64) * scales, full_matrices=False)
    return left * sizes, int((scales > 0).sum())


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
