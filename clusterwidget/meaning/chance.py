"""Chance: p-values of counts, and their correction. `scipy.stats` takes half a second to import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def at_least(hits: Any, examples: Any, alike: Any, drawn: Any) -> Floats:
    """Return the hypergeometric chance of at least so many hits; arrays broadcast.

    Parameters
    ----------
    hits : int or numpy.ndarray of int
        How many of those drawn are alike.
    examples : int or numpy.ndarray of int
        How many there are to draw from.
    alike : int or numpy.ndarray of int
        How many of those are alike.
    drawn : int or numpy.ndarray of int
    """
    from scipy.stats import hypergeom

    return np.asarray(hypergeom.sf(np.asarray(hits) - 1, examples, alike, drawn), float)


def corrected(p: npt.ArrayLike) -> Floats:
    """Return p-values corrected for their number (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p), float)
