"""Batch: examples that are run together, and where their positions are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from clusterwidget.core.inputs import Inputs

Index = tuple[Any, ...]
Rows = slice | torch.Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples that are run together: see `Inputs`.

    Attributes
    ----------
    tokens : torch.Tensor of int64, shape (rows, T)
    lengths : torch.Tensor of int64, shape (rows,), or None
    columns : torch.Tensor of int64, shape (batch, P), or None
    source : torch.Tensor of int64, shape (batch,), or None
        The row of tokens that each example is; None where each has its own.
    """

    tokens: torch.Tensor
    lengths: torch.Tensor | None = None
    columns: torch.Tensor | None = None
    source: torch.Tensor | None = None

    @classmethod
    def of(cls, inputs: Inputs, device: Any = None, *, shared: bool = False) -> Batch:
        """Return inputs as a batch, where the model is.

        Where `shared`, neighboring examples with the same tokens are one row: nothing can be
        changed in one of them alone then.
        """

        def moved(array: Any) -> torch.Tensor:
            return torch.as_tensor(array, dtype=torch.long, device=device)

        columns = None if inputs.columns is None else moved(inputs.columns)
        source = None
        if shared and columns is not None:
            first = ~inputs.is_repeated()
            source = moved(first.cumsum() - 1)
            inputs = inputs[first.nonzero()[0]]
        if inputs.lengths is None:
            return cls(moved(inputs.tokens), None, columns, source)
        most = min(int(inputs.lengths.max()), inputs.width)
        return cls(moved(inputs.tokens[:, :most]), moved(inputs.lengths), columns, source)

    def __len__(self) -> int:
        return len(self.tokens if self.source is None else self.source)

    @property
    def width(self) -> int:
        """T, the tokens in a row, padding included."""
        return self.tokens.shape[1]

    @property
    def sizes(self) -> torch.Tensor:
        """How many tokens of its own each example has, shape (batch,)."""
        if self.lengths is None:
            return torch.full((len(self),), self.width, device=self.tokens.device)
        return self.lengths if self.source is None else self.lengths[self.source]

    @property
    def is_padded(self) -> bool:
        """Whether some rows are shorter than others."""
        return self.lengths is not None and bool((self.lengths < self.width).any())

    @property
    def mask(self) -> torch.Tensor | None:
        """Which tokens are the examples' own, bool, shape (rows, T); None where all are."""
        if self.lengths is None:
            return None
        return torch.arange(self.width, device=self.tokens.device) < self.lengths[:, None]

    def at(self, column: int) -> torch.Tensor:
        """Return the index of each example's token at a position, shape (batch,).

        Below 0, `column` counts from the end of the example's own tokens.
        """
        if column < 0:
            return self.sizes + column
        if self.columns is not None:
            return self.columns[:, column]
        return torch.full((len(self),), column, device=self.tokens.device)

    def index(self, column: int) -> Index:
        """Return what takes each example's vector at a position out of (rows, T, …)."""
        if self._is_apart(column):
            return (self._rows, self.at(column))
        return (slice(None), column)

    def several(self, columns: list[int]) -> Index:
        """Return what takes the vectors at some positions out of (rows, T, …).

        They are then of shape (batch, positions, …).
        """
        if any(map(self._is_apart, columns)):
            found = torch.stack([self.at(column) for column in columns], dim=1)
            return (self._rows[:, None], found)
        return (slice(None), columns)

    def rows(self, rows: Rows) -> Batch:
        """Return some of its examples."""
        columns = None if self.columns is None else self.columns[rows]
        source = None
        if self.source is not None:
            rows, source = torch.unique(self.source[rows], return_inverse=True)
        lengths = None if self.lengths is None else self.lengths[rows]
        return Batch(self.tokens[rows], lengths, columns, source)

    def cut(self, width: int) -> Batch:
        """Return them with the first so many tokens of each row."""
        return replace(self, tokens=self.tokens[:, :width])

    def expand(self, count: int) -> Batch:
        """Return a batch of one example so many times."""
        return Batch(
            self.tokens.expand(count, -1),
            None if self.lengths is None else self.lengths.expand(count),
            None if self.columns is None else self.columns.expand(count, -1),
        )

    def followed_by(self, column: int, tokens: torch.Tensor) -> Batch:
        """Return a batch with other tokens, shape (batch,), right after a position."""
        changed = self.tokens.clone()
        changed[self._rows, self.at(column) + 1] = tokens
        return replace(self, tokens=changed)

    def _is_apart(self, column: int) -> bool:
        """Whether a position can be another token in each example."""
        return (self.columns if column >= 0 else self.lengths) is not None or (
            column < 0 and self.columns is not None
        )

    @property
    def _rows(self) -> torch.Tensor:
        if self.source is not None:
            return self.source
        return torch.arange(len(self), device=self.tokens.device)
