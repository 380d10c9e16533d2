"""From a phone's width to a wide screen: all is in sight, and what comes and goes moves nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.books import voila_url, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

BOOK = """
import clusterwidget as cw

problems = cw.addition.problems(1000, seed=0)
cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1H0.result@S3")
"""
WIDTHS = (1600, 1400, 1000, 700, 360)
# Lines of the adder's default kinds: embedding and logits, and in each layer a heading, the
# pattern and the result of 4 heads, and what heads, neurons and stream hold.
LINES = 2 + 2 * (1 + 4 + 4 + 3)
# How many of these are whole in sight of a scrolled element.
IN_SIGHT = """(scroller, [selector, heads]) => {
  const { top, bottom, left, right } = scroller.getBoundingClientRect();
  const above = heads === "" ? top : scroller.querySelector(heads).getBoundingClientRect().bottom;
  return [...scroller.querySelectorAll(selector)].map(e => e.getBoundingClientRect())
    .filter(box => box.top >= above - 1 && box.bottom <= bottom + 1
      && box.left >= left - 1 && box.right <= right + 1).length;
}"""
# What has to be scrolled to be seen whole, but for the long list of neighbors.
SCROLLED = """root => [...root.querySelectorAll("*")].filter(e => {
  const { overflowX, overflowY } = getComputedStyle(e);
  const scrolls = [overflowX, overflowY].some(way => ["auto", "scroll"].includes(way));
  return scrolls && e.dataset.role !== "neighbors" && e.clientHeight > 0
    && (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1);
}).map(e => `${e.className || e.tagName}: ${e.scrollWidth} × ${e.scrollHeight} px in ${
  e.clientWidth} × ${e.clientHeight}`)"""
# Parts that stand side by side, and must not lie over one another.
OVERLAPS = """root => {
  const sides = ["", ".cw-header", ".cw-main", ".cw-map", ".cw-grid", ".cw-near", ".cw-beside",
    ".cw-swap", ".cw-swap-more", ".cw-facts", ".cw-footer", ".cw-map h3", ".cw-menus"];
  const found = [];
  for (const side of sides) {
    const parent = side === "" ? root.querySelector(".cw-body") : root.querySelector(side);
    const parts = [...parent?.children ?? []].filter(e => {
      const { width, height } = e.getBoundingClientRect();
      return width > 1 && height > 1 && !e.classList.contains("cw-spoken");
    });
    parts.forEach((a, i) => parts.slice(i + 1).forEach(b => {
      const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
      const across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (across > 1 && down > 1) found.push(`${side}: ${a.className} over ${b.className}`);
    }));
  }
  return found;
}"""
# Where the panels and the parts of them that are always there lie in the figure.
PLACES = """root => {
  const corner = root.getBoundingClientRect();
  const parts = [".cw-tokens", ".cw-actions", ".cw-map", "[data-role=stage-map]", ".cw-foot",
    ".cw-grid", "[data-role=grid]", ".cw-below", ".cw-near", ".cw-footer"];
  return Object.fromEntries(parts.map(part => {
    const { x, y, width, height } = root.querySelector(part).getBoundingClientRect();
    return [part, [x - corner.x, y - corner.y, width, height].map(Math.round).join(" ")];
  }));
}"""


@pytest.fixture(scope="module")
def figure(voila: Server, open_module_page: OpenPage) -> Figure:
    page = open_module_page(voila_url(voila, write_notebook(voila.root, "widths", [BOOK])))
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("atlas-legend").wait_for(timeout=120_000)
    expect(figure.part("preparing")).to_have_count(0, timeout=120_000)
    figure.part("lens").wait_for()
    return figure


def check(figure: Figure, *, scrolls: bool = False) -> None:
    """Check that nothing sticks out, is cut, lies over another part or has to be scrolled."""
    assert figure.faults() == []
    assert figure.root.evaluate(OVERLAPS) == []
    if not scrolls:
        assert figure.root.evaluate(SCROLLED) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_all_rows_eight_neighbors_and_the_bars_are_in_sight(figure: Figure, width: int) -> None:
    figure.resize(width)
    figure.leave_grid()
    check(figure)
    lines = figure.part("stage-map").evaluate(IN_SIGHT, [".cw-line, .cw-layer", ".cw-heads"])
    assert lines == LINES
    neighbors = figure.part("neighbors").evaluate(IN_SIGHT, ["[data-example]", ""])
    assert neighbors >= 8
    assert figure.part("shared").locator("[data-concept]").count() >= 3
    height = figure.root.evaluate("root => root.getBoundingClientRect().height")
    assert height < {1600: 600, 1400: 600, 1000: 880, 700: 880, 360: 2000}[width]


@pytest.mark.parametrize("width", [1400, 700, 360])
def test_what_comes_and_goes_moves_nothing(figure: Figure, width: int) -> None:
    figure.resize(width)
    figure.leave_grid()
    before = figure.root.evaluate(PLACES)
    traced = figure.root.locator("button[data-answer=S2]")
    traced.click()
    figure.part("trace-summary").wait_for()
    figure.grid.scroll_into_view_if_needed()
    x, y = figure.middle(77)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    figure.part("swap-answers").locator("b").first.wait_for()
    figure.leave_grid()
    check(figure)
    assert figure.root.evaluate(PLACES) == before
    traced.click()
    figure.part("swap-dismiss").click()
    choice = figure.part("explained-by")
    choice.select_option(label="swap tests")
    check(figure)
    for tab in ("made-of", "swap-test", "near"):
        figure.part(f"tab-{tab}").click()
        figure.page.wait_for_timeout(300)
        check(figure, scrolls=tab != "near")
        assert figure.root.evaluate(PLACES) == before
    choice.select_option(label="what explains it")
    figure.part("explained-by").select_option(label="carry2")
    check(figure)
    choice.select_option(index=0)
    assert figure.root.evaluate(PLACES) == before


def test_a_given_height_is_kept_at_any_width(figure: Figure) -> None:
    figure.root.evaluate("root => root.style.setProperty('--cw-height', '500px')")
    for width in (1400, 700, 360):
        figure.resize(width)
        assert figure.root.evaluate("root => root.getBoundingClientRect().height") == 500
    figure.root.evaluate("root => root.style.removeProperty('--cw-height')")
