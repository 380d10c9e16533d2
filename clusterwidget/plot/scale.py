"""Scale: what the colors and the histogram of a set of distances span, as on screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_TRIMMED = 0.005


@dataclass(frozen=True)
class Scale:
    """What distances span.

    Attributes
    ----------
    least, most : float
        Smallest and largest distance to another example.
    low, high : float
        Where the colors begin and end: a few far examples must not use up the whole range.
    """

    least: float
    most: float
    low: float
    high: float

    @classmethod
    def of(cls, distances: Float32Array, order: Ints) -> Scale:
        """Return the scale, given the examples nearest first, the selected one among them."""
        last = len(order) - 1

        def at(rank: int) -> float:
            return float(distances[order[min(last, rank)]])

        return cls(
            at(1),
            at(last),
            at(1 + math.floor((last - 1) * _TRIMMED)),
            at(math.ceil(last * (1 - _TRIMMED))),
        )

    def indexes(self, distances: Float32Array) -> npt.NDArray[np.uint8]:
        """Return each distance's place among 256 colors, 0 the nearest, shape (N,)."""
        factor = 255.999 / (self.high - self.low) if self.high > self.low else 0.0
        places = (distances.astype(np.float64) - self.low) * factor
        return np.clip(np.nan_to_num(places), 0, 255).astype(np.uint8)

    def histogram(self, distances: Float32Array, selected: int, bins: int) -> Ints:
        """Return the counts of distances to other examples in equal bins, shape (bins,)."""
        factor = bins / (self.most - self.least) if self.most > self.least else 0.0
        places = np.nan_to_num((distances.astype(np.float64) - self.least) * factor)
        found = np.clip(np.floor(places), 0, bins - 1).astype(int)
        counts = np.bincount(found, minlength=bins)
        counts[found[selected]] -= 1
        return counts
