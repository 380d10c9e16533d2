"""Clusters that were planted are found, named and stable."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_mutual_info_score

import clusterwidget as cw
from clusterwidget.core.concepts import partitions
from clusterwidget.meaning.clusters import find_clusters

RNG = np.random.default_rng(0)
COLOR = RNG.choice(np.array(["red", "green", "blue"]), 600, p=[0.5, 0.3, 0.2])
KNOWN = partitions(pd.DataFrame({"color": COLOR, "noise": RNG.integers(0, 4, 600)})).all
CENTERS = {"red": [0.0, 0.0, 9.0], "green": [9.0, 0.0, 0.0], "blue": [0.0, 9.0, 0.0]}
MATRIX = (np.array([CENTERS[c] for c in COLOR]) + RNG.standard_normal((600, 3))).astype(np.float32)


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_planted_clusters_are_found_and_named(method: str) -> None:
    found = find_clusters(MATRIX, KNOWN, method=method)
    assert len(found.names) == 3
    assert [name.split(": ")[1] for name in found.names] == [
        "color = red",
        "color = green",
        "color = blue",
    ]
    inside = found.labels >= 0
    assert adjusted_mutual_info_score(COLOR[inside], found.labels[inside]) > 0.99


def test_clusters_are_numbered_from_the_largest() -> None:
    sizes = np.bincount(find_clusters(MATRIX, KNOWN, 5).labels)
    assert len(sizes) == 5
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)


def test_the_seed_decides_the_clusters() -> None:
    first, again = (find_clusters(MATRIX, KNOWN, 7, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)


def test_information_is_told_for_every_concept() -> None:
    information = find_clusters(MATRIX, KNOWN, 3).information
    assert list(information.index) == ["color", "noise"]
    assert information["color"] > 0.99
    assert abs(information["noise"]) < 0.05


def test_enrichment_is_counted() -> None:
    found = find_clusters(MATRIX, KNOWN, 3)
    first = found.table.iloc[0]
    assert (first["concept"], first["value"]) == ("color", "red")
    assert first["share"] == (COLOR[found.labels == 0] == "red").mean()
    assert first["base"] == (COLOR == "red").mean()


def test_clusters_of_what_nobody_named_say_so() -> None:
    noise = partitions(pd.DataFrame({"noise": RNG.integers(0, 4, 600)})).all
    found = find_clusters(MATRIX, noise, 3)
    assert all(name.endswith("no concept in common") for name in found.names)


@pytest.mark.parametrize("concepts", [["color"], ["noise"], ["color", "noise"], []])
def test_the_table_has_every_cluster_and_no_warning_is_given(concepts: list[str]) -> None:
    chosen = [partition for partition in KNOWN if partition.name in concepts]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = find_clusters(MATRIX, chosen, 5).table
    assert sorted(set(table["cluster"])) == [0, 1, 2, 3, 4]
    assert table["cluster"].is_monotonic_increasing
    assert all(table[name].dtype == float for name in ("share", "base", "p"))
    assert table["concept"].ne("").any() == ("color" in concepts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1}, "n = 1 clusters of 600"),
        ({"n": 601}, "n = 601 clusters of 600"),
        ({"method": "dbscan"}, "no method 'dbscan'"),
        ({"method": "hdbscan", "n": 3}, "finds its own number"),
    ],
)
def test_what_cannot_be_clustered_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_clusters(MATRIX, KNOWN, **arguments)  # type: ignore[arg-type]


def test_a_stage_where_all_are_the_same_has_no_clusters() -> None:
    with pytest.raises(ValueError, match="all examples are the same"):
        find_clusters(np.ones((600, 3), np.float32), KNOWN)


def test_the_adder_has_two_clusters_where_it_holds_a_carry() -> None:
    explorer = cw.Explorer(cw.addition.load_model(), cw.addition.problems(1500, seed=0))
    found = explorer.clusters("L1H0.result@S3")
    assert found.information.index[0] == "carry2"
    assert found.information.iloc[0] > 0.95


def test_many_examples_are_clustered_in_mini_batches() -> None:
    groups = np.arange(60_000) % 3
    rows = 9 * np.eye(3, dtype=np.float32)[groups] + RNG.standard_normal((60_000, 3))
    known = partitions(pd.DataFrame({"group": groups})).all
    found = find_clusters(rows.astype(np.float32), known)
    assert found.information["group"] > 0.99
