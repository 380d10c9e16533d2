"""Exact L2 distances from one row of a matrix to all, and the k nearest rows.

Rows are subtracted before anything is squared, so that equal rows are at distance exactly 0.
The shortcut over norms and a product, ``|a|^2 + |b|^2 - 2ab``, cancels near zero and is not used.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import checked_index, checked_k, shown, unmasked

Float32Array = npt.NDArray[np.float32]

_BLOCK_BYTES = 1 << 26
_BYTES_WORTH_A_PART = 1 << 21
# Asked once: a small search takes only some hundred µs, and each answer takes 6.
_CORES = os.cpu_count() or 1
_PARTS_A_CORE = 4
"""More than one, so that a core that is busy with something else does not hold up the others."""
_NUMBERS_FOR_ONE_THREAD = 400_000
"""OpenBLAS multiplies a matrix of so many in the thread that asks, one of 460,800 in several."""
_BLOCKS_WORTH_SHARING = 3
_SAMPLED = 97
"""One distance of so many is looked at for a bound; a prime, so that few patterns are in step."""


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

    See Also
    --------
    nearest : the k nearest rows.
    Explorer.distances : the same at a stage.

    Examples
    --------
    >>> cw.l2(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), 0)
    array([0., 5., 1.], dtype=float32)
    """
    require_matrix(matrix)
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

    Raises
    ------
    TypeError, ValueError, IndexError
        As `l2`, and where there are not so many other rows.

    See Also
    --------
    l2 : all distances.
    Index : the same for many rows of one matrix, quicker.
    Explorer.neighbors : the same at a stage.

    Examples
    --------
    >>> cw.nearest(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), 0, k=2)
    (array([2, 1]), array([1., 5.], dtype=float32))
    """
    distances = l2(matrix, row)
    if _is_tensor(distances):
        distances = distances.cpu().numpy()
    indices = nearest_of(distances, row, k)
    return indices, distances[indices]


def l2_of_rows(matrix: Float32Array, rows: npt.NDArray[np.int64]) -> Float32Array:
    """Return `l2` from several rows of a matrix at once, shape (len(rows), N).

    The matrix is read once for all of them. It must be finite.
    """
    from simsimd import cdist

    matrix = np.ascontiguousarray(matrix, np.float32)
    distances = np.empty((len(rows), len(matrix)), np.float32)

    def fill(some: slice) -> None:
        here = distances[some]
        cdist(matrix[rows[some]], matrix, metric="sqeuclidean", out=here, out_dtype="float32")
        np.sqrt(here, out=here)

    parts = min(len(rows), 2 * _CORES)
    bounds = [len(rows) * part // parts for part in range(parts + 1)]
    _shared_out(fill, [slice(*pair) for pair in pairwise(bounds)])
    return distances


def scanned(codes: npt.NDArray[np.int8], code: npt.NDArray[np.int8]) -> Float32Array:
    """Return the squared distance of all rows of codes to one, shape (1, d)."""
    from simsimd import cdist

    squares = np.empty((len(codes), 1), np.float32)

    def fill(rows: slice) -> None:
        cdist(codes[rows], code, metric="sqeuclidean", out=squares[rows], out_dtype="float32")

    _shared_out(fill, _parts_of(codes))
    return squares[:, 0]


def products(matrix: Float32Array, vector: Float32Array) -> Float32Array:
    """Return the product of a matrix and a vector, shape (N,), without threads of the BLAS.

    Those wait by spinning: on a machine with other work a product takes a hundred times as long.
    """
    found = np.empty(len(matrix), np.float32)

    def fill(rows: slice) -> None:
        np.dot(matrix[rows], vector, out=found[rows])

    parts = -(-matrix.size // _NUMBERS_FOR_ONE_THREAD)
    bounds = [len(matrix) * part // parts for part in range(parts + 1)]
    blocks = [slice(*pair) for pair in pairwise(bounds)]
    if parts < _BLOCKS_WORTH_SHARING:
        for block in blocks:
            fill(block)
    else:
        _shared_out(fill, blocks)
    return found


def few_l2(rows: Float32Array, vector: Float32Array) -> Float32Array:
    """Return `l2` of a few finite rows, in this thread: same bits, less to do around it."""
    from simsimd import cdist

    distances = np.empty((len(rows), 1), np.float32)
    cdist(rows, vector[None], metric="sqeuclidean", out=distances, out_dtype="float32")
    np.sqrt(distances, out=distances)
    return distances[:, 0]


def nearest_of(distances: Float32Array, row: int, k: int) -> npt.NDArray[np.int64]:
    """Return the indices of the k smallest distances, as `nearest` orders them."""
    n = len(distances)
    k = checked_k(k, n)
    row = checked_index(row, n)
    # One more than k, because the row itself may be among them.
    within = smallest(distances, k + 1)
    within = within[within != row]
    order = np.argsort(distances[within], kind="stable")
    indices: npt.NDArray[np.int64] = within[order][:k]
    return indices


def smallest(distances: Float32Array, count: int, slack: float = 0.0) -> npt.NDArray[np.int64]:
    """Return, in order, the indices of the `count` smallest and of all within `slack` of the last.

    A sample gives a bound that some hundreds keep, and only these are partitioned: a partition of
    a million takes longer than half of what computes them at 32 dimensions. Where the sample
    misleads, too few or far too many keep the bound, and all are partitioned.
    """
    sample = distances[::_SAMPLED]
    expected = count / _SAMPLED
    # Four standard deviations of a sample's count, so that too few are rare.
    rank = int(expected + 4 * math.sqrt(expected) + 4)
    if rank < len(sample) // 4:
        bound = np.partition(sample, rank)[rank]
        within = np.flatnonzero(distances <= bound)
        if count <= len(within) <= len(distances) // 2:
            kept = distances[within]
            last = np.partition(kept, count - 1)[count - 1] + slack
            if last <= bound or not slack:
                near: npt.NDArray[np.int64] = within[kept <= last]
                return near
            return np.flatnonzero(distances <= last)
    last = np.partition(distances, count - 1)[count - 1] + slack
    return np.flatnonzero(distances <= last)


def _is_tensor(matrix: Any) -> bool:
    # Told by its name, so that this module works where torch is not installed.
    return type(matrix).__module__.partition(".")[0] == "torch"


def require_matrix(matrix: Any) -> None:
    """Raise where this is no matrix of floating point numbers."""
    if not _is_tensor(matrix) and not isinstance(matrix, np.ndarray):
        raise TypeError(
            f"the matrix must be a numpy array or a torch tensor, not {type(matrix).__name__}."
        )
    unmasked("the matrix", matrix)
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
    several = isinstance(row, (list, tuple)) or hasattr(row, "__array__")
    if not several or isinstance(row, np.generic):
        return matrix[checked_index(row, len(matrix))]
    if _is_tensor(row):
        vector = row.detach() if _is_tensor(matrix) else row.detach().cpu().numpy()
    else:
        try:
            vector = np.asarray(unmasked("the vector", row), dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"the vector must be {matrix.shape[1]} real numbers, not {shown(row)}."
            ) from error
    if not _is_tensor(vector) and not np.isfinite(vector).all():
        raise ValueError(f"the vector holds NaN, infinite or immense values: {shown(row)}.")
    if tuple(vector.shape) != (matrix.shape[1],):
        raise ValueError(
            f"the vector has shape {tuple(vector.shape)}, the matrix has rows of "
            f"{matrix.shape[1]}: {shown(row)} does not fit."
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
        here = distances[rows]
        cdist(matrix[rows], one, metric="sqeuclidean", out=here, out_dtype="float32")
        # numpy takes roots of many at once, simsimd of one at a time: a fifth of the time is saved.
        np.sqrt(here, out=here)

    _shared_out(fill, _parts_of(matrix))
    # The largest is NaN or infinite where one is: no array of a million truths is made.
    if not np.isfinite(distances.max()):
        return _l2_double(matrix, one)
    return distances[:, 0]


def _parts_of(matrix: npt.NDArray[Any]) -> list[slice]:
    """Return the rows of a matrix in parts, each large enough to be worth a thread's while."""
    parts = max(1, min(_PARTS_A_CORE * _CORES, matrix.nbytes // _BYTES_WORTH_A_PART))
    bounds = [len(matrix) * part // parts for part in range(parts + 1)]
    return [slice(*pair) for pair in pairwise(bounds)]


def _shared_out(work: Callable[[slice], None], parts: Sequence[slice]) -> None:
    """Do all parts, helped by other threads: simsimd and numpy let go of the interpreter's lock.

    This thread waits for no helper that has not begun: on a busy machine it does most by itself.
    """
    todo = deque(parts)

    def take() -> None:
        while todo:
            try:
                part = todo.popleft()
            except IndexError:
                return
            work(part)

    helpers = [_threads().submit(take) for _ in range(min(_CORES, len(parts)) - 1)]
    take()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the helpers that all searches share: to start them takes as long as a small search."""
    return ThreadPoolExecutor(_CORES, thread_name_prefix="distances")


if hasattr(os, "register_at_fork"):
    # A forked process has no threads but its own, and would wait for these forever.
    os.register_at_fork(after_in_child=_threads.cache_clear)


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
