"""Meaning: what a stage stands for, in one name, as far as the concepts at hand can say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clusterwidget.core.concepts import Partition
from clusterwidget.meaning.shares import Groups, stage_shares

Float32Array = npt.NDArray[np.float32]

GAIN = 0.01
"""What a finer concept must explain beyond the coarser one to be a link of the chain."""

NESTED = 0.8
"""How much of a concept another one must tell for the two to count as nested."""


@dataclass(frozen=True)
class Link:
    """A concept in the chain from the coarsest to the best one.

    Attributes
    ----------
    concept : str
    share : float
        Its explained share.
    within : float or None
        Share of what is left inside the groups of the link before that it explains.
    """

    concept: str
    share: float
    within: float | None = None


@dataclass(frozen=True)
class Meaning:
    """What a stage stands for.

    All shares are of examples that had no part in choosing the names.

    Attributes
    ----------
    concept : str or None
        The coarsest concept that explains most of what the best one does; None where nothing that
        was named explains the stage.
    share : float
        Its explained share; NaN where all examples are the same at the stage.
    chain : tuple of Link
        From that concept to the best one, each finer than the one before.
    p : float
        Chance of such a share if examples had nothing to do with the concept, by permutation.
    runner_up : str or None
        The best concept that is not nested with these, and that chance does not explain.
    unexplained : float
        What the best concept leaves.
    """

    concept: str | None
    share: float
    chain: tuple[Link, ...]
    p: float
    runner_up: str | None
    unexplained: float

    def __str__(self) -> str:
        if self.concept is None:
            same = "all examples are the same here"
            return same if np.isnan(self.share) else "nothing that you named"
        text = f"{self.concept} {self.share:.2f}"
        for link in self.chain[1:]:
            text += f", and within it {link.concept} up to {link.share:.2f}"
        return text


def meaning(
    matrix: Float32Array,
    partitions: Sequence[Partition],
    *,
    most: float = 0.8,
    least: float = 0.05,
    permutations: int = 199,
    alpha: float = 0.01,
    seed: int = 0,
) -> Meaning:
    """Name what a stage stands for.

    The names are chosen on one half of the examples; shares and p come from the other half.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    partitions : sequence of Partition
    most : float
        Share of the best concept's explained share that the coarsest one must reach.
    least : float
        Explained share below which a stage has no meaning.
    permutations : int
        How many times the examples are permuted for p.
    alpha : float
        The largest p with which a stage has a meaning.
    seed : int
        Of the halves and the permutations.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matrix))
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    chosen_on = _shares(matrix, partitions, first)
    told_on = _shares(matrix, partitions, second)
    if not np.isfinite(chosen_on).any() or not np.isfinite(told_on).any():
        return Meaning(None, float("nan"), (), 1.0, None, float("nan"))
    chain = _chain(partitions, np.nan_to_num(chosen_on, nan=-1.0), most)
    coarsest, best = chain[0], chain[-1]
    share = float(told_on[coarsest])
    p = _p(matrix[second], partitions[coarsest].of(second), share, permutations, rng)
    if not (share >= least and p <= alpha):
        return Meaning(None, share, (), p, None, 1.0)
    runner_up = _runner_up(partitions, np.nan_to_num(chosen_on, nan=-1.0), chain)
    if runner_up is not None and not told_on[runner_up] >= least:
        runner_up = None
    return Meaning(
        partitions[coarsest].name,
        share,
        _links(matrix, partitions, chain, told_on, second),
        p,
        None if runner_up is None else partitions[runner_up].name,
        float(1 - told_on[best]),
    )


def coarsest_of(
    partitions: Sequence[Partition], shares: npt.NDArray[np.float64], most: float
) -> int:
    """Return the index of the partition with fewest groups among those near the best one."""
    # Where the best share is below 0, as chance has it, a part of it would be above it.
    least = min(most * shares.max(), shares.max())
    enough: list[int] = np.flatnonzero(shares >= least).tolist()
    return min(enough, key=lambda index: (len(partitions[index].groups), -shares[index]))


def _shares(
    matrix: Float32Array, partitions: Sequence[Partition], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    return stage_shares(matrix, Groups([partition.of(rows) for partition in partitions]), rows)


def _chain(
    partitions: Sequence[Partition], shares: npt.NDArray[np.float64], most: float
) -> list[int]:
    """Return indices from the coarsest concept to the best, each telling the one before."""
    best, chain = int(shares.argmax()), [coarsest_of(partitions, shares, most)]
    finer = sorted(range(len(partitions)), key=lambda index: len(partitions[index].groups))
    for index in finer:
        last = chain[-1]
        if (
            shares[index] >= shares[last] + GAIN
            and len(partitions[index].groups) > len(partitions[last].groups)
            and partitions[last].determined_by(partitions[index]) >= NESTED
            and (index == best or partitions[index].determined_by(partitions[best]) >= NESTED)
        ):
            chain.append(index)
    return chain


def _runner_up(
    partitions: Sequence[Partition], shares: npt.NDArray[np.float64], chain: Sequence[int]
) -> int | None:
    index: int
    for index in np.argsort(-shares).tolist():
        if not any(
            partitions[index].determined_by(partitions[link]) >= NESTED
            or partitions[link].determined_by(partitions[index]) >= NESTED
            for link in chain
        ):
            return index
    return None


def _links(
    matrix: Float32Array,
    partitions: Sequence[Partition],
    chain: Sequence[int],
    shares: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
) -> tuple[Link, ...]:
    links = [Link(partitions[chain[0]].name, float(shares[chain[0]]))]
    for coarser, finer in pairwise(chain):
        joint = partitions[finer].within(partitions[coarser])
        together = float(_shares(matrix, [joint], rows)[0])
        within = (together - shares[coarser]) / (1 - shares[coarser])
        links.append(Link(partitions[finer].name, float(shares[finer]), float(within)))
    return tuple(links)


def _p(
    matrix: Float32Array,
    partition: Partition,
    share: float,
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """Return the permutation p of a share, counting the share itself among the permuted ones."""
    reached = 0
    groups = Groups([partition])
    for _ in range(permutations):
        shuffled = rng.permutation(len(matrix))
        reached += float(stage_shares(matrix, groups, shuffled)[0]) >= share
    return (1 + reached) / (1 + permutations)
