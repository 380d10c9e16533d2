"""What a stage is made of and what a swap test says, as bars: lengths, labels, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import clusterwidget as cw
from clusterwidget.plot.colors import LIGHT
from clusterwidget.results.swaptest import SwapTest

STAGE = "L1H0.result@S3"


@pytest.fixture(scope="module")
def ex() -> cw.Explorer:
    return cw.Explorer(cw.addition.load_model("cpu"), cw.addition.problems(400, seed=1))


@pytest.fixture(scope="module")
def swaps(ex: cw.Explorer) -> SwapTest:
    return ex.swap_test(STAGE, pairs=60)


def rectangles(ax: Axes, line: int) -> list[Rectangle]:
    """Return the bars of a line that are filled, from the left."""
    found = [
        one
        for one in ax.patches
        if isinstance(one, Rectangle) and one.get_fill() and round(one.get_y() + 0.36) == line
    ]
    return sorted(found, key=lambda one: one.get_x())


def test_a_bar_is_divided_into_the_shares_of_the_parts(ex: cw.Explorer) -> None:
    stages = [STAGE, "L1.resid_post@S3", "embed@="]
    ax = cw.plot.parts(ex, stages)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == stages
    for line, stage in enumerate(stages[:2]):
        found = ex.parts(stage)
        expected = [max(0.0, part.adds) for part in found.all] + [found.unexplained]
        assert [one.get_width() for one in rectangles(ax, line)] == pytest.approx(expected)
        assert rectangles(ax, line)[-1].get_hatch()
    assert rectangles(ax, 2) == []
    written = [text.get_text() for text in ax.texts]
    assert written[0] == ex.parts(STAGE).all[0].name
    assert written[-1] == "all examples are the same here"


def test_every_part_is_named_in_its_bar_or_below(ex: cw.Explorer) -> None:
    stage = "L1.resid_post@S3"
    ax = cw.plot.parts(ex, stage)
    legend = ax.get_legend()
    assert legend is not None
    said = {text.get_text() for text in [*ax.texts, *legend.get_texts()]}
    assert said == {part.name for part in ex.parts(stage).all} | {"nothing that was named"}


def test_a_bar_says_how_much_of_the_answer_each_swap_keeps(
    ex: cw.Explorer, swaps: SwapTest
) -> None:
    ax = cw.plot.swap_test(ex, swaps)
    bars = swaps.bars(swaps.answer).drop("random")
    for line, (_, bar) in enumerate(bars.iterrows()):
        (drawn,) = rectangles(ax, line)
        assert drawn.get_width() == pytest.approx(min(1.0, max(0.0, float(bar["recovered"]))))
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == [
        "its nearest neighbor",
        "one of the 20 nearest",
        "same carry2",
        "same carry2, far away",
        "the mean of all",
        "any two examples",
        "two alike in all else",
    ]
    follows = swaps.follows[swaps.follows["answer"] == swaps.answer]
    shares = [rectangles(ax, line)[0].get_width() for line in (6, 7)]
    assert shares == pytest.approx(follows["share"].tolist())
    written = [text.get_text() for text in ax.texts]
    for _, bar in bars.iterrows():
        assert f"{bar['unusual']:.1f}×" in written
    far = [text for text in ax.texts if to_hex(text.get_color()) == LIGHT.warn]
    assert len(far) == int((bars["unusual"] >= 1.5).sum())
    assert " ".join(ax.get_xlabel().split()) == swaps.sentence


def test_another_answer_can_be_chosen(ex: cw.Explorer, swaps: SwapTest) -> None:
    ax = cw.plot.swap_test(ex, swaps, "S1")
    assert ax.get_title(loc="left") == f"swap test at {STAGE}: irrelevant"


def test_what_does_not_fit_is_refused_before_a_figure_is_made(
    ex: cw.Explorer, swaps: SwapTest
) -> None:
    plot: Any = cw.plot
    calls: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: plot.parts(ex, []), ValueError, r"stages is \[\]"),
        (lambda: plot.parts(ex, "L9.z@0"), ValueError, "L9.z@0"),
        (lambda: plot.parts(None, STAGE), TypeError, "ex must be a clusterwidget.Explorer"),
        (lambda: plot.swap_test(ex, 3), TypeError, "not 3"),
        (lambda: plot.swap_test(ex, swaps, "S9"), ValueError, "'S9'"),
        (lambda: plot.swap_test(ex, swaps, concept="L1"), ValueError, "concept='L1'"),
        (lambda: plot.swap_test(ex, STAGE, pairs=0), ValueError, "pairs"),
    ]
    for call, error, message in calls:
        with pytest.raises(error, match=message):
            call()
    assert not plt.get_fignums()
