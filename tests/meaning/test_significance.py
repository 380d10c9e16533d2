"""Permutation tests, where the truth is planted or every permutation can be listed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import partitions
from clusterwidget.meaning.shares import Groups, stage_shares
from clusterwidget.meaning.significance import p_of_share
from tests.meaning.planted import D, N, planted


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
    with pytest.raises(
        ValueError, match="permutations must be a whole number from 1 to 1,000,000, not 0"
    ):
        explorer.significance(["embed@L3"], permutations=0)


def test_p_is_the_fraction_of_all_permutations() -> None:
    known = partitions(pd.DataFrame({"half": [0, 0, 0, 1, 1, 1]})).all
    matrix = np.array([[0, 0], [1, 0], [2, 1], [2, 0], [3, 1], [4, 4]], np.float32)
    observed = stage_shares(matrix, Groups(known))[0]
    every = [np.array(order) for order in permutations(range(6))]
    reached = [stage_shares(matrix, Groups(known), order)[0] >= observed - 1e-6 for order in every]
    p = p_of_share(matrix, known[0], np.arange(6), permutations=1999, rng=np.random.default_rng(0))
    assert p == pytest.approx(np.mean(reached), abs=0.03)


def test_permuting_the_groups_is_permuting_the_vectors() -> None:
    rng = np.random.default_rng(0)
    known = partitions(pd.DataFrame({"k": rng.integers(0, 5, 80)})).all
    matrix = rng.standard_normal((80, 2), dtype=np.float32)
    observed, groups, again = (
        stage_shares(matrix, Groups(known))[0],
        Groups(known),
        np.random.default_rng(7),
    )
    reached = [stage_shares(matrix, groups, again.permutation(80))[0] >= observed for _ in "a" * 99]
    p = p_of_share(matrix, known[0], np.arange(80), permutations=99, rng=np.random.default_rng(7))
    assert p == (1 + sum(reached)) / 100


def test_of_many_examples_a_sample_is_tested_at_the_same_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clusterwidget.meaning.significance.MOST_OF_ONE", 100)
    group = np.random.default_rng(0).integers(0, 3, 3000)
    partition = partitions(pd.DataFrame({"k": group})).all[0]
    rows = np.arange(1000, 3000)

    def p(matrix: np.ndarray, seed: int) -> float:
        rng = np.random.default_rng(seed)
        return p_of_share(matrix, partition, rows, permutations=19, rng=rng)

    assert p(planted(group), 0) == 0.05
    noise = [np.random.default_rng(seed).standard_normal((3000, 2)) for seed in range(100)]
    of_noise = [p(matrix.astype(np.float32), seed) for seed, matrix in enumerate(noise)]
    assert 0.35 < np.mean(of_noise) < 0.65
    assert np.mean(np.array(of_noise) <= 0.1) <= 0.2
