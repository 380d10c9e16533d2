"""The atlas: the explained share of every concept at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.activations import Activations
from clusterwidget.activations.measured import Measured
from clusterwidget.activations.passes import groups_within
from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.aside import AllAside
from clusterwidget.meaning.meaning import MOST, coarsest_of
from clusterwidget.meaning.shares import Float64Array, Groups, GroupSums, stage_shares
from clusterwidget.meaning.spread import is_same_for_all

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Float32Array = npt.NDArray[np.float32]

SAME, NOTHING = -2, -1
"""In place of an index: all examples are the same at the stage; no concept explains it."""

SUMS_BYTES = 256 << 20
"""Bytes for the sums over groups of all stages that one pass takes."""

_ROWS = 4096
_LEAST = 0.05
_DEVIATIONS = 5.0


@dataclass(frozen=True)
class Atlas:
    """Explained shares of concepts, and of pairs of concepts, at stages.

    Attributes
    ----------
    stages : tuple of Stage
    partitions : Partitions
    shares : numpy.ndarray, shape (stages, concepts)
        NaN where all examples are the same.
    pair_shares : numpy.ndarray, shape (stages, pairs)
        The same for the joint groups of two concepts each, from the first 4,096 examples.
    n : int
        Number of examples that the shares are of.
    spreads : numpy.ndarray, shape (stages,)
        Root mean squared distance of the vectors to their mean.
    same : numpy.ndarray of bool, shape (stages,)
        Where that is no more than rounding or noise: see `meaning.spread`.

    See Also
    --------
    Explorer.atlas_of

    Examples
    --------
    >>> atlas = ex.atlas_of(["L1H0.result@S3", "L0H2.result@="])
    >>> atlas.shares.shape == (2, len(atlas.partitions.all))
    True
    """

    stages: tuple[Stage, ...]
    partitions: Partitions
    shares: Float64Array
    pair_shares: Float64Array
    n: int
    spreads: Float64Array
    same: npt.NDArray[np.bool_]

    def table(self) -> pd.DataFrame:
        """Return stages × concepts; NaN where all examples are the same.

        ``attrs["notes"]`` are those of `Partitions`; ``attrs["spread"]`` says how far the vectors
        of each stage are from their mean, root mean squared.

        See Also
        --------
        Explorer.atlas

        Examples
        --------
        >>> ex.atlas_of("L1H0.result@S3").table().loc["L1H0.result@S3"].idxmax()
        'carry2'
        """
        index = pd.Index([str(stage) for stage in self.stages], name="stage")
        table = pd.DataFrame(
            np.where(self.same[:, None], np.nan, self.shares),
            index=index,
            columns=pd.Index([part.name for part in self.partitions.all], name="concept"),
        )
        table.attrs["notes"] = list(self.partitions.notes)
        table.attrs["spread"] = dict(zip(index, self.spreads.tolist(), strict=True))
        return table

    def best(self, most: float = MOST) -> list[int]:
        """Return for each stage the index of the coarsest concept that explains most of it.

        `NOTHING` where no share is beyond chance: above 0.05, and above five standard deviations
        of the share of an unrelated concept of k groups at a stage of one dimension, about
        sqrt(2 (k - 1)) / n. At a stage of more dimensions it is smaller. `SAME` where all examples
        are the same.

        See Also
        --------
        meanings : the same by name.

        Examples
        --------
        >>> atlas = ex.atlas_of("L1H0.result@S3")
        >>> [atlas.partitions.all[index].name for index in atlas.best()]
        ['carry2']
        """
        groups = np.array([len(partition.groups) for partition in self.partitions.all])
        least = np.maximum(_LEAST, _DEVIATIONS * np.sqrt(2 * (groups - 1)) / self.n)
        found = []
        for shares, same in zip(self.shares, self.same, strict=True):
            if same or not np.isfinite(shares).any():
                found.append(SAME)
                continue
            beyond = np.where(shares >= least, shares, -np.inf)
            named = np.isfinite(beyond).any()
            found.append(coarsest_of(self.partitions, beyond, most) if named else NOTHING)
        return found

    def meanings(self) -> dict[Stage, str]:
        """Return the concept that explains each stage; an empty string where none does.

        See Also
        --------
        best

        Examples
        --------
        >>> list(ex.atlas_of(["L1H0.result@S3", "L0H2.result@="]).meanings().values())
        ['carry2', 'carry3']
        """
        names = [partition.name for partition in self.partitions.all]
        return {
            stage: names[best] if best >= 0 else ""
            for stage, best in zip(self.stages, self.best(), strict=True)
        }

    def best_pairs(self) -> list[int]:
        """Return for each stage the index of the pair with the largest share, or `NOTHING`.

        See Also
        --------
        best

        Examples
        --------
        >>> pairs = [("L0", "R0"), ("L2", "R2")]
        >>> ex.atlas_of("L0H2.result@=", pairs=pairs).best_pairs()
        [1]
        """
        return [_best_pair(shares) for shares in self.pair_shares]


def best_pair(matrix: Float32Array, pairs: Sequence[tuple[Partition, Partition]]) -> int:
    """Return what `Atlas.best_pairs` says of one stage, given its matrix, shape (N, d)."""
    if not pairs:
        return NOTHING
    first = matrix[:_ROWS]
    groups = Groups([_joint(one, other, len(first)) for one, other in pairs])
    return _best_pair(stage_shares(first, groups))


def _best_pair(shares: Float64Array) -> int:
    return int(np.nanargmax(shares)) if np.nanmax(shares, initial=-1) >= _LEAST else NOTHING


def atlas(
    activations: Activations | Measured | AllAside,
    stages: Sequence[Stage],
    partitions: Partitions,
    *,
    pairs: Sequence[tuple[Partition, Partition]] = (),
    scales: Sequence[float] | None = None,
    first: int | None = None,
    watch: Watch | None = None,
) -> Atlas:
    """Return the explained share of each concept at each stage.

    One pass over the activations: what is held is read; the rest streams out of the model and is
    not kept. Memory: the sums over groups, (groups, d) for each stage, plus one batch; where the
    sums would take more than 256 MB, the stages are divided between several passes.

    Parameters
    ----------
    activations : Activations, Measured or AllAside
    stages : sequence of Stage
    partitions : Partitions
    pairs : sequence of two partitions each, optional
        Concepts whose joint groups are looked at as well.
    scales : sequence of float, optional
        What the spread of each stage is compared with: see `meaning.spread`.
    first : int, optional
        Use only the first so many examples.
    watch : Watch, optional
        Reports how many examples are done.
    """
    if not partitions.all:
        raise ValueError(
            "there is no concept to look for: give the examples concepts that differ between them."
        )
    n = activations.n if first is None else min(first, activations.n)
    alone = [partition.of(slice(n)) for partition in partitions.all]
    joint = [_joint(one, other, min(n, _ROWS)) for one, other in pairs]
    held, missing = activations.divided(stages)
    room = SUMS_BYTES // (8 * sum(len(part.groups) for part in (*alone, *joint)))
    in_memory, passes = (
        groups_within(((stage, activations.stage_set.width(stage)) for stage in some), room)
        for some in (held, missing)
    )
    total = n * (bool(held) + len(passes))
    found: dict[Stage, _Found] = {}
    with (watch or Watch()).bar(total) as watch:
        for some in in_memory:
            sums = _Sums(alone, joint, n)
            for start in range(0, n, _ROWS):
                for stage in some:
                    sums.add(stage, start, held[stage][start : min(start + _ROWS, n)])
                    watch.check()
            found |= sums.shares()
            watch.step(n * len(found) // len(held), total)
        for turn, some in enumerate(passes, start=int(bool(held))):
            sums = _Sums(alone, joint, n)
            activations.stream(some, sums.add, watch.onward(n * turn, total), first=n)
            found |= sums.shares()
    rows = [found[stage] for stage in stages]
    same = [
        is_same_for_all(row.spread, row.length, scale)
        for row, scale in zip(rows, scales or [0.0] * len(rows), strict=True)
    ]
    return Atlas(
        tuple(stages),
        partitions,
        np.array([row.shares for row in rows]).reshape(len(rows), len(partitions.all)),
        np.array([row.pair_shares for row in rows]).reshape(len(rows), len(pairs)),
        n,
        np.array([row.spread for row in rows]),
        np.array(same, bool),
    )


@dataclass(frozen=True)
class _Found:
    """What the sums of one stage say."""

    shares: Float64Array
    pair_shares: Float64Array
    spread: float
    length: float


def _joint(one: Partition, other: Partition, n: int) -> Partition:
    """Return the joint groups of two partitions of the first n examples."""
    return other.of(slice(n)).within(one.of(slice(n)))


class _Sums:
    """Sums over the groups of concepts, and of pairs of concepts, at several stages.

    Parameters
    ----------
    alone : sequence of Partition
        Of the first n examples.
    joint : sequence of Partition
        Of the first min(n, 4,096) examples.
    n : int
    """

    def __init__(self, alone: Sequence[Partition], joint: Sequence[Partition], n: int) -> None:
        # The last group is of all examples: its sums give the spread.
        whole = Partition(("all",), np.zeros(n, np.int32), ("all",))
        self._alone = _GroupsAtStages([*alone, whole], n)
        self._joint = _GroupsAtStages(joint, min(n, _ROWS)) if joint else None

    def add(self, stage: Stage, start: int, rows: Float32Array) -> None:
        """Add a batch of vectors whose first example is `start`."""
        self._alone.add(stage, start, rows)
        if self._joint is not None:
            self._joint.add(stage, start, rows)

    def shares(self) -> dict[Stage, _Found]:
        """Return for each stage the shares of concepts, and of pairs of concepts."""
        pairs = {} if self._joint is None else self._joint.shares()
        spreads = self._alone.spreads()
        return {
            stage: _Found(shares[:-1], pairs.get(stage, np.zeros(0)), *spreads[stage])
            for stage, shares in self._alone.shares().items()
        }


class _GroupsAtStages:
    """Sums over the groups of the first n examples; a batch's memberships serve all stages."""

    def __init__(self, partitions: Sequence[Partition], n: int) -> None:
        self._n = n
        self._groups = Groups(partitions)
        self._sums: dict[Stage, GroupSums] = {}
        self._batch = slice(0, 0)
        self._memberships: csc_array | None = None

    def add(self, stage: Stage, start: int, rows: Float32Array) -> None:
        if start >= self._n:
            return
        batch = slice(start, min(start + len(rows), self._n))
        if self._memberships is None or self._batch != batch:
            self._batch, self._memberships = batch, self._groups.memberships(batch)
        rows = rows[: batch.stop - batch.start]
        if stage not in self._sums:
            self._sums[stage] = GroupSums(self._groups, rows.mean(axis=0))
        self._sums[stage].add(self._memberships, rows)

    def shares(self) -> dict[Stage, Float64Array]:
        return {stage: sums.shares() for stage, sums in self._sums.items()}

    def spreads(self) -> dict[Stage, tuple[float, float]]:
        return {stage: sums.spread() for stage, sums in self._sums.items()}
