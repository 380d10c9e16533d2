"""The grid as a figure: each cell's color and place, what is written, and what is refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pypdf
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

import clusterwidget as cw
from tests.plot.conftest import N

STAGE, CHOSEN = "embed@0", 12
GAP = (0, 0, 0, 0)


def image_of(ax: Axes) -> np.ndarray:
    """Return the cells as pixels, shape (height, width, 4)."""
    (image,) = (one for one in ax.get_children() if isinstance(one, AxesImage))
    return np.asarray(image.get_array())


def save(ax: Axes, path: Path) -> None:
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.savefig(path)


def viridis(shares: np.ndarray) -> np.ndarray:
    """Return matplotlib's own colors, bright where the share is 0."""
    return np.asarray(mpl.colormaps["viridis"](1 - shares, bytes=True))[:, :3].astype(int)


def blocks_of(ax: Axes) -> dict[tuple[str, str], list[tuple[int, ...]]]:
    """Return the colors of the cells of each block, row by row, found by the ticks' labels."""
    pixels = image_of(ax)
    found = {}
    across = [
        (tick.get_text(), at)
        for tick, at in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)
    ]
    down = [
        (tick.get_text(), at)
        for tick, at in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)
    ]
    pitch = across[1][1] - across[0][1], down[1][1] - down[0][1]
    for row, y in down:
        for column, x in across:
            left, top = int(x - pitch[0] / 2) + 6, int(y - pitch[1] / 2) + 6
            room = pixels[max(0, top) : int(y + pitch[1] / 2), max(0, left) : int(x + pitch[0] / 2)]
            colors = [tuple(color) for color in room.reshape(-1, 4).tolist()]
            found[row, column] = list(dict.fromkeys(c[:3] for c in colors if c != GAP))
    return found


def test_every_block_holds_its_examples_nearest_first_in_the_color_of_their_distance(
    given: cw.Explorer,
) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN, arrange_by=["tens", "units"])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("tens", "units")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [str(ten) for ten in range(9)]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2", "none"]
    matrix = given.matrix(STAGE).astype(float)
    distances = np.sqrt(((matrix - matrix[CHOSEN]) ** 2).sum(axis=1))
    ordered = np.sort(distances)
    low, high = ordered[1], ordered[-1]  # Half a percent of 89 is none.
    colors = viridis(np.clip((distances - low) / (high - low), 0, 1))
    concepts = given.examples.concepts
    found = blocks_of(ax)
    assert len(found) == 36
    for (ten, unit), cells in found.items():
        units = concepts["units"]
        inside = concepts["tens"].eq(int(ten)) & (
            units.isna() if unit == "none" else units.eq(int(unit)).fillna(False)
        )
        members = np.flatnonzero(inside.to_numpy(bool))
        expected = colors[members[np.argsort(distances[members])]]
        assert len(cells) == len(np.unique(expected, axis=0))
        if len(cells) == len(members):
            assert (
                np.abs(np.array(cells).reshape(-1, 3) - expected.reshape(-1, 3)).max(initial=0) <= 6
            )


def test_what_a_filter_leaves_out_is_faded(given: cw.Explorer) -> None:
    ax = cw.plot.grid(
        given, STAGE, CHOSEN, arrange_by=["tens", "word"], filter="tens > 3 and word = w2"
    )
    pixels = image_of(ax)
    ticks = dict(zip((t.get_text() for t in ax.get_xticklabels()), ax.get_xticks(), strict=True))
    lines = dict(zip((t.get_text() for t in ax.get_yticklabels()), ax.get_yticks(), strict=True))
    for ten, y in lines.items():
        for word, x in ticks.items():
            there = pixels[int(y) - 8 : int(y) + 8, int(x) - 8 : int(x) + 8, 3]
            opaque = 255 if int(ten) > 3 and word == "w2" else 36
            assert set(np.unique(there)) <= {0, opaque}
            assert opaque in there
    assert ax.get_title(loc="left") == "example 12 at embed@0, tens > 3 and word = w2"


@pytest.mark.parametrize("near", ["bright", "dark"])
def test_a_palette_can_be_chosen(given: cw.Explorer, near: str) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN, palette="gray", near=near, arrange_by="plain")
    pixels = image_of(ax)
    cells = pixels[pixels[:, :, 3] > 0][:, :3].astype(int)
    assert (cells.min(axis=1) == cells.max(axis=1)).all()
    distances = given.distances(STAGE, CHOSEN)
    # In the examples' own order: the first and the last cell are those of the first and the last.
    first, last = cells[0, 0], cells[-1, 0]
    assert (first > last) == ((distances[0] < distances[-1]) == (near == "bright"))


def test_a_rank_scale_spends_each_color_on_as_many_examples(given: cw.Explorer) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN, scale="rank", palette="gray", arrange_by="plain")
    pixels = image_of(ax)
    cells = [tuple(color) for color in pixels[pixels[:, :, 3] > 0][:, :3].tolist()]
    levels = sorted({color[0] for color in cells})
    assert len(levels) == N
    assert np.ptp(np.diff(levels)) <= 1


def test_the_axes_follow_the_stage_as_the_atlas_does(given: cw.Explorer) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN)
    atlas = given.atlas_of([STAGE], pairs=[("tens", "word")])
    assert atlas.best_pairs() == [0]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("tens", "word")


def test_the_plain_order_is_the_examples_own(given: cw.Explorer) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN, arrange_by="plain", color_by="many")
    pixels = image_of(ax)
    cells = [tuple(color) for color in pixels[pixels[:, :, 3] > 0].tolist()]
    firsts = list(dict.fromkeys(cells))
    brightness = np.array(firsts)[:, 1]
    assert len(firsts) == N // 2
    assert (np.diff(brightness) >= 0).all()
    assert (ax.get_xlabel(), ax.get_ylabel(), len(ax.get_xticks())) == ("", "", 0)


def test_the_selected_example_is_framed_where_it_lies(given: cw.Explorer) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN, arrange_by=["tens", "units"])
    white, frame = (one for one in ax.patches if isinstance(one, Rectangle))
    assert to_rgb(frame.get_edgecolor()) == to_rgb("#c2255c")
    assert white.get_xy() == frame.get_xy()
    x, y = frame.get_xy()
    ticks = dict(zip((t.get_text() for t in ax.get_xticklabels()), ax.get_xticks(), strict=True))
    lines = dict(zip((t.get_text() for t in ax.get_yticklabels()), ax.get_yticks(), strict=True))
    # Nearest to itself, it is the first of its block.
    assert abs(x - ticks["0"]) == min(abs(x - at) for at in ticks.values())
    assert abs(y - lines["1"]) == min(abs(y - at) for at in lines.values())
    there = image_of(ax)[int(y) + 1, int(x) + 1, :3].astype(int)
    assert np.abs(there - viridis(np.zeros(1))[0]).max() <= 1


def test_as_many_have_a_dot_as_are_asked_for(given: cw.Explorer) -> None:
    for k, expected in ((None, 9), (5, 5)):
        ax = cw.plot.grid(given, STAGE, CHOSEN, k=k)
        (dots,) = (one for one in ax.collections if one.get_label() == "nearest")
        assert len(dots.get_paths()) == expected


def test_values_have_the_colors_that_the_legend_says(given: cw.Explorer) -> None:
    ax = cw.plot.grid(given, STAGE, CHOSEN, color_by="word", arrange_by=["tens", "word"])
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "word"
    said = {
        text.get_text(): to_rgb(patch.get_facecolor())
        for text, patch in zip(legend.get_texts(), legend.get_patches(), strict=True)
    }
    assert list(said) == ["w0", "w1", "w2", "w3", "w4"]
    for (_, word), cells in blocks_of(ax).items():
        assert [tuple(np.array(cell) / 255) for cell in cells] == [said[word]]


def test_without_a_legend_there_is_the_grid_alone(given: cw.Explorer) -> None:
    assert cw.plot.grid(given, STAGE, CHOSEN).child_axes
    assert not cw.plot.grid(given, STAGE, CHOSEN, legend=False).child_axes
    assert cw.plot.grid(given, STAGE, CHOSEN, color_by="word", legend=False).get_legend() is None


def test_the_histogram_counts_every_other_example(given: cw.Explorer) -> None:
    (under,) = cw.plot.grid(given, STAGE, CHOSEN).child_axes
    (bars,) = under.collections
    heights = np.array([np.asarray(path.vertices)[:, 1].max() for path in bars.get_paths()])
    counts = np.rint((heights / heights[heights > 0].min()) ** 2)
    assert counts.sum() == N - 1
    distances = np.sort(given.distances(STAGE, CHOSEN))
    ends = [float(tick.get_text()) for tick in under.get_xticklabels()]
    np.testing.assert_allclose(ends, [distances[1], distances[-1]], rtol=1e-3)


@pytest.mark.parametrize("size", [(2.5, 2.5), (9, 4), (3, 8)])
def test_it_fits_any_axes_that_are_given(given: cw.Explorer, size: tuple[float, float]) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=size)
    assert cw.plot.grid(given, STAGE, CHOSEN, ax=right) is right
    assert not left.images
    figure.canvas.draw()
    pixels = image_of(right)
    outer, inner = right.get_window_extent(), left.get_window_extent()
    assert outer.width <= inner.width + 1
    # Cells are about as high as wide whatever the space: one is drawn as it was fitted.
    assert outer.width / outer.height == pytest.approx(pixels.shape[1] / pixels.shape[0], rel=0.02)


def test_it_follows_a_dark_style_and_can_be_told(given: cw.Explorer) -> None:
    def ink(ax: Axes) -> tuple[float, ...]:
        return to_rgb(ax._left_title.get_color())  # type: ignore[attr-defined]

    with plt.style.context("dark_background"):
        styled = cw.plot.grid(given, STAGE, CHOSEN)
    told = cw.plot.grid(given, STAGE, CHOSEN, dark=True)
    light = cw.plot.grid(given, STAGE, CHOSEN)
    assert min(ink(styled)) > 0.8
    assert min(ink(told)) > 0.8
    assert max(ink(light)) < 0.2
    assert max(to_rgb(told.figure.get_facecolor())) < 0.2
    assert to_rgb(light.figure.get_facecolor()) == (1, 1, 1)
    assert (image_of(styled) == image_of(light)).all()


@pytest.mark.parametrize("ending", ["pdf", "svg"])
def test_text_is_saved_as_text(given: cw.Explorer, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"grid.{ending}"
    save(cw.plot.grid(given, STAGE, CHOSEN), path)
    if ending == "pdf":
        text = pypdf.PdfReader(path).pages[0].extract_text()
    else:
        text = path.read_text()
        assert "<text" in text
    for said in ("example 12 at embed@0", "tens", "word", "w3"):
        assert said in text
    assert mpl.rcParams["svg.fonttype"] == "path"


HOSTILE = ("$x^{", "_hidden", "<script>alert(1)</script>", "a\x00b\x1bc", "‮evil", "two\nlines")


def test_labels_are_text_whatever_they_hold(tmp_path: Path) -> None:
    n = 6 * len(HOSTILE)
    values = [HOSTILE[index % len(HOSTILE)] for index in range(n)]
    examples = cw.Examples(
        np.arange(n)[:, None],
        labels=values,
        concepts=pd.DataFrame({"$\\frac": values, "_b": np.arange(n) // len(HOSTILE)}),
    )
    ex = cw.Explorer(examples=examples, activations={STAGE: np.eye(n, dtype=np.float32)})
    for selected, color_by in enumerate(["distance", "$\\frac", "_b"]):
        ax = cw.plot.grid(ex, STAGE, selected, color_by=color_by, arrange_by=["$\\frac", "_b"])
        save(ax, tmp_path / "grid.svg")
    said = [tick.get_text() for tick in ax.get_yticklabels()]
    assert set(said) == {*HOSTILE[:3], "a�b�c", "�evil", "two↵lines"}
    assert "<script" not in (tmp_path / "grid.svg").read_text()
    ax = cw.plot.grid(ex, STAGE, 0, color_by="$\\frac", arrange_by="plain")
    legend = ax.get_legend()
    assert legend is not None
    assert {text.get_text() for text in legend.get_texts()} == set(said)


def test_a_million_cells_are_one_image() -> None:
    n = 1_000_000
    rng = np.random.default_rng(0)
    examples = cw.Examples(
        np.zeros((n, 1), int), concepts=pd.DataFrame({"a": np.arange(n) % 7, "b": np.arange(n) % 5})
    )
    vectors = rng.normal(size=(n, 2)).astype(np.float32)
    ex = cw.Explorer(examples=examples, activations={STAGE: vectors})
    ex.distances(STAGE, 5)
    started = time.perf_counter()
    ax = cw.plot.grid(ex, STAGE, 5, arrange_by=["a", "b"])
    # About a second; drawn one by one they would take minutes.
    assert time.perf_counter() - started < 30
    assert image_of(ax).size < 16 << 20
    assert len(ax.patches) == 2


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"ex": "adder"}, TypeError, "ex must be a clusterwidget.Explorer, not 'adder'"),
    ({"stage": "embed@9"}, ValueError, "No position is called '9'"),
    ({"stage": 3}, TypeError, "not 3"),
    ({"example": N}, IndexError, f"no example {N}"),
    ({"color_by": "ten"}, ValueError, "color_by must be 'distance', 'cluster' or a concept, not"),
    ({"arrange_by": ["tens"]}, ValueError, "two different concepts, rows and columns"),
    ({"arrange_by": ["tens", "tens"]}, ValueError, "two different concepts"),
    ({"arrange_by": ["tens", "unit"]}, ValueError, "there is no 'unit'; there are tens, units"),
    ({"without": "tan"}, ValueError, "no concept 'tan'"),
    ({"filter": "tens ="}, ValueError, "tens"),
    ({"filter": 3}, TypeError, "not 3"),
    ({"scale": "cubic"}, ValueError, "scale must be one of 'linear', 'rank', 'log', not 'cubic'"),
    ({"palette": "jet"}, ValueError, "palette must be one of 'viridis'"),
    ({"near": "red"}, ValueError, "near must be one of 'bright', 'dark', not 'red'"),
    ({"k": N}, ValueError, f"k = {N} is out of range"),
    ({"legend": "no"}, TypeError, "legend must be True or False, not 'no'"),
    ({"dark": 1}, TypeError, "dark must be True or False, not 1"),
    ({"ax": "axes"}, TypeError, "ax must be the Axes of a matplotlib figure"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD)
def test_what_does_not_fit_is_refused_before_a_figure_is_made(
    given: cw.Explorer, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"ex": given, "stage": STAGE, "example": CHOSEN, **change}
    with pytest.raises(error, match=message):
        cw.plot.grid(**arguments)
    assert not plt.get_fignums()


def test_the_map_has_the_points_of_the_layout_and_says_what_its_axes_are(
    given: cw.Explorer,
) -> None:
    ax = cw.plot.grid(given, STAGE, 7, arrange="map")
    found = given.layout(STAGE)
    points = next(c for c in ax.collections if c.get_label() == "examples")
    drawn = np.asarray(points.get_offsets())
    order = np.lexsort(drawn.T)
    expected = found.points[np.lexsort(found.points.T)]
    np.testing.assert_allclose(drawn[order], expected, rtol=1e-6)
    # The nearest is drawn last, and both axes have one scale.
    np.testing.assert_allclose(drawn[-1], found.points[7], rtol=1e-6)
    assert found.shares is not None
    assert ax.get_xlabel() == f"component 1: {found.shares[0]:.0%} of the variance"
    box = ax.get_window_extent()
    across, up = np.ptp(ax.get_xlim()) / box.width, np.ptp(ax.get_ylim()) / box.height
    assert across == pytest.approx(up)
    with pytest.raises(ValueError, match="arrange must be one of 'lattice', 'map', 'umap'"):
        cw.plot.grid(given, STAGE, 7, arrange="heap")
