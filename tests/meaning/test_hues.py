"""Hues: one for each family, or for each concept where there are no families."""

from __future__ import annotations

import numpy as np

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.hues import COLORS, OTHER, Hue, hues_of


def named(*names: str) -> Partitions:
    codes = np.zeros(2, np.int32)
    return Partitions(tuple(Partition((name,), codes, ("0",)) for name in names), ())


def test_concepts_of_a_family_share_its_hue_and_what_is_in_none_is_other() -> None:
    hues, hue_of = hues_of(named("a", "b", "c"), {"a": "digits", "c": "digits"})
    assert hues == [Hue("digits", COLORS[0]), OTHER]
    assert hue_of == [0, 1, 0]


def test_without_families_the_first_concepts_have_their_own_hues() -> None:
    names = [f"c{index}" for index in range(len(COLORS) + 2)]
    hues, hue_of = hues_of(named(*names), {})
    assert [hue.name for hue in hues] == [*names[: len(COLORS)], "other"]
    assert hue_of == [*range(len(COLORS)), len(COLORS), len(COLORS)]
