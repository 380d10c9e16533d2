"""Clusters of a stage: groups of near examples, and the concepts enriched in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.concepts import Partition
from clusterwidget.meaning.chance import at_least, corrected

Float32Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]

METHODS = ("kmeans", "hdbscan")
COLUMNS = ("cluster", "size", "concept", "value", "share", "base", "p")
"""Of the table."""
_BIG = 50_000
_SAMPLE = 2_000
_CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
_ALPHA = 0.01
_HALF = 0.5


@dataclass(frozen=True)
class Clusters:
    """A clustering of the examples at a stage.

    Attributes
    ----------
    labels : numpy.ndarray, shape (N,), int32
        Each example's cluster, the largest first; -1 for those in none (HDBSCAN).
    table : pandas.DataFrame
        One row for each concept enriched in a cluster, strongest first; a cluster without any
        has one row whose concept is empty. Columns: ``cluster``, ``size``, ``concept``, ``value``,
        ``share`` of the cluster, ``base`` share of all examples, ``p`` (hypergeometric, false
        discovery rate over clusters, concepts and values).
    information : pandas.Series
        Adjusted mutual information of the clusters with each concept, largest first.
    names : tuple of str
        Each cluster's size and the concepts that most of it has.

    See Also
    --------
    Explorer.clusters

    Examples
    --------
    >>> clusters = ex.clusters("L1H0.result@S3", 2)
    >>> clusters.information.idxmax()
    'carry2'
    >>> int(clusters.labels.max())
    1
    """

    labels: Labels
    table: pd.DataFrame
    information: pd.Series
    names: tuple[str, ...]


def find_clusters(
    matrix: Float32Array,
    partitions: Sequence[Partition],
    n: int | None = None,
    *,
    method: str = "kmeans",
    seed: int = 0,
) -> Clusters:
    """Cluster the rows of a stage matrix with scikit-learn, and name the clusters by concepts.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (N, d)
    partitions : sequence of Partition
    n : int, optional
        Number of clusters, from 2 to N. By default the one, up to 20, with the largest silhouette
        on a sample of 2,000. HDBSCAN finds its own number.
    method : str
        ``"kmeans"`` (in mini-batches above 50,000 examples) or ``"hdbscan"``.
    seed : int
    """
    from sklearn.metrics import adjusted_mutual_info_score

    labels = _largest_first(_labels(_checked(matrix, n, method), n, method, seed))
    table = _table(labels, partitions)
    information = pd.Series(
        {
            partition.name: adjusted_mutual_info_score(
                partition.codes[partition.codes >= 0], labels[partition.codes >= 0]
            )
            for partition in partitions
        },
        dtype=float,
        name="information",
    ).sort_values(ascending=False)
    return Clusters(labels, table, information, _names(table))


def _checked(matrix: Float32Array, n: int | None, method: str) -> Float32Array:
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; there are {', '.join(METHODS)}.")
    if n is not None and method == "hdbscan":
        raise ValueError("HDBSCAN finds its own number of clusters: leave n out.")
    if n is not None and not 2 <= n <= len(matrix):
        raise ValueError(f"n = {n} clusters of {len(matrix):,} examples: ask for 2 to as many.")
    if np.ptp(matrix, axis=0).max() == 0:
        raise ValueError("all examples are the same at this stage: there is nothing to cluster.")
    return matrix


def _labels(matrix: Float32Array, n: int | None, method: str, seed: int) -> Labels:
    from sklearn.cluster import HDBSCAN, KMeans, MiniBatchKMeans
    from sklearn.metrics import silhouette_score

    if method == "hdbscan":
        found = HDBSCAN(min_cluster_size=max(5, len(matrix) // 200), copy=True).fit_predict(matrix)
        return np.asarray(found, np.int32)

    def fit(rows: Float32Array, count: int) -> Labels:
        kind = KMeans if len(rows) <= _BIG else MiniBatchKMeans
        model = kind(n_clusters=count, n_init=3, random_state=seed)
        return np.asarray(model.fit_predict(rows), np.int32)

    if n is None:
        rng = np.random.default_rng(seed)
        sample = matrix[rng.permutation(len(matrix))[:_SAMPLE]]
        distinct = len(np.unique(sample, axis=0))
        scores = {
            count: silhouette_score(sample, fit(sample, count))
            for count in _CANDIDATES
            if count < min(len(sample), distinct)
        }
        n = max(scores, key=lambda count: scores[count]) if scores else min(2, distinct)
    return fit(matrix, n)


def _largest_first(labels: Labels) -> Labels:
    present, counts = np.unique(labels[labels >= 0], return_counts=True)
    order = present[np.argsort(-counts, kind="stable")]
    renamed = np.full(len(labels), -1, np.int32)
    for rank, old in enumerate(order):
        renamed[labels == old] = rank
    return renamed


def _table(labels: Labels, partitions: Sequence[Partition]) -> pd.DataFrame:
    sizes = np.bincount(labels[labels >= 0])
    rows = []
    for partition in partitions:
        known = (partition.codes >= 0) & (labels >= 0)
        counts = np.zeros((len(sizes), len(partition.groups)), int)
        np.add.at(counts, (labels[known], partition.codes[known]), 1)
        inside, everywhere = counts.sum(axis=1), counts.sum(axis=0)
        p = at_least(counts, known.sum(), everywhere[None], inside[:, None])
        for cluster, code in np.argwhere(counts > 0).tolist():
            share, base = counts[cluster, code] / inside[cluster], everywhere[code] / known.sum()
            rows.append(
                (cluster, sizes[cluster], partition.name, partition.groups[code], share, base,
                 p[cluster, code])
            )  # fmt: skip
    columns = list(COLUMNS)
    table = pd.DataFrame(rows, columns=columns)
    if len(table):
        table["p"] = corrected(table["p"].clip(0, 1))
    enriched = table[(table["p"] <= _ALPHA) & (table["share"] > table["base"])]
    enriched = enriched.assign(
        beyond=(enriched["share"] - enriched["base"]) / (1 - enriched["base"])
    )
    enriched = enriched.sort_values(["cluster", "beyond"], ascending=[True, False])
    bare = [
        (cluster, int(sizes[cluster]), "", "", np.nan, np.nan, np.nan)
        for cluster in range(len(sizes))
        if cluster not in set(enriched["cluster"])
    ]
    # Rows are joined before they become a table: pandas below 3 warns of an empty one in `concat`.
    listed = [*enriched[columns].itertuples(index=False, name=None), *bare]
    return pd.DataFrame(sorted(listed, key=itemgetter(0)), columns=columns)


def _names(table: pd.DataFrame) -> tuple[str, ...]:
    names = []
    for _, rows in table.groupby("cluster", sort=True):
        strong = rows[rows["share"] > _HALF].head(2)
        said = ", ".join(
            f"{concept} = {value}"
            for concept, value in zip(strong["concept"], strong["value"], strict=True)
        )
        names.append(f"{int(rows['size'].iloc[0]):,}: {said or 'no concept in common'}")
    return tuple(names)
