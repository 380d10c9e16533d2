"""Cache: stage matrices in memory, within a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from clusterwidget.core.stages import Stage

Matrix = npt.NDArray[np.float32]


class Cache:
    """Matrices by stage; the least recently used are dropped when the bound is exceeded.

    Safe to use from several threads.

    Parameters
    ----------
    bound : int or None
        Bytes that the matrices may take together; None for no bound. The newest matrix is kept
        even if it alone is larger.
    """

    def __init__(self, bound: int | None = None) -> None:
        if bound is not None and bound <= 0:
            raise ValueError(f"the memory bound must be a positive number of bytes, not {bound}.")
        self.bound = bound
        self._matrices: OrderedDict[Stage, Matrix] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes that are held now."""
        with self._lock:
            return self._nbytes

    def get(self, stage: Stage) -> Matrix | None:
        """Return a stage's matrix, or None where it is not held."""
        with self._lock:
            matrix = self._matrices.get(stage)
            if matrix is not None:
                self._matrices.move_to_end(stage)
            return matrix

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._matrices.clear()
            self._nbytes = 0

    def put(self, stage: Stage, matrix: Matrix) -> None:
        """Hold a matrix, and drop the least recently used ones until the bound holds."""
        with self._lock:
            old = self._matrices.pop(stage, None)
            self._nbytes += matrix.nbytes - (0 if old is None else old.nbytes)
            self._matrices[stage] = matrix
            while self.bound is not None and self._nbytes > self.bound and len(self._matrices) > 1:
                self._nbytes -= self._matrices.popitem(last=False)[1].nbytes
