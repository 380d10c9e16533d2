"""Lattice: equal blocks of equal cells that fill a picture, and the cells' colors as pixels.

As on screen: `js/src/compute/lattice.ts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterwidget.plot.arrangement import Arrangement

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

GAP = -1
"""In place of a color index: no example is there."""
FADED = 256
"""Added to the color index of what is faded."""

_LEAST_ASPECT = 0.6
_MOST_GAP = 8
_ROUNDING = 1e-9
"""Keeps a share of a cell that is whole but for rounding from going to the next."""


@dataclass(frozen=True)
class Lattice:
    """Equal blocks of equal cells; lengths in pixels.

    Attributes
    ----------
    across, down : int
        Blocks.
    pitch_x, pitch_y : int
        From one block to the next.
    columns, rows : int
        Cells of a block.
    cell_width, cell_height : int
    per_cell : float
        Examples that share one cell, not always whole; 1 unless there are more than pixels.
    """

    across: int
    down: int
    pitch_x: int
    pitch_y: int
    columns: int
    rows: int
    cell_width: int
    cell_height: int
    per_cell: float

    @classmethod
    def fit(
        cls, width: int, height: int, across: int, down: int, capacity: int, gap: int
    ) -> Lattice:
        """Return the lattice that fills the space best, for blocks of `capacity` examples."""
        inner_x = max(1, (width + gap) // across - gap)
        inner_y = max(1, (height + gap) // down - gap)
        cells = min(capacity, inner_x * inner_y)
        columns = np.arange(1, min(inner_x, cells) + 1)
        rows = -(-cells // columns)
        columns, rows = columns[rows <= inner_y], rows[rows <= inner_y]
        wide, high = inner_x // columns, inner_y // rows
        covered = cells * wide * high + 0.5 * columns * wide * rows * high
        aspect = np.minimum(wide, high) / np.maximum(wide, high)
        best = int(np.argmax(covered * np.minimum(1, aspect / _LEAST_ASPECT)))
        columns_, rows_, wide_, high_ = (int(of[best]) for of in (columns, rows, wide, high))
        return cls(
            across,
            down,
            _pitch(width, across, columns_ * wide_, gap),
            _pitch(height, down, rows_ * high_, gap),
            columns_,
            rows_,
            wide_,
            high_,
            capacity / cells,
        )

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return (self.across - 1) * self.pitch_x + self.columns * self.cell_width

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return (self.down - 1) * self.pitch_y + self.rows * self.cell_height

    def corners(self, arrangement: Arrangement, examples: Ints) -> Ints:
        """Return the left and top pixel of the cells of some examples, shape (examples, 2)."""
        blocks, ranks = arrangement.block_of[examples], arrangement.ranks()[examples]
        cells = np.ceil((ranks + 1) / self.per_cell - _ROUNDING).astype(int) - 1
        x = blocks % self.across * self.pitch_x + cells % self.columns * self.cell_width
        y = blocks // self.across * self.pitch_y + cells // self.columns * self.cell_height
        return np.stack([x, y], axis=1)

    def paint(
        self, arrangement: Arrangement, indexes: Bytes, mask: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.int16]:
        """Return the color index of each pixel, shape (height, width), `GAP` between cells.

        A cell that several examples share has the mean of their indexes. Those that a mask leaves
        out do not count where others are; alone they are faded.
        """
        blocks = self._cell_indexes(arrangement, indexes, mask)
        down, across, rows, columns = blocks.shape
        # Each block as wide as a pitch, then cut where the last one ends.
        room = np.full(
            (down, max(self.pitch_y, rows * self.cell_height), across, self._wide()), GAP, np.int16
        )
        cells = blocks.repeat(self.cell_height, axis=2).repeat(self.cell_width, axis=3)
        room[:, : rows * self.cell_height, :, : columns * self.cell_width] = cells.swapaxes(1, 2)
        flat = room.reshape(down * room.shape[1], across * room.shape[3])
        return np.ascontiguousarray(flat[: self.height, : self.width])

    def _wide(self) -> int:
        return max(self.pitch_x, self.columns * self.cell_width)

    def _cell_indexes(
        self, arrangement: Arrangement, indexes: Bytes, mask: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int16]:
        """Return the index of each cell, shape (down, across, rows, columns)."""
        starts, counts = arrangement.starts[:-1], np.diff(arrangement.starts)
        cells = np.arange(self.rows * self.columns + 1)
        # Rank in its block of the first example of each cell, and of the one after the last.
        firsts = np.floor(cells * self.per_cell + _ROUNDING).astype(int)
        at = starts[:, None] + np.minimum(firsts, counts[:, None])
        taken = np.diff(at, axis=1)
        colors = np.append(indexes[arrangement.examples], 0).astype(np.int64)
        found, faded = _means(colors, at), np.zeros(taken.shape, bool)
        if mask is not None:
            counted = np.append(mask[arrangement.examples], False)
            there = _sums(counted.astype(np.int64), at)
            faded = there == 0
            alone = _sums(colors * counted, at) / np.maximum(there, 1)
            found = np.where(faded, found, np.floor(alone + 0.5))
        indexed = np.where(taken > 0, found + FADED * faded, GAP).astype(np.int16)
        return indexed.reshape(self.down, self.across, self.rows, self.columns)


def _sums(values: Ints, at: Ints) -> Ints:
    """Return the sums between places, shape (blocks, cells), given shape (blocks, cells + 1)."""
    sums: Ints = np.concatenate([[0], np.cumsum(values)])
    found: Ints = sums[at[:, 1:]] - sums[at[:, :-1]]
    return found


def _means(values: Ints, at: Ints) -> npt.NDArray[np.float64]:
    means: npt.NDArray[np.float64] = _sums(values, at) / np.maximum(np.diff(at, axis=1), 1)
    return np.floor(means + 0.5)


def _pitch(extent: int, blocks: int, block: int, gap: int) -> int:
    """Return the way from one block to the next: what is left over widens the gaps, in reason."""
    if blocks == 1:
        return block
    spare = (extent - blocks * block) // (blocks - 1)
    return block + max(gap, min(spare, gap + _MOST_GAP))
