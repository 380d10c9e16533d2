"""Explorers by another metric than L2: every answer is that of plain L2 between mapped vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget.core.metrics import METRICS, transform_of

MAPPED = METRICS[1:]
STAGE = "L0.resid_post@a"


def given(n: int = 200, seed: int = 0) -> tuple[cw.Examples, Any]:
    """Return examples of two concepts, one in a huge coordinate and one in all the others."""
    rng = np.random.default_rng(seed)
    loud, quiet = rng.integers(0, 2, n), rng.integers(0, 3, n)
    vectors = rng.normal(size=(n, 30)) + 3 * np.eye(30)[quiet + 4]
    vectors[:, 0] = 200 * loud + rng.normal(size=n)
    concepts = pd.DataFrame({"loud": loud, "quiet": quiet})
    examples = cw.Examples(rng.integers(0, 9, (n, 1)), positions=["a"], concepts=concepts)
    return examples, vectors.astype(np.float32)


@pytest.fixture(scope="module")
def ex() -> cw.Explorer:
    examples, vectors = given()
    return cw.Explorer(examples=examples, activations={STAGE: vectors})


@pytest.fixture(scope="module")
def mapped() -> dict[str, cw.Explorer]:
    """Return explorers that were given the mapped vectors."""
    examples, vectors = given()
    return {
        metric: cw.Explorer(
            examples=examples,
            activations={STAGE: transform_of(metric, vectors).apply(vectors)},
        )
        for metric in MAPPED
    }


@pytest.mark.parametrize("without", [(), "loud"])
@pytest.mark.parametrize("metric", MAPPED)
def test_every_answer_is_that_of_mapped_vectors(
    ex: cw.Explorer, mapped: dict[str, cw.Explorer], metric: str, without: Any
) -> None:
    other, how = mapped[metric], {"metric": metric, "without": without}
    plain = {"without": without}
    assert np.array_equal(ex.matrix(STAGE, **how), other.matrix(STAGE, **plain))
    assert np.array_equal(ex.distances(STAGE, 3, **how), other.distances(STAGE, 3, **plain))
    for ask in ("neighbors", "shared"):
        found = getattr(ex, ask)(STAGE, 3, **how)
        pd.testing.assert_frame_equal(found, getattr(other, ask)(STAGE, 3, **plain))
    shares, expected = ex.atlas(STAGE, **how), other.atlas(STAGE, **plain)
    pd.testing.assert_frame_equal(shares, expected, atol=1e-6)
    assert ex.meaning(STAGE, **how).concept == other.meaning(STAGE, **plain).concept
    clusters = ex.clusters(STAGE, 3, **how).labels
    assert np.array_equal(clusters, other.clusters(STAGE, 3, **plain).labels)
    ends = ex.components(STAGE, **how).ends(0)
    assert ends == other.components(STAGE, **plain).ends(0)


@pytest.mark.parametrize("metric", MAPPED)
def test_parts_and_significance_are_those_of_mapped_vectors(
    ex: cw.Explorer, mapped: dict[str, cw.Explorer], metric: str
) -> None:
    other = mapped[metric]
    assert str(ex.parts(STAGE, metric=metric)) == str(other.parts(STAGE))
    p = ex.significance(STAGE, metric=metric, permutations=19)
    pd.testing.assert_frame_equal(p, other.significance(STAGE, permutations=19))


def test_what_is_kept_of_one_metric_is_not_told_of_another(ex: cw.Explorer) -> None:
    assert ex.meaning(STAGE).concept == "loud"
    assert ex.meaning(STAGE, metric="standardized").concept == "quiet"
    assert str(ex.parts(STAGE)) != str(ex.parts(STAGE, metric="standardized"))
    shares = [ex.atlas(STAGE, metric=metric)["quiet"].item() for metric in METRICS]
    assert len(set(shares)) == 4
    assert shares[2] > 0.05 > 0.01 > shares[0]


def test_one_coordinate_carries_the_distance(ex: cw.Explorer) -> None:
    table = ex.coordinate_shares(STAGE)
    assert table["coordinate"].iloc[0] == 0
    assert table["share"].iloc[0] > 0.9
    variances = ex.matrix(STAGE).astype(float).var(axis=0)
    assert table["deviation"].iloc[0] == pytest.approx(np.sqrt(variances[0]))


@pytest.mark.parametrize("metric", MAPPED)
def test_a_stage_that_is_the_same_for_all_but_for_rounding_is_named_by_nothing(metric: str) -> None:
    examples, vectors = given()
    same = np.float32(1) + np.float32(6e-8) * (vectors > vectors.mean())
    ex = cw.Explorer(examples=examples, activations={STAGE: same.astype(np.float32)})
    assert ex.atlas(STAGE, metric=metric).isna().all(axis=None)
    assert ex.meaning(STAGE, metric=metric).concept is None
    assert ex.parts(STAGE, metric=metric).all == ()


@pytest.mark.parametrize("metric", MAPPED)
def test_an_example_that_is_typed_moves_nothing(metric: str) -> None:
    model = cw.addition.load_model("cpu")
    ex = cw.Explorer(model, cw.addition.problems(60, seed=0))
    for stage in ("L1.resid_post@S3", "L1H0.result@S3"):
        fresh = cw.Explorer(model, ex.examples)
        before = fresh.distances(stage, 7, metric=metric)
        visitor = fresh.extended(fresh.parsed("17+25"))
        fresh.add("1234+5678")
        for other in (fresh, visitor):
            after = other.distances(stage, 7, metric=metric)
            assert len(after) == 61
            assert np.array_equal(after[:60], before)
            assert np.isfinite(after).all()


def test_heads_are_standardized_in_the_models_own_coordinates() -> None:
    ex = cw.Explorer(cw.addition.load_model("cpu"), cw.addition.problems(300, seed=0))
    vectors = ex.vectors("L1H0.result@S3").astype(float)
    standardized = vectors / vectors.std(axis=0)
    expected = np.linalg.norm(standardized - standardized[5], axis=1)
    found = ex.distances("L1H0.result@S3", 5, metric="standardized")
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert len(ex.coordinate_shares("L1H0.result@S3")) == vectors.shape[1]


def test_a_saved_exploration_answers_the_same_and_keeps_what_was_found(tmp_path: Path) -> None:
    examples, vectors = given()
    ex = cw.Explorer(examples=examples, activations={STAGE: vectors})
    parts, atlas = str(ex.parts(STAGE, metric="cosine")), ex.atlas(STAGE, metric="cosine")
    names = ex.clusters(STAGE, metric="cosine").names
    ex.save(tmp_path / "saved.zarr")
    opened = cw.open(tmp_path / "saved.zarr")
    assert opened.known_atlas(metric="cosine") == ex.known_atlas(metric="cosine") != set()
    assert opened.known_atlas() == set()
    assert str(opened.parts(STAGE, metric="cosine")) == parts
    assert opened.clusters(STAGE, metric="cosine").names == names
    pd.testing.assert_frame_equal(opened.atlas(STAGE, metric="cosine"), atlas)
    for metric in METRICS:
        expected = ex.distances(STAGE, 9, metric=metric)
        assert np.array_equal(opened.distances(STAGE, 9, metric=metric), expected)


def test_near_donors_are_near_by_the_metric(native_model: Any, examples: cw.Examples) -> None:
    tokens, stage = examples.tokens[:20], "L0.resid_mid@e"
    plain = cw.Explorer(native_model, cw.Examples(tokens, positions=examples.positions))
    # The answer is what the model says by itself, so that some donors keep it and some do not.
    said = plain.matrix("logits@e").argmax(axis=1)
    answers = [cw.Answer("x", "e", said)]
    ex = cw.Explorer(
        native_model, cw.Examples(tokens, positions=examples.positions, answers=answers)
    )
    kept = {}
    for metric in METRICS:
        donors = [ex.neighbors(stage, row, 1, metric=metric)["example"].item() for row in range(20)]
        after = [
            ex.swap(stage, row, donor).table["after"].item() for row, donor in enumerate(donors)
        ]
        kept[metric] = np.mean(np.array(after, int) == said)
        bars = ex.swap_test(stage, pairs=20, metric=metric).bars("x")
        assert bars.loc["nearest", "right"] == pytest.approx(kept[metric])
    assert len(set(kept.values())) > 1
    assert list(ex.known_swap_tests()) == [cw.Stage.parse(stage)]
