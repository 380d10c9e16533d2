"""Inputs: what a model is fed, and where each example's positions are in it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


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

    @classmethod
    def of(
        cls, tokens: npt.NDArray[np.integer[Any]], mask: Bools | None, columns: Ints | None
    ) -> Inputs:
        """Return the inputs of padded tokens; a mask of ones alone is none.

        Parameters
        ----------
        tokens : numpy.ndarray of integers, shape (N, T)
        mask : numpy.ndarray of bool, shape (N, T), or None
            One run of ones in each row.
        columns : numpy.ndarray of int, shape (N, P), or None
            Indices into the rows of `tokens`.
        """
        if mask is None or mask.all():
            return cls(tokens, None, columns)
        starts, lengths = mask.argmax(axis=1), mask.sum(axis=1)
        index = np.arange(lengths.max())
        own = index < lengths[:, None]
        moved = np.take_along_axis(
            tokens, np.minimum(index + starts[:, None], tokens.shape[1] - 1), axis=1
        )
        if columns is not None:
            columns = columns - starts[:, None]
        elif starts.any():
            columns = np.arange(tokens.shape[1]) - starts[:, None]
            columns = np.where((columns >= 0) & (columns < lengths[:, None]), columns, -1)
        # What padding is does not matter, but the model must know the token.
        return cls(np.where(own, moved, 0), lengths, columns)

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

    def cut(self, width: int) -> Inputs:
        """Return them with the first so many tokens of each row."""
        return Inputs(self.tokens[:, :width], self.lengths, self.columns)

    def tokens_at(self, count: int) -> npt.NDArray[np.integer[Any]]:
        """Return the tokens at the positions, shape (N, count); -1 where an example has none."""
        at = np.stack([self.at(column) for column in range(count)], axis=1)
        there = (at >= 0) & (at < self.sizes[:, None])
        found = np.take_along_axis(self.tokens, np.clip(at, 0, self.width - 1), axis=1)
        return np.where(there, found, -1)

    def equal_to(self, one: Inputs) -> Ints:
        """Return the examples that are the same as the one of `one`."""
        size = int(one.sizes[0])
        rows = np.flatnonzero(self.sizes == size)
        if not len(rows):
            return rows
        same = (self.tokens[rows, :size] == one.tokens[0, :size]).all(axis=1)
        if self.columns is not None and one.columns is not None:
            same &= (self.columns[rows] == one.columns[0]).all(axis=1)
        found: Ints = rows[same]
        return found

    def marks(self) -> bytes:
        """Return what tells these inputs from others with the same tokens."""
        arrays = [one for one in (self.lengths, self.columns) if one is not None]
        return b"".join(np.ascontiguousarray(one, np.int64).tobytes() for one in arrays)

    def is_repeated(self) -> Bools:
        """Tell which examples have the same tokens as the one before them, shape (N,)."""
        same = np.zeros(len(self), bool)
        same[1:] = (self.tokens[1:] == self.tokens[:-1]).all(axis=1)
        if self.lengths is not None:
            same[1:] &= self.lengths[1:] == self.lengths[:-1]
        return same


class Layout:
    """Where positions stand to one another, where they differ from example to example.

    Parameters
    ----------
    inputs : Inputs
    count : int
        How many positions have names.
    """

    def __init__(self, inputs: Inputs, count: int) -> None:
        self._inputs = inputs
        self._count = count
        self._seen: dict[int, tuple[int, ...]] = {}

    @classmethod
    def of(cls, inputs: Inputs, count: int) -> Layout | None:
        """Return the layout of inputs; None where position p is token p in all examples."""
        if inputs.lengths is None and inputs.columns is None:
            return None
        return cls(inputs, count)

    @cached_property
    def present(self) -> tuple[int, ...]:
        """The positions at which every example has a token."""
        shortest = self._inputs.sizes
        found = range(self._count)
        return tuple(
            column
            for column in found
            if ((at := self._inputs.at(column)) >= 0).all() and (at < shortest).all()
        )

    @cached_property
    def shortest(self) -> tuple[int, int]:
        """The example with the fewest tokens, and how many it has."""
        example = int(self._inputs.sizes.argmin())
        return example, int(self._inputs.sizes[example])

    def seen(self, column: int) -> tuple[int, ...]:
        """Return the positions that are not after this one in any example."""
        if column not in self._seen:
            at = self._inputs.at(column)
            self._seen[column] = tuple(
                other for other in self.present if (self._inputs.at(other) <= at).all()
            )
        return self._seen[column]

    def can_reach(self, column: int, other: int) -> bool:
        """Tell whether a position is at or before another one in some example."""
        return bool((self._inputs.at(column) <= self._inputs.at(other)).any())

    def named(self, column: int) -> int:
        """Return the position that is the same token in all examples, or this one."""
        at = self._inputs.at(column)
        same = (other for other in self.present if (self._inputs.at(other) == at).all())
        return column if column >= 0 else next(same, column)

    def order(self, column: int) -> float:
        """Return the mean index of the tokens at a position."""
        return float(self._inputs.at(column).mean())
