"""The picture of the atlas has a cell of the right color for each stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.atlas import Atlas
from clusterwidget.meaning.hues import COLORS, OTHER
from clusterwidget.meaning.picture import draw_atlas

NEUTRAL = np.array(to_rgb("#e9ecef"))
STAGES = ("embed@a", "embed@b", "L0.resid_post@a", "L0.resid_post@b", "L1.resid_post@b")
# What is the same is NaN; 0.01 is below chance; the last cell belongs to the family of the first,
# and digit to none, so that it is gray.
SHARES = [[1.0, 0.2, 0.1], [np.nan] * 3, [0.01, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 0.5]]
FAMILIES = {"carry1": "carry", "carry2": "carry"}


def made(stages: tuple[cw.Stage, ...], known: Partitions, shares: np.ndarray) -> Atlas:
    n = len(stages)
    nothing, same = np.zeros((n, 0)), np.zeros(n, bool)
    return Atlas(stages, known, shares, nothing, 1000, np.ones(n), same)


@pytest.fixture
def atlas() -> Atlas:
    codes = np.arange(1000, dtype=np.int32) % 2
    known = [Partition((name,), codes, ("0", "1")) for name in ("carry1", "digit", "carry2")]
    stages = tuple(cw.Stage.parse(stage) for stage in STAGES)
    return made(stages, Partitions(tuple(known), ()), np.array(SHARES))


def test_each_cell_has_the_hue_of_its_family_as_strong_as_its_share(
    atlas: Atlas, tmp_path: Path
) -> None:
    draw_atlas(atlas, ("a", "b"), FAMILIES, tmp_path / "atlas.png")
    picture = imread(tmp_path / "atlas.png")[:, :, :3]

    def middle(color: np.ndarray) -> tuple[float, float]:
        """Return where most of a color is: cells are larger than patches of the legend."""
        rows, columns = np.nonzero((np.abs(picture - color) < 0.006).all(axis=2))
        assert len(rows) > 100, f"{color} is nowhere in the picture"
        return float(np.median(rows)), float(np.median(columns))

    carry, digit = np.array(to_rgb(COLORS[0])), np.array(to_rgb(OTHER.color))
    first = middle(carry)
    strong = middle(NEUTRAL + 0.6 * (digit - NEUTRAL))
    half = middle(NEUTRAL + 0.5 * (carry - NEUTRAL))
    nothing = middle(NEUTRAL)
    assert first[0] < strong[0] < half[0]
    assert first[1] < strong[1] == pytest.approx(half[1], abs=2)
    assert nothing[0] == pytest.approx(strong[0], abs=2)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_ending_says_the_format(atlas: Atlas, tmp_path: Path, ending: str) -> None:
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    path = tmp_path / f"atlas.{ending}"
    draw_atlas(atlas, ("a", "b"), FAMILIES, path)
    assert path.read_bytes().startswith(starts[ending])


def test_families_beyond_the_hues_are_gray(tmp_path: Path) -> None:
    count = len(COLORS) + 1
    codes = np.arange(100, dtype=np.int32) % 2
    known = tuple(Partition((f"c{index}",), codes, ("0", "1")) for index in range(count))
    shares = np.zeros((1, count))
    shares[0, -1] = 1
    atlas = made((cw.Stage("embed"),), Partitions(known, ()), shares)
    draw_atlas(atlas, ("0",), {}, tmp_path / "atlas.png")
    picture = imread(tmp_path / "atlas.png")[:, :, :3]
    assert (np.abs(picture - to_rgb("#7f7f7f")) < 0.006).all(axis=2).sum() > 500
