"""The atlas and a trace as figures: each stage's color and place, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Circle, PathPatch, Rectangle

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.atlas import Atlas
from clusterwidget.meaning.hues import COLORS, OTHER
from clusterwidget.plot.colors import DARK, LIGHT, mixed, rgb
from clusterwidget.plot.stagemap import COLUMN, LINE
from clusterwidget.results.trace import Trace
from tests.browser.fixtures import OpenPage
from tests.conftest import LENGTH
from tests.families import VOCABULARY
from tests.plot.conftest import color_at

STAGES = ("embed@a", "embed@b", "L0.resid_post@a", "L0.resid_post@b", "L1.resid_post@b")
# What is the same is NaN; 0.01 is below chance; the last cell belongs to the family of the first,
# and digit to none, so that it is gray.
SHARES = [[1.0, 0.2, 0.1], [np.nan] * 3, [0.01, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 0.5]]


@pytest.fixture(scope="module")
def ex() -> cw.Explorer:
    codes = np.arange(60)
    examples = cw.Examples(
        np.stack([codes, codes], axis=1),
        positions=["a", "b"],
        concepts={"carry1": codes % 2, "digit": codes % 3, "carry2": codes % 4},
        families={"carry1": "carry", "carry2": "carry"},
    )
    rng = np.random.default_rng(0)
    given: dict[cw.Stage | str, Any] = {
        stage: rng.normal(size=(60, 3)).astype(np.float32) for stage in STAGES
    }
    return cw.Explorer(examples=examples, activations=given)


def made(names: tuple[str, ...], shares: np.ndarray, stages: tuple[str, ...] = STAGES) -> Atlas:
    codes = np.arange(1000, dtype=np.int32) % 2
    known = tuple(Partition((name,), codes, ("0", "1")) for name in names)
    n = len(stages)
    return Atlas(
        tuple(cw.Stage.parse(stage) for stage in stages),
        Partitions(known, ()),
        shares,
        np.zeros((n, 0)),
        1000,
        np.ones(n),
        np.zeros(n, bool),
    )


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return made(("carry1", "digit", "carry2"), np.array(SHARES))


def cell(ax: Axes, line: int, column: int) -> Rectangle:
    """Return the cell of a stage, given which line from the top it is in, layers' headings too."""
    for patch in ax.patches:
        if isinstance(patch, Rectangle):
            x, y = patch.get_xy()
            if (int(y // LINE), int(x // COLUMN)) == (line, column):
                return patch
    raise AssertionError(f"there is no cell in line {line}, column {column}")


MIXED = """colors => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  return colors.map(color => {
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    return Array.from(pen.getImageData(0, 0, 1, 1).data.slice(0, 3));
  });
}"""


def test_colors_are_mixed_as_the_page_mixes_them(open_page: OpenPage) -> None:
    asked = [
        (color, percent, ground)
        for color in (*COLORS, OTHER.color, "#ff0000")
        for percent in (0, 1, 37, 80, 100)
        for ground in (LIGHT.cell, DARK.cell)
    ]
    css = [f"color-mix(in oklab, {color} {share}%, {ground})" for color, share, ground in asked]
    expected = np.array(open_page("about:blank").evaluate(MIXED, css))
    found = [rgb(mixed(color, share / 100, ground)) for color, share, ground in asked]
    assert np.abs(expected - np.array(found)).max() <= 1


def test_each_stage_has_the_hue_of_its_family_as_strong_as_its_share(
    ex: cw.Explorer, atlas: Atlas
) -> None:
    ax = cw.plot.atlas(ex, atlas)
    expected = {
        (0, 0): COLORS[0],
        (2, 0): LIGHT.cell,
        (2, 1): mixed(OTHER.color, 0.6, LIGHT.cell),
        (4, 1): mixed(COLORS[0], 0.5, LIGHT.cell),
    }
    for place, color in expected.items():
        assert to_hex(cell(ax, *place).get_facecolor()) == color
        line, column = place
        drawn = color_at(ax, column * COLUMN + 10, line * LINE + 7)
        assert drawn == pytest.approx(tuple(255 * part for part in to_rgb(color)), abs=1)
    assert cell(ax, 0, 1).get_hatch()
    with pytest.raises(AssertionError, match="no cell"):
        cell(ax, 4, 0)


def test_lines_columns_and_colors_are_named(ex: cw.Explorer, atlas: Atlas) -> None:
    ax = cw.plot.atlas(ex, atlas)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "embed",
        "resid_post",
        "resid_post",
    ]
    assert [text.get_text() for text in ax.texts] == ["layer 0", "layer 1"]
    legend = ax.get_legend()
    assert legend is not None
    said = [text.get_text() for text in legend.get_texts()]
    assert said == ["carry", "other", "nothing that was named", "all the same"]
    assert cw.plot.atlas(ex, atlas, legend=False).get_legend() is None


def test_one_concept_can_be_shown_alone(ex: cw.Explorer, atlas: Atlas) -> None:
    ax = cw.plot.atlas(ex, atlas, concept="carry2")
    assert ax.get_title(loc="left") == "explained by carry2"
    shares = {(0, 0): 0.1, (2, 0): 0.0, (2, 1): 0.0, (4, 1): 0.5}
    for place, share in shares.items():
        wanted = mixed(COLORS[0], share, LIGHT.cell)
        assert to_hex(cell(ax, *place).get_facecolor()) == wanted
    assert cell(ax, 0, 1).get_hatch()


def test_by_default_it_makes_an_atlas_of_what_the_map_shows_first(ex: cw.Explorer) -> None:
    ax = cw.plot.atlas(ex)
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(cells) == len(STAGES)
    ax = cw.plot.atlas(ex, "embed@b", dark=True)
    (alone,) = (patch for patch in ax.patches if isinstance(patch, Rectangle))
    assert to_hex(alone.get_facecolor()) == DARK.cell


def test_families_beyond_the_hues_are_gray(ex: cw.Explorer) -> None:
    names = tuple(f"c{index}" for index in range(len(COLORS) + 1))
    shares = np.zeros((1, len(names)))
    shares[0, -1] = 1
    ax = cw.plot.atlas(ex, made(names, shares, ("embed@a",)))
    assert to_hex(cell(ax, 0, 0).get_facecolor()) == "#7f7f7f"


def test_a_label_of_a_family_is_text(ex: cw.Explorer) -> None:
    hostile = made(("_hidden$\\frac$",), np.ones((1, 1)), ("embed@a",))
    ax = cw.plot.atlas(ex, hostile)
    ax.figure.canvas.draw()
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["_hidden$\\frac$"]


@pytest.fixture(scope="module")
def tiny(native_model: Any) -> tuple[cw.Explorer, Trace]:
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (20, LENGTH))
    explorer = cw.Explorer(native_model, cw.Examples(tokens, positions=list("abcdefg")))
    return explorer, explorer.trace(3, "next", draws=2)


def test_a_trace_has_a_circle_for_each_stage_and_a_curve_for_each_edge(
    tiny: tuple[cw.Explorer, Trace],
) -> None:
    explorer, trace = tiny
    ax = cw.plot.trace(explorer, trace, pruned=True)
    circles = {one.get_label(): one for one in ax.patches if isinstance(one, Circle)}
    assert set(circles) == set(map(str, trace.nodes.index))
    curves = [one for one in ax.patches if isinstance(one, PathPatch)]
    assert len(curves) == len(trace.edges)
    answer = circles["logits@g"]
    x, y = answer.center
    assert x == pytest.approx((6 + 0.5) * COLUMN)
    lines = [tick.get_text() for tick in ax.get_yticklabels()]
    assert y == pytest.approx(ax.get_yticks()[lines.index("logits")])
    # What matters most is largest, and the answer is as large as any.
    losses = trace.nodes["loss"].dropna()
    largest = max(losses.index, key=lambda stage: circles[str(stage)].radius)
    assert losses[largest] == losses.max()
    assert answer.radius == max(circle.radius for circle in circles.values())
    ends = {tuple(np.asarray(curve.get_path().vertices)[-1].tolist()) for curve in curves}
    assert ends <= {tuple(map(float, circle.center)) for circle in circles.values()}


def test_what_is_pruned_is_left_out_unless_it_is_asked_for(
    tiny: tuple[cw.Explorer, Trace],
) -> None:
    explorer, trace = tiny
    kept = int(trace.edges["kept"].sum())
    ax = cw.plot.trace(explorer, trace)
    curves = [one for one in ax.patches if isinstance(one, PathPatch)]
    assert len(curves) == kept < len(trace.edges)
    assert f"{kept} of {len(trace.edges)} edges carry this answer" in ax.get_xlabel()
    looks = [one for one in curves if one.get_label() == "looks"]
    assert {to_hex(one.get_edgecolor()) for one in looks} <= {LIGHT.accent}


def test_its_columns_are_headed_by_the_examples_tokens(tiny: tuple[cw.Explorer, Trace]) -> None:
    explorer, trace = tiny
    ax = cw.plot.trace(explorer, trace)
    tokens = explorer.examples.tokens[3]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [
        f"{token}\n{position}" for token, position in zip(tokens, "abcdefg", strict=True)
    ]


def test_what_does_not_fit_is_refused_before_a_figure_is_made(
    ex: cw.Explorer, atlas: Atlas, tiny: tuple[cw.Explorer, Trace]
) -> None:
    explorer, trace = tiny
    plot: Any = cw.plot
    calls: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: plot.atlas("x"), TypeError, "ex must be a clusterwidget.Explorer, not 'x'"),
        (lambda: plot.atlas(ex, "embed@z"), ValueError, "No position is called 'z'"),
        (lambda: plot.atlas(ex, []), ValueError, r"stages is \[\]"),
        (lambda: plot.atlas(ex, 3), TypeError, "not 3"),
        (lambda: plot.atlas(ex, atlas, concept="carry"), ValueError, "no concept 'carry'"),
        (lambda: plot.atlas(ex, atlas, concept=2), TypeError, "the name of a concept, not 2"),
        (lambda: plot.atlas(explorer, "embed@a"), ValueError, "no concept to look for"),
        (lambda: plot.trace(explorer, 3), TypeError, "which answer is to be traced"),
        (lambda: plot.trace(explorer, 3, "S9"), ValueError, "S9"),
        (lambda: plot.trace(explorer, 99, "next"), IndexError, "no example 99"),
        (lambda: plot.trace(explorer, trace, "S9"), ValueError, "of the answer 'next', not"),
        (lambda: plot.trace(ex, 3, "next"), ValueError, "model"),
        (lambda: plot.trace(explorer, trace, pruned=2), TypeError, "pruned must be True or"),
    ]
    for call, error, message in calls:
        with pytest.raises(error, match=message):
            call()
    assert not plt.get_fignums()


def test_a_folded_layer_is_one_row_of_its_most_explained_stages(ex: cw.Explorer) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    stages = ("embed@a", "L0H0.result@a", "L0H1.result@a", "L0H1.result@b", "L1.mlp_out@a")
    given = cw.Explorer(examples=ex.examples, activations=dict.fromkeys(stages, rows))
    shares = np.array([[1, 0, 0], [0.2, 0, 0], [0, 0.6, 0], [np.nan] * 3, [0, 0, 0.5]])
    found = made(("carry1", "digit", "carry2"), shares, stages)
    ax = cw.plot.atlas(given, found, folded=True)
    assert [text.get_text() for text in ax.texts] == ["layer 0", "layer 1"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["embed"]
    expected = {(0, 0): 1.0, (2, 0): 0.5}
    for place, share in expected.items():
        wanted = mixed(COLORS[0], share, LIGHT.cell)
        assert to_hex(cell(ax, *place).get_facecolor()) == wanted
    assert to_hex(cell(ax, 1, 0).get_facecolor()) == mixed(OTHER.color, 0.6, LIGHT.cell)
    assert cell(ax, 1, 1).get_hatch()
    assert len([patch for patch in ax.patches if isinstance(patch, Rectangle)]) == 4
    # A few layers, or stages that are named, are not folded by themselves.
    assert len(cw.plot.atlas(given, found).patches) == len(stages)
