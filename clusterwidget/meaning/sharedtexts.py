"""What near texts share: patterns that are found in them more often than chance.

Each pattern of the text index is looked for at places that are told apart: where it ends at the
stage's position, one to eight tokens before it, anywhere before it, and anywhere. How many of the
k neighbors have it is held against all other examples (hypergeometric, one-sided), and p is
corrected over all patterns at all places (Holm 1979), which holds however they depend on one
another. A pattern so rare, or so frequent, that no set of k neighbors could be significant is no
test (Tarone 1990): that is known before the neighbors are.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.inputs import Inputs
from clusterwidget.meaning.chance import at_least
from clusterwidget.meaning.neighbors import NEARLY_AS_STRONG, SIGNIFICANT
from clusterwidget.meaning.textindex import Bools, Ints, TextIndex

HERE, BEFORE, ANYWHERE = "here", "before", "anywhere"
OFFSETS = 8
"""So many tokens before the position each has a place of its own."""

_MOST_LISTED = 100
_POSITIONS_KEPT = 4
Floats = npt.NDArray[np.float64]
Which = tuple[tuple[int, int], int]
"""A place and a sort of patterns, and a pattern of that sort."""
Counts = list[list[Ints]]
"""For each place and each sort of patterns: in how many examples each pattern is there."""


@dataclass(frozen=True)
class SharedTexts:
    """What near texts share.

    Attributes
    ----------
    table : pandas.DataFrame
        See `Explorer.shared_texts`.
    matches : tuple of numpy.ndarray of int, shape (matches, 3)
        For each row, where neighbors have the pattern: the example, and its first token and the
        one after its last.
    tested : int
        How many patterns at places p is corrected for.
    """

    table: pd.DataFrame
    matches: tuple[Ints, ...]
    tested: int


class TextSearch:
    """Finds what near texts share; what does not depend on the neighbors is kept.

    Parameters
    ----------
    index : TextIndex
    inputs : Inputs
        Of the same examples.
    """

    def __init__(self, index: TextIndex, inputs: Inputs) -> None:
        self._index, self._inputs = index, inputs
        self._counts: OrderedDict[int, Counts] = OrderedDict()

    def shared(self, column: int, selected: int, near: Ints) -> SharedTexts:
        """Return what the texts of neighbors share at a position.

        Parameters
        ----------
        column : int
            The position, as in `Inputs.at`.
        selected : int
            The example whose neighbors they are: it counts neither as one nor among the others.
        near : numpy.ndarray of int, shape (k,)
        """
        others, k = len(self._inputs) - 1, len(near)
        own, hits = self._count(column, np.array([selected])), self._count(column, near)
        whole = self._known_counts(column)
        places = [(place, sort) for place in range(len(whole)) for sort in range(len(whole[place]))]
        sizes = [len(whole[place][sort]) for place, sort in places]
        starts = np.cumsum([0, *sizes])
        alike = np.concatenate([whole[p][s] - own[p][s] for p, s in places])
        found = np.concatenate([hits[p][s] for p, s in places])
        testable = _testable(alike, others, k)
        tested = int(testable.sum())
        chosen = np.flatnonzero(testable & (found >= 2) & (found * others > alike * k))
        p = _chances(found[chosen], alike[chosen], others, k)
        # Of equals the longest says most, and then the place that is told best.
        at = np.searchsorted(starts, chosen, side="right") - 1
        lengths = [0 if self._index.is_word(sort) else sort for _, sort in places]
        order = np.lexsort((at, -np.array(lengths)[at], p))
        corrected = np.minimum(np.maximum.accumulate(p[order] * (tested - np.arange(len(p)))), 1)
        significant = corrected <= SIGNIFICANT
        chosen, corrected = chosen[order][significant], corrected[significant]
        chosen, corrected = chosen[:_MOST_LISTED], corrected[:_MOST_LISTED]
        at = np.searchsorted(starts, chosen, side="right") - 1
        patterns = chosen - starts[at]
        known = [
            (places[i], int(pattern)) for i, pattern in zip(at.tolist(), patterns, strict=True)
        ]
        matches = [self._matches(column, near, *which) for which in known]
        heads = self._folded(column, known, matches, near)
        names = [
            (self._index.text(sort, pattern), _place(place)) for (place, sort), pattern in known
        ]
        shares, bases = found[chosen] / k, alike[chosen] / others
        table = pd.DataFrame(
            {
                "pattern": [name for name, _ in names],
                "where": [where for _, where in names],
                "count": found[chosen],
                "share": shares,
                "base": bases,
                "lift": np.divide(shares, bases, out=np.full(len(shares), np.inf), where=bases > 0),
                "p": corrected,
            },
        )
        above = [None if head is None else _named(*names[head]) for head in heads]
        table["under"] = pd.Series(above, index=table.index, dtype=object)
        table.attrs["tested"] = tested
        return SharedTexts(table, tuple(matches), tested)

    def _known_counts(self, column: int) -> Counts:
        if column not in self._counts:
            self._counts[column] = self._count(column, np.arange(len(self._inputs)))
            while len(self._counts) > _POSITIONS_KEPT:
                self._counts.popitem(last=False)
        self._counts.move_to_end(column)
        return self._counts[column]

    def _count(self, column: int, rows: Ints) -> Counts:
        """Return in how many of some examples each pattern is, place by place."""
        at = np.asarray(self._inputs.at(column), np.int64)[rows]
        found: Counts = []
        for offset in range(OFFSETS + 1):
            ends = at - offset
            there, ends = rows[ends >= 0], ends[ends >= 0]
            found.append(
                [_counted(sort.codes[there, ends], len(sort)) for sort in self._index.sorts]
            )
        before, anywhere = [], []
        for sort in self._index.sorts:
            codes, first = sort.codes[rows], sort.first[rows]
            anywhere.append(_counted(codes[first], len(sort)))
            first &= np.arange(codes.shape[1]) < at[:, None]
            before.append(_counted(codes[first], len(sort)))
        return [*found, before, anywhere]

    def _folded(
        self, column: int, known: list[Which], matches: list[Ints], near: Ints
    ) -> list[int | None]:
        """Return for each pattern the stronger one that says the same, or None.

        That is one that is there in the same tokens, or that nearly the same of all examples have:
        what nearly all neighbors have is in the same ones whatever it is.

        Parameters
        ----------
        known : list of a place and a sort, and a pattern
            Strongest first.
        matches : list of numpy.ndarray of int, shape (matches, 3)
        near : numpy.ndarray of int, shape (k,)
        """
        width = self._inputs.width
        place = {int(example): at for at, example in enumerate(near)}
        rows = [np.array([place[example] for example in each[:, 0].tolist()]) for each in matches]
        cells = [_cells(row, each, width) for row, each in zip(rows, matches, strict=True)]
        sizes = [len(np.unique(row)) for row in rows]
        having: dict[int, Bools] = {}
        covered = np.zeros(len(near) * width, bool)
        under: list[int | None] = [None] * len(known)

        def has(at: int) -> Bools:
            if at not in having:
                everyone = np.arange(len(self._inputs))
                having[at] = np.asarray(self._there(column, everyone, *known[at]).any(axis=1))
            return having[at]

        for at in range(len(known)):
            if under[at] is not None:
                continue
            covered[:] = False
            covered[cells[at]] = True
            for other in range(at + 1, len(known)):
                if under[other] is not None:
                    continue
                same = len(np.unique(cells[other][covered[cells[other]]] // width))
                if same >= NEARLY_AS_STRONG * sizes[other] or (
                    min(sizes[at], sizes[other]) >= NEARLY_AS_STRONG * max(sizes[at], sizes[other])
                    and _alike(has(at), has(other)) >= NEARLY_AS_STRONG
                ):
                    under[other] = at
        return under

    def _there(self, column: int, rows: Ints, place: tuple[int, int], pattern: int) -> Bools:
        """Return where some examples have a pattern, by its last token, shape (rows, T)."""
        where, sort = place
        at = np.asarray(self._inputs.at(column), np.int64)[rows]
        codes = self._index.sorts[sort].codes
        if where <= OFFSETS:
            ends = at - where
            found: Bools = np.zeros((len(rows), codes.shape[1]), bool)
            valid = np.flatnonzero(ends >= 0)
            found[valid, ends[valid]] = codes[rows[valid], ends[valid]] == pattern
            return found
        there: Bools = codes[rows] == pattern
        if _place(where) == BEFORE:
            there &= np.arange(codes.shape[1]) < at[:, None]
        return there

    def _matches(self, column: int, near: Ints, place: tuple[int, int], pattern: int) -> Ints:
        """Return where neighbors have a pattern: example, first token, the one after the last."""
        there = self._there(column, near, place, pattern)
        rows, ends = np.nonzero(there)
        starts = ends + 1 - self._index.sorts[place[1]].length[near[rows], ends]
        return np.stack([near[rows], starts, ends + 1], axis=1)


def _named(pattern: str, where: str) -> str:
    return f"{pattern!r} {where}"


def _place(place: int) -> str:
    if place == 0:
        return HERE
    return f"{place} before" if place <= OFFSETS else (BEFORE, ANYWHERE)[place - OFFSETS - 1]


def _counted(codes: npt.NDArray[np.int32], size: int) -> Ints:
    return np.bincount(codes[codes >= 0], minlength=size)


def _testable(alike: Ints, others: int, k: int) -> Bools:
    """Return which patterns could be significant at all (Tarone 1990), shape (patterns,)."""
    counts, inverse = np.unique(alike, return_inverse=True)
    many = np.bincount(inverse)
    least = _least_chances(counts, others, k)
    order = np.argsort(least, kind="stable")
    upto = np.cumsum(many[order])
    low, high = 1, max(1, int(upto[-1]) if len(upto) else 1)
    while low < high:
        middle = (low + high) // 2
        at = np.searchsorted(least[order], SIGNIFICANT / middle, side="right")
        if (upto[at - 1] if at else 0) <= middle:
            high = middle
        else:
            low = middle + 1
    testable: Bools = (least <= SIGNIFICANT / low)[inverse]
    return testable


def _least_chances(counts: Ints, others: int, k: int) -> Floats:
    """Return the smallest p that a pattern in so many examples can have among k neighbors."""
    from scipy.special import gammaln

    def choices(n: npt.ArrayLike, m: npt.ArrayLike) -> Floats:
        n, m = np.asarray(n, float), np.asarray(m, float)
        return np.asarray(gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1))

    rare = counts <= k
    logs = np.where(
        rare,
        choices(others - np.minimum(counts, k), np.maximum(k - counts, 0)),
        choices(np.maximum(counts, k), k),
    ) - choices(others, k)
    logs[counts <= 0] = 0
    return np.exp(np.minimum(logs, 0))


def _chances(found: Ints, alike: Ints, others: int, k: int) -> Floats:
    """Return the chance of at least so many; each different pair of counts is worked out once."""
    pairs, inverse = np.unique(found * (others + 1) + alike, return_inverse=True)
    if not len(pairs):
        return np.zeros(0)
    once = at_least(pairs // (others + 1), others, pairs % (others + 1), k)
    return once[inverse]


def _alike(one: Bools, other: Bools) -> float:
    """Return in what share of the examples that have one of two patterns both are."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def _cells(rows: Ints, matches: Ints, width: int) -> Ints:
    """Return the tokens that matches cover, as rows × width + token."""
    lengths = matches[:, 2] - matches[:, 1]
    starts = rows * width + matches[:, 1]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    cells: Ints = np.repeat(starts, lengths) + within
    return cells
