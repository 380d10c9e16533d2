"""The small PNG of the grid: each cell's pixels, what it weighs, and what it may hold."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import clusterwidget as cw
from clusterwidget.plot.scene import Scene, scene
from clusterwidget.plot.still import RATIO, Layout, Still, still
from tests.plot.conftest import N
from tests.plot.test_grid import HOSTILE

STAGE, CHOSEN = "embed@0", 12
MOST_BYTES = 100_000


def pixels_of(drawn: Still) -> np.ndarray:
    with Image.open(io.BytesIO(drawn.png)) as image:
        assert image.format == "PNG"
        assert image.size == (drawn.width * RATIO, drawn.height * RATIO)
        return np.asarray(image.convert("RGB")).astype(int)


def corners(shown: Scene) -> np.ndarray:
    """Return the pixel of each example's cell that no dot covers, shape (N, 2)."""
    layout = Layout.of(shown)
    there = layout.lattice.corners(shown.arrangement, np.arange(len(shown.indexes)))
    return np.asarray(there * layout.coarse + RATIO * np.array([layout.left, layout.top]))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"arrange_by": ["tens", "units"]},
        {"arrange_by": "plain"},
        {"color_by": "word"},
        {"color_by": "units"},
        {"color_by": "many", "arrange_by": ["word", "units"]},
        {"filter": "tens > 4", "palette": "cividis", "scale": "rank", "near": "dark"},
    ],
)
def test_each_cell_has_its_color(given: cw.Explorer, change: dict[str, Any]) -> None:
    shown = scene(given, STAGE, CHOSEN, **change)
    pixels = pixels_of(still(shown))
    x, y = corners(shown).T
    expected = shown.table[shown.indexes].astype(float)
    if shown.mask is not None:
        expected[~shown.mask] = 255 - 36 / 255 * (255 - expected[~shown.mask])
    wrong = np.abs(pixels[y, x] - expected).max(axis=1) > 5
    # The selected cell's frame lies over some beside it.
    assert wrong.sum() <= 4
    assert not wrong[CHOSEN]
    around = pixels[y[CHOSEN] + 2, x[CHOSEN] - RATIO]
    assert around.tolist() == [0xC2, 0x25, 0x5C]


def test_between_blocks_it_is_white(given: cw.Explorer) -> None:
    shown = scene(given, STAGE, CHOSEN, arrange_by=["tens", "units"])
    pixels, layout = pixels_of(still(shown)), Layout.of(shown)
    gap = RATIO * layout.left + layout.lattice.columns * layout.lattice.cell_width
    top = RATIO * layout.top
    column = pixels[top : top + layout.lattice.height, gap]
    assert (column == 255).all(axis=1).mean() > 0.9


def test_ten_thousand_unrelated_examples_weigh_less_than_100_kb() -> None:
    rng = np.random.default_rng(0)
    examples = cw.addition.problems(10_000, seed=0)
    vectors = rng.normal(size=(10_000, 8)).astype(np.float32)
    ex = cw.Explorer(examples=examples, activations={"embed@L0": vectors})
    for arrange_by in ("plain", ["L0", "R0"]):
        drawn = still(scene(ex, "embed@L0", 0, arrange_by=arrange_by))
        assert len(drawn.png) < MOST_BYTES


def test_more_examples_than_pixels_share_cells() -> None:
    n = 300_000
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, 2)).astype(np.float32)
    examples = cw.Examples(np.zeros((n, 1), int), concepts=pd.DataFrame({"a": np.arange(n) % 7}))
    ex = cw.Explorer(examples=examples, activations={STAGE: vectors})
    shown = scene(ex, STAGE, 5, arrange_by="plain")
    drawn = still(shown)
    assert len(drawn.png) < MOST_BYTES
    layout = Layout.of(shown)
    assert layout.lattice.per_cell > 1
    pixels = pixels_of(drawn)
    x, y = corners(shown)[: int(layout.lattice.per_cell)].T
    assert len({tuple(pixel) for pixel in pixels[y, x].tolist()}) == 1
    mean = round(shown.indexes[: int(layout.lattice.per_cell)].mean())
    assert np.abs(pixels[y[0], x[0]] - shown.table[mean]).max() <= 6


def test_labels_are_text_whatever_they_hold() -> None:
    n = 6 * len(HOSTILE)
    values = [HOSTILE[index % len(HOSTILE)] * 40 for index in range(n)]
    examples = cw.Examples(
        np.arange(n)[:, None],
        labels=values,
        concepts=pd.DataFrame({"$\\frac" * 50: values, "_b": np.arange(n) // len(HOSTILE)}),
    )
    ex = cw.Explorer(examples=examples, activations={STAGE: np.eye(n, dtype=np.float32)})
    name = str(examples.concepts.columns[0])
    for color_by in ("distance", name):
        drawn = still(scene(ex, STAGE, 0, color_by=color_by, arrange_by=[name, "_b"]))
        assert pixels_of(drawn).shape[1] < 1400


def test_twins_have_one_color_and_no_line(given: cw.Explorer) -> None:
    same = cw.Explorer(examples=given.examples, activations={STAGE: np.ones((N, 3), np.float32)})
    shown = scene(same, STAGE, CHOSEN, arrange_by="plain")
    pixels = pixels_of(still(shown))
    x, y = corners(shown).T
    assert len({tuple(pixel) for pixel in pixels[y, x].tolist()} - {(255, 255, 255)}) <= 2
