"""Parts: how they are told, and how they are kept."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.core.stages import Stage
from clusterwidget.meaning.parts import KnownParts, Part, Parts, PartsSettings
from tests.meaning.planted import N, planted

STAGE = "L1.resid_post@S3"
PROBLEMS = cw.addition.problems(N, seed=3)


@pytest.fixture
def ex() -> cw.Explorer:
    matrix = planted(*(PROBLEMS.concepts[name].to_numpy() for name in ("L2", "R1")))
    return cw.Explorer(examples=PROBLEMS, activations={STAGE: matrix})


def test_parts_are_told_as_a_table_and_in_a_line() -> None:
    parts = Parts(
        (Part(("L2",), 0.5, 0.5, 0.4, 0.0), Part(("L2", "R2"), 0.6, 0.1, 0.1, 0.0)), 0.4, 1
    )
    assert str(parts) == "L2 50%, L2 × R2 10%, unexplained 40%"
    assert parts.concepts == ("L2",)
    table = parts.table().set_index("part")
    assert table.loc["L2 × R2", "adds"] == 0.1
    assert table.loc["unexplained", "adds"] == 0.4
    assert str(Parts((), math.nan, 0.0)) == "all examples are the same here"


def test_two_parts_are_found_and_nothing_else(ex: cw.Explorer) -> None:
    parts = ex.parts(STAGE)
    assert set(parts.concepts) == {"L2", "R1"}
    assert ex.parts(STAGE) is parts
    assert ex.parts(STAGE, seed=1) is not parts
    assert ex.parts(STAGE, concepts=["L2", "L3"]).concepts == ("L2",)


def test_where_all_examples_are_the_same_there_are_no_parts() -> None:
    same = cw.Explorer(examples=PROBLEMS, activations={STAGE: np.full((N, 4), 3.0)})
    assert math.isnan(same.parts(STAGE).unexplained)
    assert same.parts(STAGE).all == ()


def test_parts_are_saved_with_the_exploration(ex: cw.Explorer, tmp_path: Path) -> None:
    made = ex.parts(STAGE)
    ex.save(tmp_path / "a.zarr")
    again = cw.open(tmp_path / "a.zarr")
    assert again.parts(STAGE) == made
    assert again._known_parts.records() == ex._known_parts.records()


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "nowhere"},
        {"spread": "wide"},
        {"spread": -1.0},
        {"unexplained": "much"},
        {"parts": [{"names": ["a"]}]},
        {"parts": [{"names": [3], "alone": 1.0, "adds": 1.0, "only": 1.0, "p": 0.0}]},
        {"settings": {"concepts": [], "seed": -1, "n": 9}},
    ],
)
def test_saved_parts_that_make_no_sense_are_named(change: dict[str, object]) -> None:
    known = KnownParts()
    settings = PartsSettings((), 0, N)
    known.put(Stage.parse(STAGE), settings, Parts((Part(("L2",), 1, 1, 1, 0),), 0.1, 2.0))
    ((key, record),) = known.records().items()
    fresh = KnownParts()
    fresh.restore(json.loads(json.dumps({key: record})))
    assert fresh.records() == known.records()
    with pytest.raises(ValueError, match=r"saved parts .* are damaged"):
        KnownParts().restore({key: {**record, **change}})


def test_the_rest_offers_its_directions_and_they_make_concepts(ex: cw.Explorer) -> None:
    whole = ex.components(STAGE)
    from sklearn.decomposition import PCA

    matrix = ex.matrix(STAGE)
    expected = PCA(5).fit(matrix)
    np.testing.assert_allclose(whole.shares, expected.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(
        np.abs(whole.values[:50]), np.abs(expected.transform(matrix)[:50]), atol=1e-2
    )
    left = ex.components(STAGE, without="L2")
    assert left.shares[0] > 0.05
    low, high = left.ends(0)
    assert left.values[low, 0].max() < left.values[high, 0].min()
    ranges = left.ranges(0)
    assert len(set(ranges)) == 10
    order = np.argsort(left.values[:, 0])
    assert sorted(ranges) == [ranges[row] for row in order]
    ex.add_concept("component", ranges)
    assert "component" in ex.atlas(STAGE).columns
    with pytest.raises(ValueError, match=f"'x' needs {N:,} values"):
        ex.add_concept("x", [1, 2])
    with pytest.raises(ValueError, match="different for every example"):
        ex.add_concept("x", np.arange(N))
    assert "x" not in ex.examples.concepts
