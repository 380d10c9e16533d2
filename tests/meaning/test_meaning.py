"""Meaning, where the truth is planted."""

from __future__ import annotations

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, Partitions, partitions
from clusterwidget.meaning.meaning import NESTED, Meaning, coarsest_of, meaning
from tests.meaning.planted import D, N, codes, planted


@pytest.mark.parametrize(
    "name", ["L2", "S1", "L1+R1", "(L2+R2)%10", "carry1", "carry3", "makes4", "nine2"]
)
def test_a_planted_concept_is_named(partitioned: Partitions, name: str) -> None:
    for seed in range(5):
        matrix = planted(codes(partitioned.all, name), seed=seed)
        found = meaning(matrix, partitioned, seed=seed)
        assert name in str(found.concept).split(" = ")
        assert len(found.chain) == 1
        assert found.p <= 0.01


def test_of_a_nested_pair_the_planted_coarse_one_is_named(partitioned: Partitions) -> None:
    found = meaning(planted(codes(partitioned.all, "carry1")), partitioned)
    assert found.concept == "carry1 = makes1"
    assert [link.concept for link in found.chain] == ["carry1 = makes1"]


def test_a_finer_concept_is_reported_as_a_chain(partitioned: Partitions) -> None:
    carry, total = codes(partitioned.all, "carry1"), codes(partitioned.all, "L0+R0")
    matrix = 4 * np.eye(2)[carry] @ np.ones((2, D)) * [[1.0]] + planted(total) / 2
    matrix += 4 * np.outer(carry, np.linspace(-1, 1, D))
    found = meaning(matrix.astype(np.float32), partitioned)
    assert [link.concept for link in found.chain] == ["carry1 = makes1", "L0+R0"]
    assert found.chain[1].within is not None
    assert found.chain[1].within > 0.1
    assert str(found).startswith("carry1 = makes1 0.")
    assert "and within it L0+R0 up to" in str(found)


def test_of_a_sum_of_two_concepts_the_other_is_the_runner_up(
    partitioned: Partitions,
) -> None:
    found = meaning(
        planted(codes(partitioned.all, "L3"), codes(partitioned.all, "R1")), partitioned
    )
    assert {found.concept, found.runner_up} == {"L3", "R1"}


def test_noise_means_nothing(partitioned: Partitions) -> None:
    named = 0
    for seed in range(20):
        matrix = np.random.default_rng(seed).standard_normal((N, D), dtype=np.float32)
        named += meaning(matrix, partitioned, seed=seed).concept is not None
    assert named == 0


def test_shuffled_concepts_mean_nothing_at_a_structured_stage() -> None:
    problems = cw.addition.problems(N, seed=3)
    carry = problems.concepts["carry2"].to_numpy()
    matrix, named = planted(carry), 0
    for seed in range(20):
        shuffled = problems.concepts.sample(frac=1, random_state=seed).reset_index(drop=True)
        named += meaning(matrix, partitions(shuffled), seed=seed).concept is not None
    assert named <= 1


def test_a_stage_where_all_examples_are_the_same_says_so(partitioned: Partitions) -> None:
    found: Meaning = meaning(np.full((N, D), 1e4, np.float32), partitioned)
    assert found.concept is None
    assert str(found) == "all examples are the same here"


def test_shuffled_concepts_mean_nothing_at_the_stages_of_the_adder() -> None:
    problems = cw.addition.problems(N, seed=3)
    model = cw.addition.load_model()
    stages = cw.Explorer(model, problems).stages(
        kinds=["result", "resid_post"], layers=1, positions=["=", "S3"]
    )
    explorer = cw.Explorer(model, problems)
    explorer.capture(stages)
    named = []
    for seed in range(20):
        shuffled = problems.concepts.sample(frac=1, random_state=seed).reset_index(drop=True)
        known = partitions(shuffled)
        for stage in stages:
            found = meaning(explorer.matrix(stage), known, permutations=99, seed=seed)
            named.append(found.concept is not None)
    assert np.mean(named) <= 0.05


def test_an_untrained_network_holds_digits_and_no_sums() -> None:
    from clusterwidget.addition.model import Config, build

    problems = cw.addition.problems(N, seed=3)
    explorer = cw.Explorer(build(Config(), seed=5), problems)
    for stage in explorer.stages(kinds=["result", "resid_post"], positions="="):
        named = explorer.meaning(stage).concept
        assert named is None or problems.families[named].startswith("digit of"), stage


def test_where_every_share_is_below_chance_the_best_is_still_found(
    partitioned: Partitions,
) -> None:
    few = Partitions(partitioned.all[:3], ())
    assert coarsest_of(few, np.array([-0.03, -0.01, -0.02]), 0.8) == 1


def test_a_name_is_the_best_concept_or_a_coarsening_of_it() -> None:
    # Four groups explain all; three others, no function of them, explain a little less.
    rng = np.random.default_rng(0)
    best = rng.integers(0, 4, N).astype(np.int32)
    other = np.where(rng.random(N) < 0.9, best % 3, rng.integers(0, 3, N)).astype(np.int32)
    known = Partitions(
        (
            Partition(("other",), other, tuple("012")),
            Partition(("best",), best, tuple("0123")),
            Partition(("coarse",), best // 2, tuple("01")),
        ),
        (),
    )
    assert known.determined[0, 1] < NESTED
    assert coarsest_of(known, np.array([0.85, 1.0, 0.7]), 0.8) == 1
    assert coarsest_of(known, np.array([0.85, 1.0, 0.9]), 0.8) == 2
    rows = np.eye(4, 8)[best] + rng.normal(0, 0.02, (N, 8))
    found = meaning(rows.astype(np.float32), known)
    assert found.chain[-1].concept == "best"


def test_names_of_a_concept_that_is_the_same_as_another(partitioned: Partitions) -> None:
    found = meaning(planted(codes(partitioned.all, "carry1")), partitioned)
    assert (found.concept, found.names) == ("carry1 = makes1", ("carry1", "makes1"))


def test_noise_far_below_what_the_stage_is_part_of_is_the_same_for_all(
    partitioned: Partitions,
) -> None:
    matrix = planted(codes(partitioned.all, "L2"))
    assert meaning(matrix, partitioned).concept == "L2"
    spread = meaning(matrix, partitioned).spread
    expected = np.sqrt(((matrix - matrix.mean(axis=0)) ** 2).sum(axis=1).mean())
    np.testing.assert_allclose(spread, expected, rtol=1e-5)
    found = meaning(matrix, partitioned, scale=2000 * spread)
    assert (found.concept, str(found)) == (None, "all examples are the same here")
    assert found.spread == spread
