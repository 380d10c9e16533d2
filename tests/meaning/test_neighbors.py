"""What neighbors share, against counts and a case worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

import clusterwidget as cw
from clusterwidget.core.concepts import partitions
from clusterwidget.meaning.neighbors import (
    neighbor_table,
    shared_by,
    shared_concepts,
    wide_look,
)


@pytest.fixture(scope="module")
def explorer() -> cw.Explorer:
    return cw.Explorer(cw.addition.load_model(), cw.addition.problems(3000, seed=0))


def found_for(
    explorer: cw.Explorer, concept: str, stage: str, example: int, k: int
) -> dict[str, Any]:
    """Return the row of one concept."""
    rows: list[dict[Any, Any]] = explorer.shared(stage, example, k).to_dict("records")
    return next(row for row in rows if row["concept"] == concept)


def test_shares_of_neighbors_are_counts_and_chances(explorer: cw.Explorer) -> None:
    stage, example, k = "L0H2.result@=", 7, 50
    row = found_for(explorer, "L2+R2", stage, example, k)
    values = explorer.examples.concepts["L2+R2"].to_numpy()
    near = explorer.neighbors(stage, example, k)["example"].to_numpy()
    same = values == values[example]
    assert row["value"] == str(values[example])
    assert row["share"] == same[near].mean()
    assert row["base"] == (same.sum() - 1) / 2999
    assert row["lift"] == pytest.approx(row["share"] / row["base"])
    wide = explorer.neighbors(stage, example, 120)["example"].to_numpy()
    assert row["wide_share"] == same[wide].mean()
    chance = hypergeom.sf(same[near].sum() - 1, 2999, same.sum() - 1, k)
    assert chance <= row["p"] <= chance * 40


def test_what_a_stage_does_not_hold_is_not_shared(explorer: cw.Explorer) -> None:
    row = found_for(explorer, "L0", "L0H2.result@=", 7, 100)
    assert abs(row["agreement"]) < 0.1
    assert row["p"] > 0.001


def test_the_strongest_comes_first_and_nested_ones_follow(explorer: cw.Explorer) -> None:
    found = explorer.shared("L1H0.result@S3", 7, 100)
    heads = found[found["under"].isna()]
    assert heads["wide_agreement"].is_monotonic_decreasing
    strongest = heads.loc[heads["wide_agreement"] > 0.95, "concept"].tolist()
    assert "carry2" in strongest
    assert found_for(explorer, "L1+R1", "L1H0.result@S3", 7, 100)["under"] in strongest


@pytest.mark.parametrize(("n", "expected"), [(2, 1), (10, 1), (100, 4), (3000, 120)])
def test_the_wide_look_takes_in_four_percent_and_at_least_one(n: int, expected: int) -> None:
    assert wide_look(n) == expected


def test_neighbors_are_listed_in_the_given_order() -> None:
    table = neighbor_table(["a", "b", "c"], np.array([2, 0]), np.array([0.5, 0, 2], np.float32))
    assert table.to_dict("list") == {
        "example": [2, 0],
        "label": ["c", "a"],
        "distance": [2.0, 0.5],
    }


def test_a_case_worked_by_hand() -> None:
    known = partitions(
        pd.DataFrame(
            {
                "fine": [0, 0, 1, 1, 1, 2, 2, 2, 3, 3],
                "coarse": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
                "missing": [None, *"abababab", "a"],
            }
        )
    )
    found = shared_concepts(known, 0, np.array([1, 2, 3]), np.array([1, 2, 3, 4, 5, 6]))
    assert found["concept"].tolist() == ["coarse", "fine"]
    assert found["value"].tolist() == ["0", "0"]
    assert found["under"].tolist() == [None, "coarse"]
    expected = {
        "share": [1, 1 / 3],
        "base": [4 / 9, 1 / 9],
        "lift": [9 / 4, 3],
        "agreement": [1, 1 / 4],
        # 4 of 84 draws of three are all coarse, 28 of 84 hold the one fine; times 2 for the first.
        "p": [2 / 21, 1 / 3],
        "wide_share": [2 / 3, 1 / 6],
        "wide_agreement": [2 / 5, 1 / 16],
    }
    for column, values in expected.items():
        np.testing.assert_allclose(found[column], values, err_msg=column)


def test_what_a_set_shares_worked_by_hand() -> None:
    known = partitions(
        pd.DataFrame(
            {
                "fine": [0, 0, 1, 1, 1, 2, 2, 2, 3, 3],
                "coarse": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
            }
        )
    )
    found = shared_by(known, np.array([0, 1, 2, 9]))
    assert found["concept"].tolist() == ["coarse", "fine"]
    assert found["value"].tolist() == ["0", "0"]
    assert found["under"].tolist() == [None, "coarse"]
    expected = {
        # Three of the coarse value's five examples are among the four, both of the fine one's.
        "share": [3 / 4, 1 / 2],
        "base": [2 / 6, 0],
        "agreement": [(3 / 4 - 1 / 3) / (2 / 3), 1 / 2],
        # Of 210 draws of four, 28 hold both; times four values. (55 hold at least three, times two
        # values, times two concepts, which is more.)
        "p": [4 * 28 / 210, 4 * 28 / 210],
    }
    for column, values in expected.items():
        np.testing.assert_allclose(found[column], values, err_msg=column)
