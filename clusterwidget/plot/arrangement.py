"""Arrangement: which block of the grid each example is in, and its place there.

As on screen (`js/src/compute/blocks.ts`): two concepts are the axes, and a block holds the examples
with one pair of values, nearest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ARRANGEMENTS = ("lattice", "map", "umap")
"""How the grid may be arranged: by concepts, or as points (see `Explorer.layout`)."""

Ints = npt.NDArray[np.int64]

_MOST_PLACES = 24
_BINS = 20


@dataclass(frozen=True)
class Axis:
    """One side of the grid: a concept, its labels, and each example's place along it.

    Attributes
    ----------
    name : str
    labels : tuple of str
        Of the places. Values too many to tell apart are taken together, in their order; the last
        is "none" where some examples have no value.
    places : numpy.ndarray of int, shape (N,)
    """

    name: str
    labels: tuple[str, ...]
    places: Ints

    @classmethod
    def of(cls, name: str, codes: Ints, values: Sequence[str]) -> Axis:
        """Return the axis of a concept, given the code of each example, -1 where it is missing."""
        count = len(values)
        place_of = np.arange(count)
        if count > _MOST_PLACES:
            place_of = place_of * _BINS // count
        firsts = np.flatnonzero(np.diff(place_of, prepend=-1)).tolist()
        lasts = [first - 1 for first in [*firsts[1:], count]]
        labels = [
            values[first] if first == last else f"{values[first]}–{values[last]}"
            for first, last in zip(firsts, lasts, strict=False)
        ]
        places = np.append(place_of, len(labels))[codes]
        if (codes < 0).any():
            labels.append("none")
        return cls(name, tuple(labels), places)


@dataclass(frozen=True)
class Arrangement:
    """Where every example lies.

    Attributes
    ----------
    rows, columns : Axis or None
        None for the examples' own order, in one block.
    block_of : numpy.ndarray of int, shape (N,)
        Blocks are numbered row by row.
    starts : numpy.ndarray of int, shape (blocks + 1,)
        Places before each block.
    examples : numpy.ndarray of int, shape (N,)
        In the order of their places.
    """

    rows: Axis | None
    columns: Axis | None
    block_of: Ints
    starts: Ints
    examples: Ints

    @classmethod
    def plain(cls, n: int) -> Arrangement:
        """Return the examples in their own order."""
        return cls(None, None, np.zeros(n, int), np.array([0, n]), np.arange(n))

    @classmethod
    def by(cls, rows: Axis, columns: Axis, order: Ints) -> Arrangement:
        """Return the examples in blocks, given all of them, nearest first."""
        across = len(columns.labels)
        block_of = rows.places * across + columns.places
        counts = np.bincount(block_of, minlength=len(rows.labels) * across)
        # Numbers of 16 bits are sorted by radix: ten times as fast as others.
        sorting = block_of[order].astype(np.uint16)
        return cls(
            rows,
            columns,
            block_of,
            np.concatenate([[0], np.cumsum(counts)]),
            order[np.argsort(sorting, kind="stable")],
        )

    @property
    def down(self) -> int:
        """Blocks from top to bottom."""
        return len(self.rows.labels) if self.rows else 1

    @property
    def across(self) -> int:
        """Blocks from left to right."""
        return len(self.columns.labels) if self.columns else 1

    @property
    def capacity(self) -> int:
        """Most examples in one block."""
        return int(np.diff(self.starts).max())

    def ranks(self) -> Ints:
        """Return each example's rank in its block, shape (N,)."""
        places = np.empty_like(self.examples)
        places[self.examples] = np.arange(len(places))
        return places - self.starts[self.block_of]


def nearest_first(distances: npt.NDArray[np.float32]) -> Ints:
    """Return the examples in order of distance, ties by index, shape (N,).

    The bits of a float32 that is not negative sort like the number: two passes by radix.
    """
    bits = np.ascontiguousarray(distances, np.float32).view(np.uint32)
    low = np.argsort((bits & 0xFFFF).astype(np.uint16), kind="stable")
    high = np.argsort((bits[low] >> 16).astype(np.uint16), kind="stable")
    return low[high]
