"""Concepts as partitions: refused, merged, divided and compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from clusterwidget.core.concepts import Partition, partitions


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([None] * 30, "'odd' is missing for every example"),
        (list(range(30)), "'odd' is different for every example"),
        ([f"{i}" for i in range(1500)] * 2, "'odd' has 1,500 values, more than 1,000"),
    ],
)
def test_a_concept_that_groups_nothing_is_refused_by_name_and_left_out_of_all(
    column: list[Any], message: str
) -> None:
    table = pd.DataFrame({"odd": column, "even": [i % 2 for i in range(len(column))]})
    with pytest.raises(ValueError, match=message):
        partitions(table, ["odd"])
    found = partitions(table)
    assert [partition.name for partition in found.all] == ["even"]
    assert found.left_out == found.notes
    assert found.left_out[0].startswith("odd is left out: it")


def test_an_unknown_concept_is_answered_with_the_nearest() -> None:
    table = pd.DataFrame({"carry1": [0, 1, 0], "carry2": [0, 0, 1]})
    with pytest.raises(ValueError, match=r"no concept 'cary1'. Did you mean 'carry1'\?"):
        partitions(table, ["cary1"])


def test_what_was_done_to_concepts_is_said() -> None:
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 3, 200)
    found = partitions(
        pd.DataFrame({"d": digits, "same": digits * 7, "one": 1, "x": rng.standard_normal(200)})
    )
    assert [partition.name for partition in found.all] == ["d = same", "x"]
    assert [len(partition.groups) for partition in found.all] == [3, 10]
    assert found.notes == (
        "same divides these examples exactly as d does.",
        "one is dropped: it is 1 for every example.",
        "x is continuous: it is divided at its 10-quantiles.",
    )


def test_what_determines_a_concept_is_normalized_mutual_information() -> None:
    rng = np.random.default_rng(0)
    digit = rng.integers(0, 10, 3000)
    near = np.where(rng.random(3000) < 0.3, rng.integers(0, 4, 3000), digit % 4)
    found = partitions(pd.DataFrame({"digit": digit, "near": near, "half": digit // 5}))
    for row, one in enumerate(found.all):
        entropy = mutual_info_score(one.codes, one.codes)
        for column, other in enumerate(found.all):
            expected = mutual_info_score(one.codes, other.codes) / entropy
            assert found.determined[row, column] == pytest.approx(expected, abs=1e-9)
    assert found.named("half").determined_by(found.named("digit")) == pytest.approx(1)


def test_missing_values_are_left_out_of_what_determines_a_concept() -> None:
    one = Partition(("x",), np.array([0, 1, 0, 1, -1], np.int32), ("a", "b"))
    other = Partition(("y",), np.array([0, 1, 0, -1, 1], np.int32), ("c", "d"))
    assert one.determined_by(other) == pytest.approx(1)


def test_the_groups_within_another_concept_are_those_that_occur_together() -> None:
    fine = Partition(("f",), np.array([0, 1, 0, 1, -1, 0], np.int32), ("a", "b"))
    coarse = Partition(("c",), np.array([0, 0, 1, 0, 1, -1], np.int32), ("x", "y"))
    joint = fine.within(coarse)
    assert joint.name == "f within c"
    assert joint.codes.tolist() == [0, 1, 2, 1, -1, -1]
    assert len(joint.groups) == 3
    assert joint.sizes.tolist() == [1, 2, 1]


def test_some_of_the_examples_keep_their_groups() -> None:
    whole = Partition(("f",), np.array([0, 1, 2, 1], np.int32), ("a", "b", "c"))
    assert whole.of(np.array([3, 0])).codes.tolist() == [1, 0]
    assert np.shares_memory(whole.of(slice(2)).codes, whole.codes)
    assert whole.of(slice(2)).groups == ("a", "b", "c")


def test_of_many_examples_a_random_sample_is_compared_whatever_their_order() -> None:
    n = 120_000
    rng = np.random.default_rng(0)
    # Sorted: in the first 50,000, and on any stride, one value goes with one of the other's.
    first, unrelated = np.sort(rng.integers(0, 4, n)), rng.integers(0, 4, n)
    order = np.lexsort((unrelated, first))
    known = partitions(pd.DataFrame({"a": first[order], "b": unrelated[order]}))
    assert known.determined[0, 1] < 0.001
    assert known.determined[1, 0] < 0.001
    assert known.all[0].determined_by(known.all[1]) == pytest.approx(known.determined[0, 1])


TIMES = pd.date_range("2020-01-01", periods=60, freq="D")


@pytest.mark.parametrize(
    ("column", "first", "groups"),
    [
        (TIMES, "2020-01-01 to 2020-01-06 21:36:00", 10),
        (TIMES.tz_localize("UTC"), "2020-01-01 to 2020-01-06 21:36:00", 10),
        ([time.date() for time in TIMES], "2020-01-01 to 2020-01-06 21:36:00", 10),
        (TIMES.to_period("D"), "2020-01-01 to 2020-01-06 21:36:00", 10),
        (TIMES - TIMES[0], "0 days 00:00:00 to 5 days 21:36:00", 10),
        ([TIMES[0], TIMES[1], None] * 20, "2020-01-01", 2),
        ([-np.inf, *np.linspace(0, 0.5, 58), np.inf], "-inf", 12),
        (np.arange(60) + 0.0, "-0.001 to 5.9", 10),
        (pd.array([*np.linspace(0, 0.59, 59), None], "Float64"), "-0.001 to 0.059", 10),
        (pd.array([1, 2, None] * 20, "Int64"), "1", 2),
        (pd.array([True, False, None] * 20, "boolean"), "False", 2),
        ([True, False, None] * 20, "False", 2),
        (pd.Categorical(["b", "a", None] * 20, ["b", "a", "z"]), "b", 2),
        ([1, "b", TIMES[0].date(), None] * 15, "2020-01-01", 3),
    ],
)
def test_numbers_times_and_mixtures_group_examples(column: Any, first: str, groups: int) -> None:
    found = partitions(pd.DataFrame({"x": column}))
    assert found.left_out == ()
    assert len(found.all[0].groups) == groups
    assert found.all[0].groups[0] == first
    missing = np.asarray(pd.isna(pd.Series(column)))
    assert ((found.all[0].codes < 0) == missing).all()


def test_integers_of_many_values_are_divided_as_numbers_are() -> None:
    rng = np.random.default_rng(0)
    found = partitions(pd.DataFrame({"x": rng.integers(0, 5000, 6000)}))
    assert found.all[0].binned
    sizes = found.all[0].sizes
    assert sizes.min() > 500
