"""Stages are divided into passes within a limit, in order."""

from __future__ import annotations

import pytest

from clusterwidget.activations.passes import groups_within
from clusterwidget.core.stages import Stage

STAGES = [Stage("embed", position=position) for position in "abcd"]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1, 1, 1, 1], [4]),
        ([2, 2, 2, 2], [2, 2]),
        ([3, 3, 1, 9], [1, 2, 1]),
        ([9, 1, 9, 1], [1, 1, 1, 1]),
    ],
)
def test_groups_are_as_large_as_the_limit_allows(sizes: list[int], expected: list[int]) -> None:
    groups = groups_within(zip(STAGES, sizes, strict=True), 4)
    assert [len(group) for group in groups] == expected
    assert [stage for group in groups for stage in group] == STAGES


def test_no_stages_are_no_groups() -> None:
    assert groups_within([], 4) == []
