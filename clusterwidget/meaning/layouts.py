"""Layouts: the examples of a stage as points of a plane."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from clusterwidget.meaning.components import components
from clusterwidget.meaning.shares import Float32Array, Float64Array

METHODS = ("pca", "umap")

_WIDEST = 2048
"""The covariance of wider stages is not worked out: eigenvalues take the cube of the width."""
_FEWEST = 4
"""UMAP looks at neighbors, and needs some."""


@dataclass(frozen=True)
class Layout:
    """The examples of a stage as points of a plane.

    Attributes
    ----------
    points : numpy.ndarray, shape (N, 2), float32
        For ``"pca"`` in the units of the stage's distance, around the mean.
    shares : numpy.ndarray, shape (2,), or None
        Share of the variance, that is of the squared distance between examples, along each of the
        two axes. None for UMAP, whose axes measure nothing.
    method : str
        ``"pca"`` or ``"umap"``.

    See Also
    --------
    Explorer.layout

    Examples
    --------
    >>> ex.layout("L1H0.result@S3").points.shape
    (1000, 2)
    """

    points: Float32Array
    shares: Float64Array | None
    method: str


def known_methods() -> list[str]:
    """Return the methods that can be used here: UMAP where ``umap-learn`` is installed."""
    return [method for method in METHODS if method != "umap" or find_spec("umap") is not None]


def layout(matrix: Float32Array, method: str, seed: int) -> Layout:
    """Return the layout of a stage matrix, shape (N, d).

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    method : "pca" or "umap"
    seed : int
        Of UMAP, and of the iteration for stages wider than 2,048.

    Raises
    ------
    ImportError
        Where UMAP is not installed.
    """
    return _by_umap(matrix, seed) if method == "umap" else _by_components(matrix, seed)


def _by_components(matrix: Float32Array, seed: int) -> Layout:
    n, d = matrix.shape
    if d <= _WIDEST or n < _FEWEST:
        found = components(matrix, 2)
        values, shares = found.values, found.shares
    else:
        values, shares = _of_wide(matrix, seed)
    points, kept = np.zeros((n, 2), np.float32), np.zeros(2)
    points[:, : values.shape[1]], kept[: len(shares)] = values, shares
    return Layout(points, kept, "pca")


def _of_wide(matrix: Float32Array, seed: int) -> tuple[Float32Array, Float64Array]:
    """Return the two leading components by Lanczos's iteration (ARPACK), without a covariance."""
    from sklearn.decomposition import PCA

    found = PCA(2, svd_solver="arpack", random_state=seed)
    values = found.fit_transform(matrix)
    axes = found.components_
    # The sign rule of `components`: the largest weight of an axis is positive.
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    return (values * signs).astype(np.float32), found.explained_variance_ratio_.astype(np.float64)


def _by_umap(matrix: Float32Array, seed: int) -> Layout:
    try:
        from umap import UMAP
    except ImportError:
        raise ImportError(
            "UMAP is not installed: 'pip install umap-learn', or leave method out for the "
            "principal components."
        ) from None
    n = len(matrix)
    if n < _FEWEST:
        raise ValueError(f"UMAP needs at least {_FEWEST} examples, not {n}: take method='pca'.")
    # One job: several would make the seed worthless.
    found = UMAP(n_neighbors=min(15, n - 1), random_state=seed, n_jobs=1).fit_transform(matrix)
    return Layout(np.ascontiguousarray(found, np.float32), None, "umap")
