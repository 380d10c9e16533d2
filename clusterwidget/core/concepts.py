"""Partitions: the groups of examples that concepts define, checked and compared."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.numbers import BINS, MOST_VALUES, is_continuous, ranges, sorted_values

Codes = npt.NDArray[np.int32]

_EXAMPLES_COMPARED = 50_000


@dataclass(frozen=True)
class Partition:
    """The groups into which a concept divides the examples.

    Attributes
    ----------
    names : tuple of str
        The concept, and all others that group these examples in the same way.
    codes : numpy.ndarray, shape (N,), int32
        Each example's group; -1 where the concept is missing.
    groups : tuple of str
        The label of each group, in the order of the codes.
    binned : bool
        Whether the groups are ranges of a continuous concept.
    """

    names: tuple[str, ...]
    codes: Codes
    groups: tuple[str, ...]
    binned: bool = False

    @property
    def name(self) -> str:
        """All its names: ``S4 = carry4``."""
        return " = ".join(self.names)

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Examples in each group, shape (groups,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.groups))

    def determined_by(self, other: Partition) -> float:
        """Return normalized mutual information, H(self) − H(self given other) over H(self).

        1 where the other refines this one, 0 where the two are independent. Of more than 50,000
        examples a random 50,000 are compared, always the same.
        """
        return _determined(self, other, _compared(len(self.codes)))[0]

    def within(self, coarser: Partition) -> Partition:
        """Return the groups of this partition inside each group of another one."""
        joint = coarser.codes.astype(np.int64) * len(self.groups) + self.codes
        joint[(self.codes < 0) | (coarser.codes < 0)] = -1
        found, codes = np.unique(joint, return_inverse=True)
        offset = int(found[0] < 0)
        return Partition(
            (f"{self.name} within {coarser.name}",),
            (codes - offset).astype(np.int32),
            tuple(str(value) for value in found[offset:]),
        )

    def of(self, rows: npt.NDArray[np.int64] | slice) -> Partition:
        """Return the same groups for some of the examples: a view of the codes for a slice."""
        return Partition(self.names, self.codes[rows], self.groups, self.binned)


@dataclass(frozen=True)
class Partitions:
    """The partitions of the examples, one for each different concept.

    Attributes
    ----------
    all : tuple of Partition
    notes : tuple of str
        Which concepts were dropped, merged, binned or left out, in sentences.
    left_out : tuple of str
        Those of the notes that say which group no examples, and why.
    """

    all: tuple[Partition, ...]
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @cached_property
    def determined(self) -> npt.NDArray[np.float64]:
        """`Partition.determined_by` of each partition (row) given each other one (column)."""
        found = np.ones((len(self.all), len(self.all)))
        rows = _compared(len(self.all[0].codes)) if self.all else slice(None)
        few = [partition.of(rows) for partition in self.all]
        for a, b in combinations(range(len(few)), 2):
            found[a, b], found[b, a] = _determined(few[a], few[b], slice(None))
        return found

    def named(self, name: str) -> Partition:
        """Return the partition of a concept; raise ValueError with the nearest spelling."""
        for partition in self.all:
            if name in (*partition.names, partition.name):
                return partition
        raise ValueError(unknown_concept(name, [name for p in self.all for name in p.names]))


def joint(several: Sequence[Partition]) -> Partition:
    """Return the joint groups of partitions, called ``L2 and R2``."""
    groups = several[0]
    for other in several[1:]:
        groups = other.within(groups)
    if len(several) == 1:
        return groups
    return replace(groups, names=(" and ".join(part.name for part in several),))


def unknown_concept(name: str, known: list[str]) -> str:
    """Return the message for a concept that does not exist, with the nearest spelling."""
    close = difflib.get_close_matches(str(name), known, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"there is no concept {name!r}.{meant} There are {', '.join(known) or 'none'}."


def partitions(concepts: pd.DataFrame, names: Iterable[str] | None = None) -> Partitions:
    """Return the partitions of the examples that concepts define.

    Constant concepts are dropped; concepts that group the examples in the same way become one
    partition with all their names; continuous ones are divided at quantiles, infinity apart: floats
    and times of more than 20 values, integers of more than 1,000. `Partitions.notes` says which.

    Parameters
    ----------
    concepts : pandas.DataFrame
        One row an example, one column a concept; numbers, booleans, strings, categories, dates or
        spans of time, or a mixture; values may be missing.
    names : iterable of str, optional
        The columns to use. By default all that group examples: others are left out with a note.

    Raises
    ------
    ValueError
        For a concept that is named and unknown, all missing, different for every example, or of
        more than 1,000 values.
    """
    known = [str(name) for name in concepts.columns]
    chosen = known if names is None else list(names)
    kept: dict[bytes, Partition] = {}
    notes = []
    left_out = []
    for name in chosen:
        if name not in known:
            raise ValueError(unknown_concept(name, known))
        try:
            partition = _partition(name, concepts[name])
        except ValueError as error:
            if names is not None:
                raise
            why = str(error).removeprefix(f"the concept {name!r} ").partition(": ")[0]
            left_out.append(f"{name} is left out: it {why}.")
            continue
        if len(partition.groups) == 1:
            notes.append(f"{name} is dropped: it is {partition.groups[0]} for every example.")
            continue
        if partition.binned:
            notes.append(f"{name} is continuous: it is divided at its {BINS}-quantiles.")
        key = _in_order_of_appearance(partition.codes).tobytes()
        same = kept.get(key)
        if same is None:
            kept[key] = partition
        else:
            notes.append(f"{name} divides these examples exactly as {same.names[0]} does.")
            kept[key] = Partition((*same.names, name), same.codes, same.groups, same.binned)
    return Partitions(tuple(kept.values()), (*notes, *left_out), tuple(left_out))


def usable(concepts: pd.DataFrame) -> list[Partition]:
    """Return the concepts that group examples at all, each by itself; others are left out."""
    return [part for name in concepts.columns for part in _usable(concepts, str(name))]


def _usable(concepts: pd.DataFrame, name: str) -> tuple[Partition, ...]:
    try:
        return partitions(concepts, [name]).all
    except ValueError:
        return ()


def _partition(name: str, column: pd.Series) -> Partition:
    present = int(column.notna().sum())
    if present == 0:
        raise ValueError(f"the concept {name!r} is missing for every example: leave it out.")
    binned = is_continuous(column)
    if binned:
        codes, texts = ranges(column)
    else:
        codes, values = sorted_values(column)
        texts = [str(value) for value in values]
    if 1 < present == len(texts):
        raise ValueError(
            f"the concept {name!r} is different for every example, so it groups none: leave it "
            "out, group its values first, or give numbers as floats to have them divided into "
            "ranges."
        )
    if len(texts) > MOST_VALUES:
        raise ValueError(
            f"the concept {name!r} has {len(texts):,} values, more than {MOST_VALUES:,}: group "
            "its values first."
        )
    return Partition((name,), codes.astype(np.int32), tuple(texts), binned)


def _compared(n: int) -> npt.NDArray[np.int64] | slice:
    """Return the examples on which concepts are compared."""
    if n <= _EXAMPLES_COMPARED:
        return slice(None)
    chosen = np.random.default_rng(0).choice(n, _EXAMPLES_COMPARED, replace=False)
    return np.sort(chosen).astype(np.int64)


def _determined(
    one: Partition, other: Partition, rows: npt.NDArray[np.int64] | slice
) -> tuple[float, float]:
    """Return how far one partition is determined by the other, and the other by it."""
    mine, theirs = one.codes[rows], other.codes[rows]
    both = (mine >= 0) & (theirs >= 0)
    joint = theirs[both].astype(np.int64) * len(one.groups) + mine[both]
    table = np.bincount(joint, minlength=len(one.groups) * len(other.groups))
    table = table.reshape(len(other.groups), len(one.groups))
    own, others = _entropy(table.sum(axis=0)), _entropy(table.sum(axis=1))
    shared = own + others - _entropy(table.ravel())
    return tuple(1.0 if whole == 0 else shared / whole for whole in (own, others))  # type: ignore[return-value]


def _entropy(counts: npt.NDArray[np.integer]) -> float:
    """Return the entropy of counts, in nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _in_order_of_appearance(codes: Codes) -> Codes:
    """Return codes that are equal for equal partitions, whatever the order of their values."""
    ordered = pd.factorize(codes)[0].astype(np.int32)
    ordered[codes < 0] = -1
    return ordered
