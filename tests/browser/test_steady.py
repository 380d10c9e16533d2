"""The grid stays where it is, whatever arrives, and a press counts for what was under it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.books import (
    kernel_behind,
    lab_url,
    run_all,
    voila_url,
    wait_for_kernel,
    write_notebook,
)
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

# The stage holds a carry: its atlas arranges the grid by other concepts than its position does.
BOOK = """
import clusterwidget as cw

problems = cw.addition.problems(2000, seed=0)
w = cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1H0.result@S3")
w
"""
# Where the grid is in the figure, in every frame since it was first painted: each place once.
RECORD = """() => {
  window.places = [];
  const look = () => {
    const root = document.querySelector(".clusterwidget[data-painted-revision]");
    const canvas = root?.querySelector("[data-role=grid]");
    if (canvas) {
      const [a, b] = [root.getBoundingClientRect(), canvas.getBoundingClientRect()];
      const place = [b.x - a.x, b.y - a.y, b.width, b.height, a.width, a.height].join(" ");
      if (window.places.at(-1) !== place) window.places.push(place);
    }
    requestAnimationFrame(look);
  };
  look();
}"""
AXES = """() => [...document.querySelectorAll(".cw-top em, .cw-side em")]
  .map(name => name.textContent).join(" × ")"""


def settle(figure: Figure) -> None:
    """Wait until the atlas has come and nothing is being got ready."""
    figure.part("atlas-legend").wait_for(timeout=120_000)
    expect(figure.part("preparing")).to_have_count(0, timeout=120_000)
    figure.page.wait_for_timeout(500)


@pytest.mark.parametrize("host", ["lab", "voila"])
@pytest.mark.parametrize("width", [700, 1400])
def test_the_grid_never_moves(
    host: str, width: int, lab: Server, voila: Server, open_page: OpenPage
) -> None:
    name = write_notebook(lab.root, f"steady-{width}", [BOOK])
    # Beside the figure are the host's own margins, and JupyterLab's side bar.
    window = width + (480 if host == "lab" else 60)
    if host == "lab":
        page = open_page(lab_url(lab, name), width=window)
        wait_for_kernel(page)
        page.evaluate(RECORD)
        run_all(page)
    else:
        page = open_page(voila_url(voila, name), width=window)
        page.evaluate(RECORD)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.grid.hover(position={"x": 60, "y": 60})
    before = page.evaluate(AXES)
    settle(figure)
    arriving = figure.part("arriving")
    expect(arriving).to_contain_text("Better rows and columns are ready.")
    assert page.evaluate(AXES) == before
    figure.leave_grid()
    page.wait_for_function(f"before => ({AXES})() !== before", arg=before)
    expect(arriving).to_have_text("")
    figure.root.locator("button[data-answer=S1]").click()
    figure.part("trace-summary").wait_for()
    with figure.repaint(selected=42):
        x, y = figure.middle(42)
        figure.grid.click(position={"x": x, "y": y})
    x, y = figure.middle(77)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    figure.part("swap-answers").wait_for()
    page.wait_for_timeout(500)
    assert len(page.evaluate("window.places")) == 1, page.evaluate("window.places")


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[tuple[Figure, Kernel]]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "waiting", [BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    settle(figure)
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


def test_a_press_counts_for_what_was_under_it(opened: tuple[Figure, Kernel]) -> None:
    figure, kernel = opened
    kernel.run("w.arrange_by = ['L1', 'R1']")
    kernel.wait_for("list(w.arrange_by)", ["L1", "R1"])
    figure.page.wait_for_function(f"({AXES})() === 'R1 × L1'")
    box = figure.grid.bounding_box()
    assert box is not None
    x, y = figure.middle(123)
    figure.page.mouse.move(box["x"] + x, box["y"] + y)
    figure.page.mouse.down()
    with figure.repaint():
        kernel.run("w.arrange_by = ['L3', 'R3']")
    figure.page.wait_for_function(f"({AXES})() === 'R3 × L3'")
    assert figure.middle(123) != (x, y)
    with figure.repaint(selected=123):
        figure.page.mouse.up()
    kernel.wait_for("w.selected", 123)
    figure.leave_grid()
    kernel.run("w.arrange_by = []")
