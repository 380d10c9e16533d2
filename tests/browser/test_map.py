"""The map in JupyterLab: points to hover, click and walk, a lasso, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.books import ARRAYS, WIDGET, kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

N = 400
STAGE = "L1.resid_post@b"


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[tuple[Figure, Kernel]]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "map", [ARRAYS, WIDGET])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    kernel = kernel_behind(lab, page)
    figure.part("arrange").select_option("map")
    page.locator("canvas.cw-points").wait_for()
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: tuple[Figure, Kernel]) -> Figure:
    figure, kernel = opened
    figure.leave_grid()
    kernel.run(
        "w.state = 'cw1?stage=L1.resid_post%40b&selected=0&k=100&arrange=map'; w.chosen = []"
    )
    figure.page.wait_for_timeout(500)
    return figure


@pytest.fixture
def kernel(opened: tuple[Figure, Kernel]) -> Kernel:
    return opened[1]


def middles(figure: Figure) -> np.ndarray:
    return np.array([figure.middle(example) for example in range(N)])


def lasso(figure: Figure, around: np.ndarray, *, shift: bool) -> None:
    """Draw a square around some points."""
    (left, top), (right, bottom) = around.min(axis=0) - 5, around.max(axis=0) + 5
    box = figure.grid.bounding_box()
    assert box is not None
    mouse = figure.page.mouse
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    at = [(box["x"] + x, box["y"] + y) for x, y in corners]
    if shift:
        figure.page.keyboard.down("Shift")
    mouse.move(*at[0])
    mouse.down()
    for corner in at[1:]:
        mouse.move(*corner, steps=4)
    mouse.up()
    if shift:
        figure.page.keyboard.up("Shift")


def test_points_lie_where_python_lays_them_out(figure: Figure, kernel: Kernel) -> None:
    assert kernel.value("w.arrange") == "map"
    points = np.array(kernel.value(f"explorer.layout('{STAGE}').points.tolist()"))
    found = middles(figure)
    scale = np.ptp(found[:, 0]) / np.ptp(points[:, 0])
    expected = scale * (points - points.mean(axis=0)) * [1, -1]
    np.testing.assert_allclose(found - found.mean(axis=0), expected, atol=1)
    shares = kernel.value(f"explorer.layout('{STAGE}').shares.tolist()")
    expect(figure.part("axis-0")).to_contain_text(f"component 1: {shares[0]:.0%} of the variance")
    expect(figure.part("axis-1")).to_contain_text(f"component 2: {shares[1]:.0%}")
    assert figure.faults() == []


def test_a_point_is_hovered_clicked_and_walked_from(figure: Figure, kernel: Kernel) -> None:
    # One that no other lies on.
    found = middles(figure)
    apart = np.linalg.norm(found[:, None] - found, axis=2) + 99 * np.eye(N)
    example = int(apart.min(axis=1)[1:].argmax()) + 1
    figure.enter_grid()
    x, y = found[example]
    figure.grid.hover(position={"x": x, "y": y})
    label = kernel.value(f"examples.labels[{example}]")
    expect(figure.part("tooltip")).to_contain_text(label)
    figure.click_cell(example)
    kernel.wait_for("w.selected", example)
    towards = 1 if x < np.median(found[:, 0]) else -1
    figure.grid.press("ArrowRight" if towards > 0 else "ArrowLeft")
    figure.grid.press("Enter")
    figure.page.wait_for_timeout(300)
    walked = kernel.value("w.selected")
    assert towards * (found[walked][0] - x) > 0
    figure.page.keyboard.press("Escape")
    kernel.wait_for("w.selected", example)


@pytest.mark.parametrize("shift", [True, False])
def test_a_lasso_chooses_what_it_goes_around(figure: Figure, kernel: Kernel, shift: bool) -> None:
    found = middles(figure)
    three = np.array(kernel.value("np.flatnonzero(b == 3).tolist()"))
    if not shift:
        figure.part("lasso").click()
    lasso(figure, found[three], shift=shift)
    (left, top), (right, bottom) = found[three].min(axis=0) - 5, found[three].max(axis=0) + 5
    inside = (found > [left, top]).all(axis=1) & (found < [right, bottom]).all(axis=1)
    kernel.wait_for("w.chosen.tolist()", np.flatnonzero(inside).tolist())
    expect(figure.part("chosen-count")).to_contain_text(f"{inside.sum()} of {N}")
    bars = figure.part("shared-by-chosen").locator("[data-concept=b]")
    expect(bars).to_contain_text("= 3")
    assert kernel.value("w.selected") == 0
    if not shift:
        figure.part("lasso").click()
        assert violations(figure) == []
    figure.part("undo").click()
    kernel.wait_for("w.chosen.tolist()", [])


def test_what_python_or_a_filter_chooses_is_drawn_and_made_a_concept(
    figure: Figure, kernel: Kernel
) -> None:
    kernel.run("w.chosen = np.flatnonzero(b > 6)")
    figure.part("tab-chosen").click()
    expect(figure.part("chosen-count")).to_contain_text(f"of {N}")
    figure.part("filter").fill("b = 2")
    figure.part("choose-filtered").click()
    kernel.wait_for("w.chosen.tolist()", kernel.value("np.flatnonzero(b == 2).tolist()"))
    figure.part("filter").fill("")
    figure.part("chosen-name").fill("twos")
    figure.part("chosen-name").press("Enter")
    kernel.wait_for("'twos' in w.examples.concepts", True)
    made = kernel.value("w.examples.concepts['twos'].tolist()")
    assert made == kernel.value("(b == 2).astype(int).tolist()")
    expect(figure.part("color")).to_have_value("twos")
    figure.part("chosen-clear").click()
    kernel.wait_for("len(w.chosen)", 0)
    expect(figure.part("tab-chosen")).to_have_count(0)
