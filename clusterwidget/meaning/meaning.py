"""Meaning: the coarsest concept that explains most of what a stage tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.shares import Groups, shares_of_each, stage_shares
from clusterwidget.meaning.significance import p_of_share
from clusterwidget.meaning.spread import is_same_for_all, spread_of

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

MOST = 0.8
"""Fraction of the best concept's share that the coarsest one must reach."""

GAIN = 0.01
"""What a finer concept must explain beyond the coarser one to be a link of the chain."""

NESTED = 0.8
"""Normalized mutual information from which a concept counts as determined by another."""


@dataclass(frozen=True)
class Link:
    """A concept in the chain from the coarsest to the best one.

    Attributes
    ----------
    concept : str
    share : float
        Its explained share.
    within : float or None
        Its explained share of what the link before leaves unexplained.

    See Also
    --------
    Meaning : whose ``chain`` is made of links.

    Examples
    --------
    >>> [link.concept for link in ex.meaning("L1H0.result@S3").chain]
    ['carry2']
    """

    concept: str
    share: float
    within: float | None = None


@dataclass(frozen=True)
class Meaning:
    """What a stage stands for.

    Names are chosen on one half of the examples; all shares are of the other half.

    Attributes
    ----------
    concept : str or None
        The coarsest concept that explains most of what the best one does; None where no concept
        explains the stage.
    share : float
        Its explained share; NaN where all examples are the same at the stage.
    chain : tuple of Link
        From that concept to the best one, each finer than the one before.
    p : float
        Chance of such a share for an unrelated concept, by permutation of the examples.
    runner_up : str or None
        The best concept that neither determines one of the chain nor is determined by one.
    unexplained : float
        1 less the share of the best concept.
    spread : float
        Root mean squared distance of the vectors to their mean.
    names : tuple of str
        The names that `concept` is made of: concepts that divide the examples alike are one, called
        ``S4 = carry4``.

    See Also
    --------
    Explorer.meaning
    Link : a concept of the chain.

    Examples
    --------
    >>> found = ex.meaning("L1H0.result@S3")
    >>> found.concept, found.p
    ('carry2', 0.005)
    """

    concept: str | None
    share: float
    chain: tuple[Link, ...]
    p: float
    runner_up: str | None
    unexplained: float
    spread: float = float("nan")
    names: tuple[str, ...] = ()

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
    partitions: Partitions,
    *,
    scale: float = 0.0,
    most: float = MOST,
    least: float = 0.05,
    permutations: int = 199,
    alpha: float = 0.01,
    seed: int = 0,
) -> Meaning:
    """Name what a stage stands for.

    The names are chosen on one half of the examples; shares and p come from the other half. Where
    that half has more than 20,000 examples, p is of a random 20,000 of them: a test of the same
    size, with less power.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    partitions : Partitions
        Of at least one concept.
    scale : float
        What the spread is compared with: see `meaning.spread`.
    most : float
        Fraction of the best concept's explained share that the coarsest one must reach.
    least : float
        Explained share below which a stage has no meaning.
    permutations : int
        Number of permutations for p.
    alpha : float
        The largest p with which a stage has a meaning.
    seed : int
        Of the halves and the permutations.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matrix))
    reported = np.ones(len(matrix), bool)
    reported[order[: len(order) // 2]] = False
    spread, length = spread_of(matrix)
    known = partitions.all
    halves = [Groups(known, ~reported), Groups(known, reported)]
    choosing, shares = shares_of_each(matrix, halves)
    if (
        is_same_for_all(spread, length, scale)
        or not np.isfinite(choosing).any()
        or not np.isfinite(shares).any()
    ):
        return Meaning(None, float("nan"), (), 1.0, None, float("nan"), spread)
    choosing = np.nan_to_num(choosing, nan=-1.0)
    chain = _chain(partitions, choosing, most)
    coarsest, best = chain[0], chain[-1]
    share = float(shares[coarsest])
    rows = np.flatnonzero(reported)
    p = p_of_share(matrix, known[coarsest], rows, permutations=permutations, rng=rng)
    if not (share >= least and p <= alpha):
        return Meaning(None, share, (), p, None, 1.0, spread)
    runner_up = _runner_up(partitions, choosing, chain)
    if runner_up is not None and not shares[runner_up] >= least:
        runner_up = None
    return Meaning(
        known[coarsest].name,
        share,
        _links(matrix, known, chain, shares, reported),
        p,
        None if runner_up is None else known[runner_up].name,
        float(1 - shares[best]),
        spread,
        known[coarsest].names,
    )


def coarsest_of(partitions: Partitions, shares: Float64Array, most: float = MOST) -> int:
    """Return the index of the coarsest concept that explains most of what the best one does.

    The one with fewest groups, among the best and those that the best determines.
    """
    best = int(shares.argmax())
    # A fraction of a share below 0, which an unrelated concept can have, would be above that share.
    least = min(most * shares[best], shares[best])
    nested = partitions.determined[:, best] >= NESTED
    nested[best] = True
    enough: list[int] = np.flatnonzero((shares >= least) & nested).tolist()
    return min(enough, key=lambda index: (len(partitions.all[index].groups), -shares[index]))


def _chain(partitions: Partitions, shares: Float64Array, most: float) -> list[int]:
    """Return indices from the coarsest concept to the best, each determining the one before.

    The best one is always the last link, unless it explains no more than rounding beyond the
    coarsest, which then stands for it.
    """
    best, chain = int(shares.argmax()), [coarsest_of(partitions, shares, most)]
    nested, sizes = partitions.determined, [len(part.groups) for part in partitions.all]
    for index in sorted(range(len(sizes)), key=sizes.__getitem__):
        last = chain[-1]
        if (
            index != best
            and shares[index] >= shares[last] + GAIN
            and sizes[index] > sizes[last]
            and nested[last, index] >= NESTED
            and nested[index, best] >= NESTED
        ):
            chain.append(index)
    if chain[-1] == best or (len(chain) == 1 and shares[best] < shares[chain[0]] + GAIN):
        return chain
    return [*chain, best]


def _runner_up(partitions: Partitions, shares: Float64Array, chain: Sequence[int]) -> int | None:
    """Return the index of the best concept that is not nested with one of the chain."""
    nested = partitions.determined
    index: int
    for index in np.argsort(-shares).tolist():
        if max(nested[index, chain].max(), nested[chain, index].max()) < NESTED:
            return index
    return None


def _links(
    matrix: Float32Array,
    partitions: Sequence[Partition],
    chain: Sequence[int],
    shares: Float64Array,
    among: npt.NDArray[np.bool_],
) -> tuple[Link, ...]:
    links = [Link(partitions[chain[0]].name, float(shares[chain[0]]))]
    for coarser, finer in pairwise(chain):
        joint = partitions[finer].within(partitions[coarser])
        together = float(stage_shares(matrix, Groups([joint], among))[0])
        within = (together - shares[coarser]) / (1 - shares[coarser])
        links.append(Link(partitions[finer].name, float(shares[finer]), float(within)))
    return tuple(links)
