"""Nothing is clipped or runs over, narrow and wide, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.books import ARRAYS, WIDGET, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

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
    figure.resize(width)
    assert figure.faults() == []
    assert figure.root.evaluate(CONTRAST) >= 3
    height = figure.root.evaluate("root => root.getBoundingClientRect().height")
    assert height < 1000
    lattice = figure.grid.evaluate("canvas => JSON.parse(canvas.dataset.layout)")
    assert lattice["width"] >= 200
    assert lattice["height"] >= 200
