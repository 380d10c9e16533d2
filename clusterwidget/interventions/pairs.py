"""Pairs: draws receivers, and their donors under each condition of a swap test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clusterwidget.core.concepts import Partition
from clusterwidget.core.distances import l2, nearest_of
from clusterwidget.results.pairs import CONDITIONS, FAR, NEAR, NOBODY, Pairs

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def draw_receivers(n: int, count: int, seed: int) -> Ints:
    """Return so many receivers, all different: a second run of the same one would add nothing."""
    rng = np.random.default_rng([seed, 0])
    chosen: Ints = rng.choice(n, size=min(count, n), replace=False)
    return chosen


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
    alike = _members(concept) if concept else ()
    for at, receiver in enumerate(receivers.tolist()):
        pause()
        rng = np.random.default_rng([seed, 1, receiver])
        distances = l2(matrix, receiver)
        near = nearest_of(distances, receiver, min(NEAR, n - 1))
        donors["nearest"][at] = near[0]
        donors["near"][at] = rng.choice(near)
        donors["random"][at] = (receiver + rng.integers(1, n)) % n
        code = concept.codes[receiver] if concept else -1
        if code < 0:
            continue
        same = alike[code]
        same = same[same != receiver]
        if len(same):
            donors["concept"][at] = rng.choice(same)
            donors["far"][at] = rng.choice(_farthest(same, distances))
    return Pairs(receivers, donors)


def _members(partition: Partition) -> Sequence[Ints]:
    order = np.argsort(partition.codes, kind="stable")
    bounds = np.searchsorted(partition.codes[order], np.arange(len(partition.groups) + 1))
    return [order[start:stop] for start, stop in pairwise(bounds)]


def _farthest(same: Ints, distances: Float32Array) -> Ints:
    count = max(1, round(FAR * len(same)))
    order = np.argpartition(distances[same], len(same) - count)
    return same[order[len(same) - count :]]
