"""Prefix: keys and values of the tokens before a patched one, which stay as they were.

In a causal model a change at one token reaches only that token and those after it. Their keys and
values aside, the tokens before it need not be run again: what generation does with its cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor
Pair = tuple[Tensor, Tensor]

_MOST_BYTES = 1 << 29
"""Bound of the keys and values of one batch."""


@dataclass(frozen=True)
class Prefix:
    """Keys and values of a batch.

    Attributes
    ----------
    layers : mapping of int to (keys, values), each of shape (batch, heads, T, d_head)
    """

    layers: Mapping[int, Pair]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        held = [one for pair in self.layers.values() for one in pair]
        return sum(one.numel() * one.element_size() for one in held)

    def rows(self, rows: slice) -> Prefix:
        """Return the keys and values of some examples."""
        return Prefix({layer: (k[rows], v[rows]) for layer, (k, v) in self.layers.items()})

    def cache(self, start: int, columns: int, rows: int | None = None) -> Any:
        """Return a cache of the first columns, for runs from a layer up.

        Parameters
        ----------
        start : int
        columns : int
        rows : int, optional
            One example's prefix is used for so many.
        """
        from transformers import DynamicCache

        cache = DynamicCache()
        first = self.layers[start][0]
        count = len(first) if rows is None else rows
        # The length of a cache is that of its first layer, which is not run here.
        nothing = first.new_zeros(count, 1, columns, 1)
        for layer in range(start):
            cache.update(nothing, nothing, layer)
        for layer in range(start, max(self.layers) + 1):
            k, v = (one[:, :, :columns] for one in self.layers[layer])
            if rows is not None:
                k, v = (one.expand(rows, -1, -1, -1) for one in (k, v))
            cache.update(k, v, layer)
        return cache


class Recording:
    """Takes down the keys and values of a run from a layer up.

    Parameters
    ----------
    start : int
    """

    def __init__(self, start: int) -> None:
        from transformers import DynamicCache

        layers: dict[int, Pair] = {}

        class Cache(DynamicCache):  # type: ignore[misc]
            def update(self, k: Tensor, v: Tensor, layer: int, *args: Any, **named: Any) -> Pair:
                both: Pair = super().update(k, v, layer, *args, **named)
                if layer >= start:
                    layers[layer] = both
                return both

        self.cache = Cache()
        self.layers = layers

    def prefix(self) -> Prefix | None:
        """Return what was taken down, or None where nothing was or it is too much to hold."""
        found = Prefix(self.layers)
        return found if self.layers and found.nbytes <= _MOST_BYTES else None
