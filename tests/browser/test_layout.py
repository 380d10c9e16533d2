"""Nothing is clipped or runs over, narrow and wide, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.books import ARRAYS, WIDGET, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

# What sticks out of the figure sideways, and what is cut off without a way to scroll to it.
FAULTS = """root => {
  const faults = [];
  const box = root.getBoundingClientRect();
  const name = e => `${e.tagName}.${e.className?.baseVal ?? e.className}`;
  const scrolls = e => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  for (const e of root.querySelectorAll("*")) {
    const style = getComputedStyle(e);
    const { left, right, width, height } = e.getBoundingClientRect();
    if (width === 0 || height === 0 || style.visibility === "hidden") continue;
    let inScroller = false;
    for (let p = e.parentElement; p && p !== root; p = p.parentElement) inScroller ||= scrolls(p);
    if (!inScroller && (left < box.left - 1 || right > box.right + 1)) {
      faults.push(`${name(e)}: ${left} to ${right}, outside ${box.left} to ${box.right}`);
    }
    const cut = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
    if (cut && width > 2 && e.scrollWidth > e.clientWidth + 1) {
      faults.push(`${name(e)} shows ${e.clientWidth} px of ${e.scrollWidth}`);
    }
  }
  if (root.scrollWidth > root.clientWidth + 1) faults.push(`${root.scrollWidth} px wide`);
  return faults;
}"""
# How far text stands out from what is behind it, at worst, as WCAG counts it.
CONTRAST = """root => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0.5) return color;
    }
    return [255, 255, 255];
  };
  let worst = 21;
  for (const e of root.querySelectorAll("h3 span, .cw-label, .cw-name span, .cw-token b")) {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05));
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Page:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "layout", [ARRAYS, WIDGET])))
    run_all(page)
    Figure(page).wait_for_picture()
    return page


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("width", [700, 1400])
def test_figure_fits(opened: Page, width: int, theme: str) -> None:
    figure = Figure(opened)
    opened.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    for _ in range(2):
        now = figure.root.evaluate("root => root.getBoundingClientRect().width")
        window = opened.viewport_size
        assert window is not None
        opened.set_viewport_size(
            {"width": round(window["width"] + width - now), "height": window["height"]}
        )
        opened.wait_for_timeout(300)
    assert abs(figure.root.evaluate("root => root.getBoundingClientRect().width") - width) <= 1
    assert figure.root.evaluate(FAULTS) == []
    assert figure.root.evaluate(CONTRAST) >= 3
    height = figure.root.evaluate("root => root.getBoundingClientRect().height")
    assert height < 1000
    lattice = figure.grid.evaluate("canvas => JSON.parse(canvas.dataset.layout)")
    assert lattice["width"] >= 200
    assert lattice["height"] >= 200
