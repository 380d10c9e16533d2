"""Saved: what must be known of stage matrices that are read from a store instead of captured."""

from __future__ import annotations

from typing import Protocol

from clusterwidget.activations.cache import Matrix
from clusterwidget.core.stages import Stage


class Saved(Protocol):
    """Stage matrices of n examples, read when they are needed."""

    n: int

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages in the store."""

    def rows(self, stage: Stage, start: int = 0, stop: int | None = None) -> Matrix:
        """Return rows of a stage's matrix, shape (rows, d)."""

    def basis(self, layer: int, head: int) -> Matrix | None:
        """Return the basis of a head's `result`, shape (d, d_model); None where there is none."""
