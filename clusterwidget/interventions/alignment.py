"""Alignment: which tokens of other texts stand for those of one text, where lengths differ.

First tokens match, the tokens at positions with names match, and last tokens match; what lies
between two of these is matched in proportion. Texts of one length whose positions are at the same
tokens match token by token.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clusterwidget.core.inputs import Inputs

Ints = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Alignment:
    """What stands for each token of a text in other texts.

    Attributes
    ----------
    points : numpy.ndarray of int, shape (others, T)
        A token of the other text for each token.
    shares : numpy.ndarray, shape (others, T, other T), float32
        How much of each token of the other text is put in for a token as what a head brings from
        there: 1 in all for each token of the other text, so that all together bring what they
        bring there.
    """

    points: Ints
    shares: Float32Array


def aligned(one: Inputs, others: Inputs, positions: int) -> Alignment:
    """Match the tokens of one example with those of others.

    Parameters
    ----------
    one : Inputs
        Of one example.
    others : Inputs
    positions : int
        How many positions have names.
    """
    size = int(one.sizes[0])
    named = [int(one.at(column)[0]) for column in range(positions)]
    theirs = np.stack([others.at(column) for column in range(positions)], axis=1)
    points = np.zeros((len(others), size), np.int64)
    shares = np.zeros((len(others), size, others.width), np.float32)
    for at, other_size in enumerate(others.sizes.tolist()):
        pairs = [
            (own, other)
            for own, other in zip(named, theirs[at].tolist(), strict=True)
            if 0 <= own < size and 0 <= other < other_size
        ]
        bounds = _bounds(pairs, size, other_size)
        for (own, other), (own_next, other_next) in pairwise(bounds):
            if own >= 0:
                points[at, own], shares[at, own, other] = other, 1
            _fill(points[at], shares[at], (own, own_next), (other, other_next))
    return Alignment(points, shares)


def _bounds(pairs: list[Pair], size: int, other_size: int) -> list[Pair]:
    """Return the pairs that match, in order, between the bounds of both texts."""
    found: list[Pair] = [(-1, -1)]
    # Named positions that come in another order in the other text cannot all match.
    for own, other in sorted(set(pairs)):
        if own > found[-1][0] and other > found[-1][1]:
            found.append((own, other))
    if len(found) == 1 or min(found[1]) > 0:
        found.insert(1, (0, 0))
    last = (size - 1, other_size - 1)
    if last[0] > found[-1][0] and last[1] > found[-1][1]:
        found.append(last)
    return [*found, (size, other_size)]


def _fill(points: Ints, shares: Float32Array, own: Pair, other: Pair) -> None:
    """Match what lies between two pairs in proportion."""
    first, count = own[0] + 1, own[1] - own[0] - 1
    other_first, other_count = other[0] + 1, other[1] - other[0] - 1
    if count == 0:
        # What has no counterpart is brought from the token before it.
        shares[max(own[0], 0), other_first : other_first + other_count] = 1
        return
    if other_count == 0:
        points[first : first + count] = max(other[0], 0)
        return
    tokens = np.arange(count)
    matched = other_first + ((tokens + 0.5) * other_count / count).astype(int)
    points[first : first + count] = matched
    if other_count <= count:
        times = np.bincount(matched - other_first, minlength=other_count)
        shares[first + tokens, matched] = 1 / times[matched - other_first]
    else:
        those = np.arange(other_count)
        to = first + ((those + 0.5) * count / other_count).astype(int)
        shares[to, other_first + those] = 1
