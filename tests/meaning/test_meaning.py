"""Meaning, where the truth is planted."""

from __future__ import annotations

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, partitions
from clusterwidget.meaning.meaning import Meaning, coarsest_of, meaning
from tests.meaning.planted import D, N, codes, planted


@pytest.mark.parametrize(
    "name", ["L2", "S1", "L1+R1", "(L2+R2)%10", "carry1", "carry3", "makes4", "nine2"]
)
def test_a_planted_concept_is_named(known: tuple[Partition, ...], name: str) -> None:
    for seed in range(5):
        matrix = planted(codes(known, name), seed=seed)
        found = meaning(matrix, known, seed=seed)
        assert name in str(found.concept).split(" = ")
        assert len(found.chain) == 1
        assert found.p <= 0.01


def test_of_a_nested_pair_the_planted_coarse_one_is_named(known: tuple[Partition, ...]) -> None:
    found = meaning(planted(codes(known, "carry1")), known)
    assert found.concept == "carry1 = makes1"
    assert [link.concept for link in found.chain] == ["carry1 = makes1"]


def test_a_finer_concept_is_reported_as_a_chain(known: tuple[Partition, ...]) -> None:
    carry, total = codes(known, "carry1"), codes(known, "L0+R0")
    matrix = 4 * np.eye(2)[carry] @ np.ones((2, D)) * [[1.0]] + planted(total) / 2
    matrix += 4 * np.outer(carry, np.linspace(-1, 1, D))
    found = meaning(matrix.astype(np.float32), known)
    assert [link.concept for link in found.chain] == ["carry1 = makes1", "L0+R0"]
    assert found.chain[1].within is not None
    assert found.chain[1].within > 0.1
    assert str(found).startswith("carry1 = makes1 0.")
    assert "and within it L0+R0 up to" in str(found)


def test_of_a_sum_of_two_concepts_the_other_is_the_runner_up(
    known: tuple[Partition, ...],
) -> None:
    found = meaning(planted(codes(known, "L3"), codes(known, "R1")), known)
    assert {found.concept, found.runner_up} == {"L3", "R1"}


def test_noise_means_nothing(known: tuple[Partition, ...]) -> None:
    named = 0
    for seed in range(20):
        matrix = np.random.default_rng(seed).standard_normal((N, D), dtype=np.float32)
        named += meaning(matrix, known, seed=seed).concept is not None
    assert named == 0


def test_shuffled_concepts_mean_nothing_at_a_structured_stage() -> None:
    problems = cw.addition.problems(N, seed=3)
    carry = problems.concepts["carry2"].to_numpy()
    matrix, named = planted(carry), 0
    for seed in range(20):
        shuffled = problems.concepts.sample(frac=1, random_state=seed).reset_index(drop=True)
        named += meaning(matrix, partitions(shuffled).all, seed=seed).concept is not None
    assert named <= 1


def test_a_stage_where_all_examples_are_the_same_says_so(known: tuple[Partition, ...]) -> None:
    found: Meaning = meaning(np.full((N, D), 1e4, np.float32), known)
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
        known = partitions(shuffled).all
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
    known: tuple[Partition, ...],
) -> None:
    shares = np.array([-0.03, -0.01, -0.02])
    assert coarsest_of(known[:3], shares, 0.8) == 1
