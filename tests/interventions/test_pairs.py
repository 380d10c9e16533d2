"""Receivers and donors: each condition is what it is called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clusterwidget import Examples, Explorer
from clusterwidget.core.concepts import Partition, partitions
from clusterwidget.interventions.pairs import draw_pairs
from clusterwidget.interventions.pairs import draw_receivers as draw
from clusterwidget.results.pairs import CONDITIONS, FAR, NEAR, NOBODY, Pairs

N = 300
ALL = np.arange(N)


def nothing() -> None:
    """Not called off."""


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    """Return 300 random vectors with a concept of many values, missing for some."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 9, N).astype(object)
    values[:10], values[10] = None, 99
    return Explorer(
        examples=Examples(ALL[:, None], concepts=pd.DataFrame({"c": values})),
        activations={"L0.resid_post@0": rng.standard_normal((N, 12)).astype(np.float32)},
    )


@pytest.fixture(scope="module")
def concept(explorer: Explorer) -> Partition:
    return partitions(explorer.examples.concepts, ["c"]).all[0]


@pytest.fixture(scope="module")
def pairs(explorer: Explorer, concept: Partition) -> Pairs:
    return draw_pairs(explorer.matrix("L0.resid_post@0"), ALL, concept, 5, nothing)


def test_near_donors_are_the_neighbors_of_the_receiver(explorer: Explorer, pairs: Pairs) -> None:
    for receiver in ALL.tolist():
        near = explorer.neighbors("L0.resid_post@0", receiver, NEAR)["example"].tolist()
        assert pairs.donors["nearest"][receiver] == near[0]
        assert pairs.donors["near"][receiver] in near
    assert 0.02 < (pairs.donors["near"] == pairs.donors["nearest"]).mean() < 0.1


def test_donors_of_the_concept_share_its_value_and_far_ones_are_far(
    explorer: Explorer, concept: Partition, pairs: Pairs
) -> None:
    for receiver in ALL[11:].tolist():
        same = np.flatnonzero(concept.codes == concept.codes[receiver])
        same = same[same != receiver]
        distances = explorer.distances("L0.resid_post@0", receiver)
        assert pairs.donors["concept"][receiver] in same
        far = same[np.argsort(distances[same])][-max(1, round(FAR * len(same))) :]
        assert pairs.donors["far"][receiver] in far


def test_who_has_no_value_or_one_that_nobody_shares_has_no_donor(pairs: Pairs) -> None:
    for name in ("concept", "far"):
        assert (pairs.donors[name][:11] == NOBODY).all()
        assert (pairs.donors[name][11:] != NOBODY).all()
    assert (pairs.donors["random"] != NOBODY).all()


def test_nobody_gives_to_itself(pairs: Pairs) -> None:
    assert set(pairs.donors) == set(CONDITIONS) - {"mean"}
    for donors in pairs.donors.values():
        assert (donors != ALL).all()


def test_any_example_is_any_other_one_with_equal_chance(explorer: Explorer) -> None:
    matrix = explorer.matrix("L0.resid_post@0")[:4]
    drawn = np.array(
        [draw_pairs(matrix, np.arange(4), None, s, nothing).donors["random"] for s in range(600)]
    )
    for receiver in range(4):
        counts = np.bincount(drawn[:, receiver], minlength=4)
        assert counts[receiver] == 0
        np.testing.assert_allclose(np.delete(counts, receiver), 200, atol=50)


def test_without_a_concept_its_conditions_are_left_out(explorer: Explorer) -> None:
    found = draw_pairs(explorer.matrix("L0.resid_post@0"), ALL[:3], None, 0, nothing)
    assert list(found.donors) == ["nearest", "near", "random"]


def test_the_same_seed_gives_the_same_pairs_whoever_else_receives(
    explorer: Explorer, concept: Partition, pairs: Pairs
) -> None:
    matrix = explorer.matrix("L0.resid_post@0")
    some = draw_pairs(matrix, ALL[40:60], concept, 5, nothing)
    other = draw_pairs(matrix, ALL, concept, 6, nothing)
    for name, donors in pairs.donors.items():
        np.testing.assert_array_equal(some.donors[name], donors[40:60])
        assert (other.donors[name] != donors).any() == (name != "nearest")


def test_receivers_are_all_different() -> None:
    assert sorted(draw(N, 1000, 0)) == ALL.tolist()
    drawn = draw(N, 100, 0)
    assert len(set(drawn.tolist())) == 100
    assert set(draw(N, N, 1).tolist()) == set(ALL.tolist())
    np.testing.assert_array_equal(draw(N, 100, 0), drawn)
    assert (draw(N, 100, 1) != drawn).any()


def test_drawing_can_be_called_off(explorer: Explorer) -> None:
    calls = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_pairs(explorer.matrix("L0.resid_post@0"), ALL, None, 0, stop)
    assert len(calls) == 3
