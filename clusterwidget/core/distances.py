"""Exact L2 distances from one row of a matrix to all, and the k nearest rows.

Rows are subtracted before anything is squared, so that equal rows are at distance exactly 0.
The shortcut over norms and a product, ``|a|^2 + |b|^2 - 2ab``, cancels near zero and is not used.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import checked_index as checked_index
from clusterwidget.core.checks import checked_k as checked_k

Float32Array = npt.NDArray[np.float32]

_BLOCK_BYTES = 1 << 26
_BYTES_WORTH_A_THREAD = 1 << 23


def l2(matrix: Any, row: int | npt.ArrayLike) -> Any:
    """Return the L2 distance of every row of a matrix to one of them, or to a vector.

    Parameters
    ----------
    matrix : numpy.ndarray or torch.Tensor, shape (N, d)
        A tensor is searched on the device where it lies.
    row : int or array, shape (d,)
        Index of a row, or a vector.

    Returns
    -------
    numpy.ndarray or torch.Tensor, shape (N,), float32
        Of the kind of `matrix`, and on its device.

    Raises
    ------
    TypeError, ValueError, IndexError
        Where the shapes do not fit, the row is not there, or a value is not finite.
    """
    _require_matrix(matrix)
    if _is_tensor(matrix):
        matrix = matrix.detach()
        if matrix.device.type != "cpu":
            return _l2_tensor(matrix, _vector(matrix, row))
        if matrix.element_size() < 4:
            matrix = matrix.float()
        array = matrix.numpy()
        return matrix.new_tensor(_l2_array(array, _vector(array, row))).float()
    return _l2_array(matrix, _vector(matrix, row))


def nearest(matrix: Any, row: int, k: int) -> tuple[npt.NDArray[np.int64], Float32Array]:
    """Return the k rows nearest to one row: nearest first, ties by index, the row left out.

    Parameters
    ----------
    matrix : numpy.ndarray or torch.Tensor, shape (N, d)
    row : int
        Index of a row.
    k : int
        How many, from 1 to N - 1.

    Returns
    -------
    indices : numpy.ndarray, shape (k,), int64
    distances : numpy.ndarray, shape (k,), float32
    """
    distances = l2(matrix, row)
    if _is_tensor(distances):
        distances = distances.cpu().numpy()
    indices = nearest_of(distances, row, k)
    return indices, distances[indices]


def nearest_of(distances: Float32Array, row: int, k: int) -> npt.NDArray[np.int64]:
    """Return the indices of the k smallest distances, as `nearest` orders them.

    Linear in N: a partition finds the k-th smallest, and only what is not beyond it is sorted.
    """
    n = len(distances)
    k = checked_k(k, n)
    row = checked_index(row, n)
    within = np.flatnonzero(distances <= np.partition(distances, k)[k])
    within = within[within != row]
    order = np.argsort(distances[within], kind="stable")
    indices: npt.NDArray[np.int64] = within[order][:k]
    return indices


def _is_tensor(matrix: Any) -> bool:
    # Told by its name, so that this module works where torch is not installed.
    return type(matrix).__module__.partition(".")[0] == "torch"


def _require_matrix(matrix: Any) -> None:
    if not _is_tensor(matrix) and not isinstance(matrix, np.ndarray):
        raise TypeError(
            f"the matrix must be a numpy array or a torch tensor, not {type(matrix).__name__}."
        )
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(
            f"the matrix must have the shape (examples, dimensions), not {tuple(matrix.shape)}."
        )
    numeric = (
        matrix.is_floating_point()
        if _is_tensor(matrix)
        else np.issubdtype(matrix.dtype, np.floating)
    )
    if not numeric:
        raise TypeError(f"the matrix must hold floating point numbers, not {matrix.dtype}.")


def _vector(matrix: Any, row: Any) -> Any:
    if np.ndim(row) == 0:
        return matrix[checked_index(row, len(matrix))]
    vector = row if _is_tensor(matrix) and _is_tensor(row) else np.asarray(row, dtype=np.float32)
    if tuple(vector.shape) != (matrix.shape[1],):
        raise ValueError(
            f"the vector has shape {tuple(vector.shape)}, the matrix has rows of {matrix.shape[1]}."
        )
    return matrix.new_tensor(vector) if _is_tensor(matrix) and not _is_tensor(row) else vector


def _l2_array(matrix: npt.NDArray[Any], vector: npt.NDArray[Any]) -> Float32Array:
    from simsimd import cdist

    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float32)
    if matrix.strides[1] != matrix.itemsize or matrix.strides[0] < 0:
        matrix = np.ascontiguousarray(matrix)
    one = np.ascontiguousarray(vector, dtype=matrix.dtype)[None]
    distances = np.empty((len(matrix), 1), np.float32)

    def fill(rows: slice) -> None:
        cdist(matrix[rows], one, metric="euclidean", out=distances[rows], out_dtype="float32")

    # simsimd uses one core, and lets go of the interpreter's lock meanwhile.
    parts = min(os.cpu_count() or 1, max(1, matrix.nbytes // _BYTES_WORTH_A_THREAD))
    if parts == 1:
        fill(slice(None))
    else:
        bounds = np.linspace(0, len(matrix), parts + 1, dtype=int)
        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(fill, map(slice, bounds[:-1], bounds[1:])))
    if not np.isfinite(distances).all():
        return _l2_double(matrix, one)
    return distances[:, 0]


def _l2_double(matrix: npt.NDArray[Any], one: npt.NDArray[Any]) -> Float32Array:
    """Compute in float64, for rows whose squares overflow; refuse what is not finite."""
    distances = np.empty(len(matrix), np.float32)
    step = max(1, _BLOCK_BYTES // (8 * matrix.shape[1]))
    for start in range(0, len(matrix), step):
        difference = matrix[start : start + step].astype(np.float64) - one
        distances[start : start + step] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    broken = np.flatnonzero(~np.isfinite(distances))
    if len(broken):
        raise ValueError(
            f"the distance of row {broken[0]} is not finite: {len(broken):,} rows hold NaN, "
            "infinite or immense values, or the vector itself does. Leave those examples out."
        )
    return distances


def _l2_tensor(matrix: Any, vector: Any) -> Any:
    """Compute on the tensor's own device, in blocks so that no copy of the matrix is made."""
    distances = matrix.new_empty(len(matrix)).float()
    step = max(1, _BLOCK_BYTES // (4 * matrix.shape[1]))
    for start in range(0, len(matrix), step):
        difference = matrix[start : start + step].float() - vector.float()
        distances[start : start + step] = difference.square_().sum(dim=1).sqrt_()
    if not bool(distances.isfinite().all()):
        raise ValueError(
            "a distance is not finite: the matrix or the vector holds NaN or infinity."
        )
    return distances
