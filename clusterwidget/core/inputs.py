"""Inputs: what a model is fed, and where each example's positions are in it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Examples as a model is fed them: tokens from column 0 on, and after them padding.

    Padding on the left is moved to the right: a token's index is then what it is in the same text
    alone, and in a causal model nothing that is read depends on the padding.

    Attributes
    ----------
    tokens : numpy.ndarray of integers, shape (N, T)
    lengths : numpy.ndarray of int, shape (N,), or None
        How many tokens of its own each example has; None where all have T.
    columns : numpy.ndarray of int, shape (N, P), or None
        The index of the token at each position, -1 where an example has none there; None where
        position p is token p.
    """

    tokens: npt.NDArray[np.integer[Any]]
    lengths: Ints | None = None
    columns: Ints | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, rows: slice | npt.NDArray[np.integer[Any]]) -> Inputs:
        return Inputs(
            self.tokens[rows],
            None if self.lengths is None else self.lengths[rows],
            None if self.columns is None else self.columns[rows],
        )

    @property
    def width(self) -> int:
        """T, the tokens in a row, padding included."""
        return int(self.tokens.shape[1])

    @cached_property
    def sizes(self) -> Ints:
        """How many tokens of its own each example has, shape (N,)."""
        return np.full(len(self), self.width) if self.lengths is None else self.lengths

    def at(self, column: int) -> Ints:
        """Return the index of each example's token at a position, shape (N,).

        Below 0, `column` counts from the end of the example's own tokens.
        """
        if column < 0:
            return self.sizes + column
        return np.full(len(self), column) if self.columns is None else self.columns[:, column]
