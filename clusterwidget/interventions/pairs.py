"""Pairs: draws receivers, and their donors under each condition of a swap test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clusterwidget.core.concepts import Partition
from clusterwidget.core.distances import l2_of_rows, nearest_of
from clusterwidget.results.pairs import CONDITIONS, FAR, NEAR, NOBODY, Pairs

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_POOL = 2048
_ROWS = 128
_RECEIVERS = 64
"""For so many at once the matrix is read once."""


def draw_receivers(n: int, count: int, seed: int) -> Ints:
    """Return so many receivers, all different: a second run of the same one would add nothing."""
    rng = np.random.default_rng([seed, 0])
    chosen: Ints = rng.choice(n, size=min(count, n), replace=False)
    return chosen


def draw_random(receivers: Ints, n: int, seed: int) -> Ints:
    """Draw any other of n examples as the donor of each receiver."""
    return np.array(_drawn(tuple(receivers.tolist()), n, seed), np.int64)


@lru_cache(maxsize=4)
def _drawn(receivers: tuple[int, ...], n: int, seed: int) -> tuple[int, ...]:
    # Kept, because the tests of all stages begin with the same draw.
    return tuple(
        (row + int(np.random.default_rng([seed, 4, row]).integers(1, n))) % n for row in receivers
    )


def draw_matched(
    concept: Partition, others: Sequence[Partition], receivers: Ints, seed: int
) -> Ints:
    """Draw for each receiver a donor of another value that is alike in most other concepts.

    Among some 2,000 random examples, about as many of each value.

    Parameters
    ----------
    concept : Partition
    others : sequence of Partition
    receivers : numpy.ndarray of int, shape (n,)
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        `NOBODY` for a receiver whose value is missing, or that has no such donor.
    """
    rng = np.random.default_rng([seed, 3])
    members = [rng.permutation(some) for some in _members(concept)]
    each = max(1, _POOL // len(members))
    pool = rng.permutation(np.concatenate([some[:each] for some in members]))
    # One row a concept: int16 compares fast, and a partition has at most 1,000 groups.
    known = [other.codes.astype(np.int16) for other in others]
    values, found = concept.codes[pool], np.full(len(receivers), NOBODY)
    for start in range(0, len(receivers), _ROWS):
        rows = receivers[start : start + _ROWS]
        alike = np.zeros((len(rows), len(pool)), np.int16)
        for codes in known:
            alike += codes[rows][:, None] == codes[pool]
        alike[values == concept.codes[rows][:, None]] = -1
        best = alike.argmax(axis=1)
        there = (alike[np.arange(len(rows)), best] >= 0) & (concept.codes[rows] >= 0)
        found[start : start + _ROWS] = np.where(there, pool[best], NOBODY)
    return found


def draw_pairs(
    matrix: Float32Array,
    receivers: Ints,
    concept: Partition | None,
    seed: int,
    pause: Callable[[], None],
) -> Pairs:
    """Draw donors for receivers.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
        The stage matrix, whose distances decide what is near and far.
    receivers : numpy.ndarray of int, shape (n,)
    concept : Partition or None
        Without one there is neither of the conditions with the same value.
    seed : int
        Each receiver's donors depend on it and on the receiver alone.
    pause : function
        Called between receivers; may raise to call it off.
    """
    n = len(matrix)
    names = [name for name in CONDITIONS[:-1] if concept or name not in ("concept", "far")]
    donors = {name: np.full(len(receivers), NOBODY) for name in names}
    donors["random"] = draw_random(receivers, n, seed)
    alike = _members(concept) if concept else ()
    for at, receiver in enumerate(receivers.tolist()):
        pause()
        rng = np.random.default_rng([seed, 1, receiver])
        if at % _RECEIVERS == 0:
            of_several = l2_of_rows(matrix, receivers[at : at + _RECEIVERS])
        distances = of_several[at % _RECEIVERS]
        near = nearest_of(distances, receiver, min(NEAR, n - 1))
        donors["nearest"][at] = near[0]
        donors["near"][at] = near[rng.integers(len(near))]
        code = concept.codes[receiver] if concept else -1
        if code < 0:
            continue
        same = alike[code]
        same = same[same != receiver]
        if len(same):
            donors["concept"][at] = same[rng.integers(len(same))]
            far = _farthest(same, distances)
            donors["far"][at] = far[rng.integers(len(far))]
    return Pairs(receivers, donors)


def _members(partition: Partition) -> Sequence[Ints]:
    order = np.argsort(partition.codes, kind="stable")
    bounds = np.searchsorted(partition.codes[order], np.arange(len(partition.groups) + 1))
    return [order[start:stop] for start, stop in pairwise(bounds)]


def _farthest(same: Ints, distances: Float32Array) -> Ints:
    count = max(1, round(FAR * len(same)))
    order = np.argpartition(distances[same], len(same) - count)
    return same[order[len(same) - count :]]
