"""Batch: examples that are run together, and where their positions are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from clusterwidget.core.inputs import Inputs

Index = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples that are run together: see `Inputs`.

    Attributes
    ----------
    tokens : torch.Tensor of int64, shape (batch, T)
    lengths : torch.Tensor of int64, shape (batch,), or None
    columns : torch.Tensor of int64, shape (batch, P), or None
    """

    tokens: torch.Tensor
    lengths: torch.Tensor | None = None
    columns: torch.Tensor | None = None

    @classmethod
    def of(cls, inputs: Inputs, device: Any = None) -> Batch:
        """Return inputs as a batch, where the model is."""

        def moved(array: Any) -> torch.Tensor:
            return torch.as_tensor(array, dtype=torch.long, device=device)

        return cls(
            moved(inputs.tokens),
            None if inputs.lengths is None else moved(inputs.lengths),
            None if inputs.columns is None else moved(inputs.columns),
        )

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def width(self) -> int:
        """T, the tokens in a row, padding included."""
        return self.tokens.shape[1]

    @property
    def mask(self) -> torch.Tensor | None:
        """Which tokens are the examples' own, bool, shape (batch, T); None where all are."""
        if self.lengths is None:
            return None
        return torch.arange(self.width, device=self.tokens.device) < self.lengths[:, None]

    def at(self, column: int) -> torch.Tensor:
        """Return the index of each example's token at a position, shape (batch,).

        Below 0, `column` counts from the end of the example's own tokens.
        """
        if column < 0 and self.lengths is not None:
            return self.lengths + column
        if column >= 0 and self.columns is not None:
            return self.columns[:, column]
        return torch.full_like(self.tokens[:, 0], column % self.width)

    def index(self, column: int) -> Index:
        """Return what takes each example's vector at a position out of (batch, T, …)."""
        if self._is_apart(column):
            return (self._rows, self.at(column))
        return (slice(None), column)

    def several(self, columns: list[int]) -> Index:
        """Return what takes the vectors at some positions out of (batch, T, …).

        They are then of shape (batch, positions, …).
        """
        if any(map(self._is_apart, columns)):
            found = torch.stack([self.at(column) for column in columns], dim=1)
            return (self._rows[:, None], found)
        return (slice(None), columns)

    def rows(self, rows: slice | torch.Tensor) -> Batch:
        """Return some of its examples."""
        return Batch(
            self.tokens[rows],
            None if self.lengths is None else self.lengths[rows],
            None if self.columns is None else self.columns[rows],
        )

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
        return (self.columns if column >= 0 else self.lengths) is not None

    @property
    def _rows(self) -> torch.Tensor:
        return torch.arange(len(self), device=self.tokens.device)
