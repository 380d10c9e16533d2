"""Explained share, against the pairs of which it is defined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clusterwidget.core.concepts import Partition, partitions
from clusterwidget.meaning.shares import Groups, GroupSums, shares_of_each, stage_shares
from tests.meaning.planted import D, N, codes, planted


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


def test_shares_of_more_than_one_block_equal_a_loop_over_pairs() -> None:
    rng = np.random.default_rng(0)
    found = partitions(pd.DataFrame({"k": rng.integers(0, 7, 2600)})).all
    matrix = (planted(found[0].codes) + 300)[:, :4]
    expected = pairwise_share(matrix, found[0].codes)
    assert stage_shares(matrix, Groups(found))[0] == pytest.approx(expected, abs=1e-5)


def test_halves_in_one_pass_are_each_half_by_itself(known: tuple[Partition, ...]) -> None:
    matrix = planted(codes(known, "carry2"), codes(known, "L3"))
    half = np.random.default_rng(3).random(N) < 0.5
    both = shares_of_each(matrix, [Groups(known, half), Groups(known, ~half)])
    for shares, among in zip(both, (half, ~half), strict=True):
        alone = Groups([partition.of(np.flatnonzero(among)) for partition in known])
        np.testing.assert_allclose(shares, stage_shares(matrix[among], alone), atol=1e-6)


def test_a_concept_that_is_missing_in_a_half_has_no_share_there() -> None:
    group = np.array([0, 1, 0, 1, -1, -1, -1, -1], np.int32)
    partition = Partition(("x",), group, ("a", "b"))
    matrix = planted(np.arange(8) % 2)
    early = np.arange(8) < 4
    first, second = shares_of_each(
        matrix, [Groups([partition], early), Groups([partition], ~early)]
    )
    assert first[0] == pytest.approx(pairwise_share(matrix[:4], group[:4]), abs=1e-5)
    assert np.isnan(second[0])


def test_memberships_are_ones_at_the_group_of_each_partition() -> None:
    groups = Groups(
        [
            Partition(("x",), np.array([1, -1, 0], np.int32), ("a", "b")),
            Partition(("y",), np.array([2, 0, 1], np.int32), ("c", "d", "e")),
        ],
        np.array([True, True, False]),
    )
    expected = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(groups.memberships(slice(0, 3)).toarray(), expected)
    np.testing.assert_array_equal(
        groups.memberships(np.array([2, 0])).toarray(), np.array(expected)[:, [2, 0]]
    )
    np.testing.assert_array_equal(groups.counts, [0, 1, 1, 0, 1])


def test_sums_do_not_depend_on_the_batches(known: tuple[Partition, ...]) -> None:
    matrix, groups = planted(codes(known, "L3")), Groups(known)
    sums = GroupSums(groups, matrix[0])
    for start, stop in ((0, 10), (10, 1500), (1500, N)):
        sums.add(groups.memberships(slice(start, stop)), matrix[start:stop])
    np.testing.assert_allclose(sums.shares(), stage_shares(matrix, groups), atol=1e-5)
