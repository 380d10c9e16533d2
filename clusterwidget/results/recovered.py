"""Recovered: the share of a random swap's cost that this swap avoids.

The measure of Chan et al., "Causal scrubbing" (2022): 1 where nothing is lost, 0 where a swap is as
bad as a random one, and below 0 where it is worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

FLOOR = 0.05
"""Loss in nats that random swaps must add for a stage to matter for an answer."""

_RESAMPLES = 1000


@dataclass(frozen=True)
class Recovered:
    """Share of the loss that is recovered, with a 95 % interval; NaN where nothing was lost."""

    share: float
    low: float
    high: float


def recovered(
    swapped: Float64Array, random: Float64Array, without: Float64Array, seed: int
) -> Recovered:
    """Return (random - swapped) / (random - without), of mean losses.

    Parameters
    ----------
    swapped, random, without : numpy.ndarray, shape (n,)
        Loss of each pair under this kind of swap, under a random swap and without a swap. Pairs
        of which one is NaN are left out.
    seed : int
        Of the bootstrap over pairs, from whose percentiles the interval is.

    Returns
    -------
    Recovered
        NaN where random swaps cost less than `FLOOR`.
    """
    there = np.isfinite(swapped) & np.isfinite(random) & np.isfinite(without)
    parts = np.stack([random - swapped, random - without], axis=1)[there]
    nothing = Recovered(float("nan"), float("nan"), float("nan"))
    if not len(parts) or parts[:, 1].mean() < FLOOR:
        return nothing
    above, below = (_resamples(len(parts), seed) @ parts).T
    shares = (above / below)[below > 0]
    kept, lost = parts.mean(axis=0)
    low, high = np.percentile(shares, [2.5, 97.5])
    return Recovered(float(kept / lost), float(low), float(high))


@lru_cache(maxsize=2)
def _resamples(n: int, seed: int) -> Float64Array:
    """Return how often each pair is drawn in each resample; drawing them is what takes time."""
    rng = np.random.default_rng([seed, 2])
    return rng.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(np.float64)
