"""Scale: what the colors and the histogram of a set of distances span, as on screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SCALES = ("linear", "rank", "log")
"""How colors go with distance."""

_TRIMMED = 0.005


@dataclass(frozen=True)
class Scale:
    """What distances span.

    Attributes
    ----------
    name : str
        One of `SCALES`.
    ordered : numpy.ndarray, shape (N,)
        All distances, the smallest first: that of the selected example among them.
    least, most : float
        Smallest and largest distance to another example.
    low, high : float
        Where the colors begin and end: a few far examples must not use up the whole range.
    """

    name: str
    ordered: Float32Array
    least: float
    most: float
    low: float
    high: float

    @classmethod
    def of(cls, distances: Float32Array, order: Ints, name: str = "linear") -> Scale:
        """Return the scale, given the examples nearest first, the selected one among them."""
        ordered, last = distances[order], len(order) - 1

        def at(rank: int) -> float:
            return float(ordered[min(last, rank)])

        return cls(
            name,
            ordered,
            at(1),
            at(last),
            at(1 + math.floor((last - 1) * _TRIMMED)),
            at(math.ceil(last * (1 - _TRIMMED))),
        )

    def indexes(self, distances: Float32Array) -> npt.NDArray[np.uint8]:
        """Return each distance's place among 256 colors, 0 the nearest, shape (N,)."""
        if self.name == "rank":
            # Those at the same distance have the same color.
            ranks = np.searchsorted(self.ordered, distances).astype(np.float64)
            places = 256 * ranks / len(self.ordered)
        elif self.name == "log":
            places = 255.999 * _log_share(distances, self._above(self.low), self.high)
        else:
            factor = 255.999 / (self.high - self.low) if self.high > self.low else 0.0
            places = (distances.astype(np.float64) - self.low) * factor
        return np.clip(np.nan_to_num(places), 0, 255).astype(np.uint8)

    def positions(self, distances: Float32Array) -> Float64Array:
        """Return where distances stand on the legend's axis, from 0 to 1, shape (N,)."""
        if self.name == "log":
            return _log_share(distances, self._above(0), self.most)
        span = self.most - self.least
        wide = distances.astype(np.float64)
        shares = (wide - self.least) / span if span > 0 else np.zeros(len(wide))
        return np.nan_to_num(np.clip(shares, 0, 1))

    def at(self, positions: Float64Array) -> Float32Array:
        """Return the distances that stand at some positions of the legend's axis."""
        if self.name == "log":
            low = self._above(0)
            span = math.log(self.most / low) if self.most > low > 0 else 0.0
            return (low * np.exp(positions * span)).astype(np.float32)
        return (self.least + positions * (self.most - self.least)).astype(np.float32)

    def histogram(self, distances: Float32Array, selected: int, bins: int) -> Ints:
        """Return the counts of distances to other examples in equal bins, shape (bins,)."""
        found = np.minimum(bins - 1, np.floor(self.positions(distances) * bins)).astype(int)
        counts = np.bincount(found, minlength=bins)
        counts[found[selected]] -= 1
        return counts

    def _above(self, least: float) -> float:
        """Return the smallest distance that is above 0 and not below another; 0 if all are 0."""
        sought = np.float32(least)
        if least > 0:
            at = int(np.searchsorted(self.ordered, sought, "left"))
        else:
            at = int(np.searchsorted(self.ordered, sought, "right"))
        return float(self.ordered[at]) if at < len(self.ordered) else 0.0


def _log_share(distances: Float32Array, low: float, high: float) -> Float64Array:
    shares = np.zeros(len(distances))
    if high > low > 0:
        beyond = distances > np.float32(low)
        shares[beyond] = np.log(distances[beyond].astype(np.float64) / low) / math.log(high / low)
    return np.minimum(1, shares)
