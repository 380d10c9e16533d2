"""What neighbors share: the concepts on which they agree more often than chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.chance import at_least, corrected
from clusterwidget.meaning.meaning import NESTED

Ints = npt.NDArray[np.int64]

WIDE = 0.04
"""Fraction of all examples in the wide look.

With few neighbors, a concept and every coarser one agree alike; only with many do they differ.
"""

NEARLY_AS_STRONG = 0.8
"""Agreement of a coarser concept, relative to a finer one, at which it replaces the finer one."""

SIGNIFICANT = 0.05
"""Corrected chance up to which a shared concept is listed beside the grid."""


def default_k(n: int) -> int:
    """Return how many neighbors are looked at by default: 100, a tenth of fewer than 1,000."""
    return max(1, min(100, n // 10, n - 1))


def neighbor_table(
    labels: Sequence[str], indices: Ints, distances: npt.NDArray[np.float32]
) -> pd.DataFrame:
    """Return a table of examples in the given order, with their labels and distances.

    Parameters
    ----------
    labels : sequence of str, length N
    indices : numpy.ndarray of int, shape (k,)
    distances : numpy.ndarray, shape (N,)

    Returns
    -------
    pandas.DataFrame
        Columns ``example``, ``label``, ``distance``.
    """
    return pd.DataFrame(
        {
            "example": indices,
            "label": [labels[index] for index in indices],
            "distance": distances[indices],
        }
    )


def wide_look(n: int) -> int:
    """Return the number of neighbors in the wide look: 4 % of n examples, at least one."""
    return max(1, min(n - 1, round(WIDE * n)))


def shared_concepts(partitions: Partitions, selected: int, near: Ints, wide: Ints) -> pd.DataFrame:
    """Return which concepts the neighbors of an example share with it, one row a concept.

    Parameters
    ----------
    partitions : Partitions
    selected : int
    near : numpy.ndarray of int, shape (k,)
        The k neighbors.
    wide : numpy.ndarray of int
        The nearest 4 % of all examples.

    Returns
    -------
    pandas.DataFrame
        Strongest at the wide look first; a concept follows the coarser one that it determines
        where that agrees nearly as strongly. Columns: ``concept``; ``value`` of the selected
        example; ``share`` of the neighbors with that value; ``base``, its share among all other
        examples; ``lift``, their ratio; ``agreement``, the share corrected for chance,
        ``(share - base) / (1 - base)``; ``p``, the hypergeometric chance of at least as many,
        corrected over concepts (Benjamini and Hochberg 1995); ``wide_share`` and
        ``wide_agreement``, the same for the wide look; ``under``, the coarser concept that this
        one follows, or None.
    """
    known = [i for i, part in enumerate(partitions.all) if part.codes[selected] >= 0]
    rows = [_row(partitions.all[index], selected, near, wide) for index in known]
    return _table(partitions, known, pd.DataFrame(rows, columns=_COLUMNS))


def shared_by(partitions: Partitions, chosen: Ints) -> pd.DataFrame:
    """Return what some examples share, one row a concept: the value that sets them apart most.

    Parameters
    ----------
    partitions : Partitions
    chosen : numpy.ndarray of int, shape (examples,)
        Not all of them, and each once.

    Returns
    -------
    pandas.DataFrame
        As `shared_concepts` returns it. ``value`` is that of which the chosen examples have most
        beyond the ``base``, its share among those that are not chosen; ``p`` is corrected for the
        number of values as well (Bonferroni). There is no wide look: its columns repeat the others.
    """
    known, rows = [], []
    for index, partition in enumerate(partitions.all):
        row = _row_of_set(partition, chosen)
        if row is not None:
            known.append(index)
            rows.append(row)
    return _table(partitions, known, pd.DataFrame(rows, columns=_COLUMNS))


def _table(partitions: Partitions, known: list[int], table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of these concepts in order, with p corrected over them."""
    if len(table):
        table["p"] = corrected(table["p"])
    table["under"] = None
    groups = [len(partitions.all[index].groups) for index in known]
    determined = partitions.determined[np.ix_(known, known)] if known else np.zeros((0, 0))
    order, under = _folded(groups, determined, table["wide_agreement"].to_numpy())
    names = table["concept"].tolist()
    table.loc[list(under), "under"] = [names[head] for head in under.values()]
    return table.loc[order].reset_index(drop=True)


_COLUMNS = [
    "concept",
    "value",
    "share",
    "base",
    "lift",
    "agreement",
    "p",
    "wide_share",
    "wide_agreement",
]


def _row(partition: Partition, selected: int, near: Ints, wide: Ints) -> list[object]:
    code = partition.codes[selected]
    others = len(partition.codes) - 1
    alike = int(partition.sizes[code]) - 1
    base = alike / others
    hits = int((partition.codes[near] == code).sum())
    share, wide_share = hits / len(near), float((partition.codes[wide] == code).mean())

    def agreement(found: float) -> float:
        return (found - base) / (1 - base) if base < 1 else 0.0

    return [
        partition.name,
        partition.groups[code],
        share,
        base,
        share / base if base else np.inf if share else np.nan,
        agreement(share),
        float(at_least(hits, others, alike, len(near))),
        wide_share,
        agreement(wide_share),
    ]


def _row_of_set(partition: Partition, chosen: Ints) -> list[object] | None:
    n, values = len(partition.codes), len(partition.groups)
    codes = partition.codes[chosen]
    hits = np.bincount(codes[codes >= 0], minlength=values)
    if not hits.any():
        return None
    shares = hits / len(chosen)
    bases = (partition.sizes - hits) / (n - len(chosen))
    beyond = (shares - bases) / np.where(bases < 1, 1 - bases, np.inf)
    code = int(beyond.argmax())
    share, base, agreement = float(shares[code]), float(bases[code]), float(beyond[code])
    chance = float(at_least(int(hits[code]), n, int(partition.sizes[code]), len(chosen)))
    lift = share / base if base else np.inf
    p = min(1.0, chance * values)
    return [
        *(partition.name, partition.groups[code], share, base, lift),
        *(agreement, p, share, agreement),
    ]


def _folded(
    groups: Sequence[int], determined: npt.NDArray[np.float64], strength: npt.NDArray[np.float64]
) -> tuple[list[int], dict[int, int]]:
    """Return the order of the rows, and for each one that follows a coarser one, which.

    Parameters
    ----------
    groups : sequence of int
        Number of groups of each concept.
    determined : numpy.ndarray, shape (concepts, concepts)
        See `Partitions.determined`.
    strength : numpy.ndarray, shape (concepts,)
    """
    under: dict[int, int] = {}
    heads: list[int] = []
    coarsest_first = sorted(range(len(groups)), key=lambda index: (groups[index], -strength[index]))
    for index in coarsest_first:
        nested = [
            head
            for head in heads
            if strength[head] >= NEARLY_AS_STRONG * strength[index]
            and determined[head, index] >= NESTED
        ]
        if nested:
            under[index] = max(nested, key=lambda head: strength[head])
        else:
            heads.append(index)
    order: list[int] = []
    for head in sorted(heads, key=lambda index: -strength[index]):
        folded = [index for index, above in under.items() if above == head]
        order += [head, *sorted(folded, key=lambda index: -strength[index])]
    return order, under
