"""Pairs: which example gives another one its vector, under each condition of a swap test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NEAR = 20
"""How many neighbors the second condition draws from."""

FAR = 0.1
"""Share of the examples of the same value, the farthest, that the fourth condition draws from."""

CONDITIONS = ("nearest", "near", "concept", "far", "random", "mean")
"""The donor is the nearest neighbor; one of the 20 nearest; any example with the same value of the
concept; one of the farthest tenth of those; any example; the mean of all."""

NOBODY = -1
"""Stands for a donor where there is none: a value that no other example has."""


@dataclass(frozen=True)
class Pairs:
    """Receivers, and the donor of each under each condition.

    Attributes
    ----------
    receivers : numpy.ndarray of int, shape (n,)
    donors : dict of condition to numpy.ndarray of int, shape (n,)
        `NOBODY` where there is none. The mean has no donors and is not among them.
    matched : numpy.ndarray of int, shape (n,), or None
        For each receiver an example of another value, alike in as many other concepts as there is;
        None where it is not asked whether the answer follows.
    """

    receivers: Ints
    donors: dict[str, Ints]
    matched: Ints | None = None
