"""Meaning and explained share, where the truth is planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, partitions
from clusterwidget.meaning.meaning import Meaning, coarsest_of, meaning
from clusterwidget.meaning.shares import Groups, stage_shares

N = 2000
D = 24


@pytest.fixture(scope="module")
def known() -> tuple[Partition, ...]:
    """Return the partitions of addition problems."""
    return partitions(cw.addition.problems(N, seed=3).concepts).all


def codes(known: tuple[Partition, ...], name: str) -> np.ndarray:
    return next(partition.codes for partition in known if name in partition.names)


def planted(*groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return vectors that hold these groups, each at signal-to-noise 1."""
    rng = np.random.default_rng(seed)
    signal = np.zeros((len(groups[0]), D))
    for group in groups:
        part = np.eye(group.max() + 1)[group] @ rng.standard_normal((group.max() + 1, D))
        signal += (part - part.mean(axis=0)) / np.sqrt(part.var(axis=0).mean())
    noise = rng.standard_normal(signal.shape)
    return (signal + noise).astype(np.float32)


def pairwise_share(matrix: np.ndarray, group: np.ndarray) -> float:
    """Return the explained share by looking at every pair."""
    rows = matrix.astype(np.float64)
    inside, anywhere = [], []
    for index in range(len(rows)):
        if group[index] < 0:
            continue
        squares = ((rows - rows[index]) ** 2).sum(axis=1)
        other = (group >= 0) & (np.arange(len(rows)) != index)
        anywhere.append(squares[other])
        inside.append(squares[other & (group == group[index])])
    return float(1 - np.concatenate(inside).mean() / np.concatenate(anywhere).mean())


def test_shares_equal_a_loop_over_pairs() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "even": rng.integers(0, 4, 400),
            "uneven": rng.choice([0, 1, 2], 400, p=[0.9, 0.08, 0.02]),
            "gaps": rng.choice(np.array(["x", "y", None]), 400),
            "measured": rng.standard_normal(400),
        }
    )
    found = partitions(table).all
    matrix = planted(found[0].codes, found[1].codes) + 300
    shares = stage_shares(matrix, Groups(found))
    expected = [pairwise_share(matrix, partition.codes) for partition in found]
    np.testing.assert_allclose(shares, expected, atol=1e-5)


def test_a_share_of_nothing_is_zero_on_average_however_many_groups() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for seed in range(30):
        table = pd.DataFrame({f"{k} groups": rng.integers(0, k, 300) for k in (2, 20, 100)})
        matrix = np.random.default_rng(seed).standard_normal((300, D), dtype=np.float32)
        shares.append(stage_shares(matrix, Groups(partitions(table).all)))
    np.testing.assert_allclose(np.mean(shares, axis=0), 0, atol=0.01)


def test_shares_change_neither_with_rotation_nor_with_the_order(
    known: tuple[Partition, ...],
) -> None:
    matrix = planted(codes(known, "carry2"), codes(known, "L3"))
    shares = stage_shares(matrix, Groups(known))
    rotation, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((D, D)))
    turned = (matrix @ rotation).astype(np.float32)
    np.testing.assert_allclose(stage_shares(turned, Groups(known)), shares, atol=1e-5)
    order = np.random.default_rng(2).permutation(N)
    moved = Groups([partition.of(order) for partition in known])
    np.testing.assert_allclose(stage_shares(matrix[order], moved), shares, atol=1e-6)
    np.testing.assert_allclose(stage_shares(matrix, moved, order), shares, atol=1e-6)


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


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([None] * 30, "'odd' is missing for every example"),
        (list(range(30)), "'odd' is different for every example"),
        (list(range(1500)) * 2, "'odd' has 1,500 values, more than 1,000"),
    ],
)
def test_a_concept_that_groups_nothing_is_refused(column: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        partitions(pd.DataFrame({"odd": column}))


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


def planted_explorer(problems: cw.Examples, **stages: np.ndarray) -> cw.Explorer:
    activations: dict[Any, Any] = {f"embed@{name}": rows for name, rows in stages.items()}
    return cw.Explorer(examples=problems, activations=activations)


@pytest.mark.parametrize("correction", ["bh", "max"])
def test_permutations_tell_what_is_planted_from_noise(correction: Any) -> None:
    problems = cw.addition.problems(N, seed=3)
    noise = np.random.default_rng(0).standard_normal((N, D), dtype=np.float32)
    explorer = planted_explorer(
        problems, L3=planted(problems.concepts["carry2"].to_numpy()), L2=noise
    )
    p = explorer.significance(["embed@L3", "embed@L2"], permutations=499, correction=correction)
    known = dict(zip(p.columns, p.to_numpy()[0], strict=True))
    assert known["carry2"] <= 0.03
    assert p.to_numpy()[1].min() > 0.05


def test_the_smallest_of_many_p_is_corrected_for() -> None:
    problems = cw.addition.problems(400, seed=3)
    smallest = []
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal((400, 4), dtype=np.float32)
        explorer = planted_explorer(problems, L3=noise)
        p = explorer.significance(["embed@L3"], permutations=49, correction="max", seed=seed)
        smallest.append(p.to_numpy().min())
    assert np.mean(np.array(smallest) <= 0.05) <= 0.15


def test_a_stage_of_equal_examples_has_no_p() -> None:
    explorer = planted_explorer(cw.addition.problems(50), L3=np.ones((50, 2), np.float32))
    with pytest.raises(ValueError, match="'bh', 'max', 'none', not 'fdr'"):
        explorer.significance(["embed@L3"], correction="fdr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="permutations must be a whole number of at least 1, not 0"):
        explorer.significance(["embed@L3"], permutations=0)


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
