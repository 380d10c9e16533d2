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

LEAST_COST = 1e-3
"""Loss in nats below which nothing is left to recover."""

_RESAMPLES = 1000
_Z = 1.959964


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
        NaN where it cannot be told from these pairs that random swaps cost anything.
    """
    there = np.isfinite(swapped) & np.isfinite(random) & np.isfinite(without)
    parts = np.stack([random - swapped, random - without], axis=1)[there]
    if not len(parts) or not mean_interval(parts[:, 1])[0] > LEAST_COST:
        return Recovered(float("nan"), float("nan"), float("nan"))
    above, below = (_resamples(len(parts), seed) @ parts).T
    shares = (above / below)[below > 0]
    kept, lost = parts.mean(axis=0)
    low, high = np.percentile(shares, [2.5, 97.5])
    return Recovered(float(kept / lost), float(low), float(high))


def mean_interval(values: Float64Array) -> tuple[float, float]:
    """Return the 95 % interval of a mean, by its standard error."""
    mean = float(values.mean())
    half = _Z * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return mean - half, mean + half


@lru_cache(maxsize=2)
def _resamples(n: int, seed: int) -> Float64Array:
    """Return how often each pair is drawn in each resample; drawing them is what takes time."""
    rng = np.random.default_rng([seed, 2])
    return rng.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(np.float64)
