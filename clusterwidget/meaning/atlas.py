"""The atlas: the explained share of every concept at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.activations import Activations
from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.meaning import coarsest_of
from clusterwidget.meaning.shares import Float64Array, Groups, GroupSums

Float32Array = npt.NDArray[np.float32]

SAME, NOTHING = -2, -1
"""What stands for a stage where all examples are the same, and for one that nothing explains."""

SUMS_BYTES = 256 << 20
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
        The same for pairs of concepts taken together, from the first few thousand examples.
    n : int
        Number of examples.
    """

    stages: tuple[Stage, ...]
    partitions: Partitions
    shares: Float64Array
    pair_shares: Float64Array
    n: int

    def table(self) -> pd.DataFrame:
        """Return stages × concepts, by address and name; ``attrs["notes"]`` says what was done."""
        table = pd.DataFrame(
            self.shares,
            index=pd.Index([str(stage) for stage in self.stages], name="stage"),
            columns=pd.Index([part.name for part in self.partitions.all], name="concept"),
        )
        table.attrs["notes"] = list(self.partitions.notes)
        return table

    def best(self, most: float = 0.8) -> list[int]:
        """Return for each stage the index of the coarsest concept that explains most of it.

        `NOTHING` where no share is beyond chance: above 0.05, and above five standard deviations
        of what an unrelated concept of k groups reaches at a stage of one dimension, about
        sqrt(2 (k - 1)) / N. A stage of more dimensions spreads less.
        """
        groups = np.array([len(partition.groups) for partition in self.partitions.all])
        least = np.maximum(_LEAST, _DEVIATIONS * np.sqrt(2 * (groups - 1)) / self.n)
        found = []
        for shares in self.shares:
            if not np.isfinite(shares).any():
                found.append(SAME)
                continue
            beyond = np.where(shares >= least, shares, -np.inf)
            named = np.isfinite(beyond).any()
            found.append(coarsest_of(self.partitions.all, beyond, most) if named else NOTHING)
        return found

    def meanings(self) -> dict[Stage, str]:
        """Return the name of what explains each stage, empty where nothing does."""
        names = [partition.name for partition in self.partitions.all]
        return {
            stage: names[best] if best >= 0 else ""
            for stage, best in zip(self.stages, self.best(), strict=True)
        }

    def best_pairs(self) -> list[int]:
        """Return for each stage the index of the pair with the largest share, or `NOTHING`."""
        return [
            int(np.nanargmax(shares)) if np.nanmax(shares, initial=-1) >= _LEAST else NOTHING
            for shares in self.pair_shares
        ]


def atlas(
    activations: Activations,
    stages: Sequence[Stage],
    partitions: Partitions,
    *,
    pairs: Sequence[Partition] = (),
    first: int | None = None,
    watch: Watch | None = None,
) -> Atlas:
    """Return the explained share of each concept at each stage.

    One pass over the activations: what is held is read, the rest streams out of the model and is
    not kept. Memory: the sums over groups, (groups, d) for each stage, plus one batch; where the
    sums would take more than 256 MB, the stages take turns, in as many passes.

    Parameters
    ----------
    activations : Activations
    stages : sequence of Stage
    partitions : Partitions
    pairs : sequence of Partition, optional
        Pairs of concepts as one partition each.
    first : int, optional
        Only so many examples, from the first.
    watch : Watch, optional
        Told how many examples are done.
    """
    if not partitions.all:
        raise ValueError(
            "there is no concept to look for: give the examples concepts that differ between them."
        )
    n = activations.n if first is None else min(first, activations.n)
    held, missing = activations.divided(stages)
    room = SUMS_BYTES // (8 * sum(len(part.groups) for part in (*partitions.all, *pairs)))
    runs = _divided(missing, activations, room)
    total = n * (bool(held) + len(runs))
    found: dict[Stage, tuple[Float64Array, Float64Array]] = {}

    def sums() -> tuple[_Sums, _Sums]:
        return _Sums(partitions.all, n), _Sums(pairs, min(n, _ROWS))

    with (watch or Watch()).bar(total) as watch:
        for some in _divided(list(held), activations, room):
            both = sums()
            for start in range(0, n, _ROWS):
                for stage in some:
                    for part in both:
                        part.add(stage, start, held[stage][start : min(start + _ROWS, n)])
                    watch.check()
            found |= {stage: (both[0].shares(stage), both[1].shares(stage)) for stage in some}
            watch.step(n * len(found) // len(held), total)
        for turn, some in enumerate(runs, start=int(bool(held))):
            both = sums()

            def consume(
                stage: Stage, start: int, rows: Float32Array, both: tuple[_Sums, _Sums] = both
            ) -> None:
                for part in both:
                    part.add(stage, start, rows)

            activations.stream(some, consume, watch.onward(n * turn, total), first=n)
            found |= {stage: (both[0].shares(stage), both[1].shares(stage)) for stage in some}
    shape = (len(stages), -1) if stages else (0, 0)
    shares, pair_shares = (
        np.array([found[stage][at] for stage in stages]).reshape(shape) for at in (0, 1)
    )
    return Atlas(tuple(stages), partitions, shares, pair_shares, n)


def _divided(stages: Sequence[Stage], activations: Activations, room: int) -> list[list[Stage]]:
    """Divide stages into runs whose vectors have at most `room` dimensions together."""
    runs: list[list[Stage]] = []
    left = 0
    for stage in stages:
        width = activations.stage_set.width(stage)
        if not runs or width > left:
            runs.append([])
            left = room
        runs[-1].append(stage)
        left -= width
    return runs


class _Sums:
    """Sums over groups at several stages; memberships are laid out once for each batch.

    Parameters
    ----------
    partitions : sequence of Partition
    n : int
        Only the first n examples count.
    """

    def __init__(self, partitions: Sequence[Partition], n: int) -> None:
        first = np.arange(n)
        self._n = n
        self._of: dict[Stage, GroupSums] = {}
        self._groups = Groups([part.of(first) for part in partitions]) if partitions else None
        self._part = slice(0, 0)
        self._one_hot: Float32Array | None = None

    def add(self, stage: Stage, start: int, rows: Float32Array) -> None:
        if self._groups is None or start >= self._n:
            return
        part = slice(start, min(start + len(rows), self._n))
        if self._one_hot is None or self._part != part:
            self._part, self._one_hot = part, self._groups.one_hot(part)
        rows = rows[: part.stop - part.start]
        if stage not in self._of:
            self._of[stage] = GroupSums(self._groups, rows.mean(axis=0))
        self._of[stage].add(self._one_hot, rows)

    def shares(self, stage: Stage) -> Float64Array:
        """Return the shares at a stage, shape (partitions,)."""
        return np.zeros(0) if self._groups is None else self._of[stage].shares()
