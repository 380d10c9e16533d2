"""The figure stands on its host's own background, and honors what a person asked the system for."""

from __future__ import annotations

import pytest

from tests.browser.books import ARRAYS, WIDGET, voila_url, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

# The figure's background, and the nearest one around it that can be seen.
GROUNDS = """root => {
  const of = e => getComputedStyle(e).backgroundColor;
  let around = root.parentElement;
  while (around && /, 0\\)$/.test(of(around))) around = around.parentElement;
  return [of(root), around && of(around)];
}"""
# Makes the page around another host's: no color but the body's, and what the host says of itself.
HOST = """([body, html, color, name]) => {
  let e = document.querySelector(".clusterwidget").parentElement;
  for (; e; e = e.parentElement) e.style.setProperty("background", "transparent", "important");
  document.body.style.setProperty("background", color, "important");
  document.documentElement.style.setProperty("--jp-layout-color0", "initial");
  document.body.style.setProperty("--jp-layout-color0", "initial");
  if (name) document.documentElement.style.setProperty(name, "rgb(30, 31, 32)");
  document.body.removeAttribute("data-jp-theme-light");
  document.body.className = body;
  document.documentElement.removeAttribute("theme");
  if (html) document.documentElement.setAttribute("theme", html);
}"""


@pytest.fixture(scope="module")
def figure(voila: Server, open_module_page: OpenPage) -> Figure:
    url = voila_url(voila, write_notebook(voila.root, "themes", [ARRAYS, WIDGET]))
    figure = Figure(open_module_page(f"{url}?theme=dark", width=760))
    figure.wait_for_picture(seconds=120)
    figure.part("atlas-legend").wait_for()
    return figure


def theme(figure: Figure) -> str | None:
    figure.page.wait_for_timeout(600)
    return figure.root.get_attribute("data-theme")


def test_in_a_dark_voila_the_figure_and_the_page_are_one(figure: Figure) -> None:
    assert theme(figure) == "dark"
    own, around = figure.root.evaluate(GROUNDS)
    assert own == around


def test_high_contrast_has_the_colors_of_the_system_but_for_data(figure: Figure) -> None:
    page = figure.page
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    own, ink = figure.root.evaluate(
        """root => {
          const probe = document.createElement("i");
          probe.style.cssText = "background: Canvas; color: CanvasText; forced-color-adjust: none";
          root.append(probe);
          const [a, b] = [getComputedStyle(root), getComputedStyle(probe)];
          const found = [[a.backgroundColor, b.backgroundColor], [a.color, b.color]];
          probe.remove();
          return found;
        }"""
    )
    assert own[0] == own[1]
    assert ink[0] == ink[1]
    cells = figure.root.locator("[data-stage]")
    colors = cells.evaluate_all("all => all.map(e => getComputedStyle(e).backgroundColor)")
    assert len(set(colors)) > 1
    moving = figure.root.evaluate(
        """root => [...root.querySelectorAll("*")]
          .filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"""
    )
    assert moving == 0
    page.emulate_media(forced_colors="none", reduced_motion="no-preference")


@pytest.mark.parametrize(
    ("body", "html", "color", "name", "expected"),
    [
        # A page that says nothing of its theme is told by its color.
        ("", "", "rgb(250, 250, 250)", "", ("light", "rgb(250, 250, 250)")),
        ("", "", "rgb(20, 20, 30)", "", ("dark", "rgb(20, 20, 30)")),
        (
            "vscode-dark",
            "",
            "transparent",
            "--vscode-editor-background",
            ("dark", "rgb(30, 31, 32)"),
        ),
        ("", "dark", "transparent", "--colab-primary-surface-color", ("dark", "rgb(30, 31, 32)")),
    ],
)
def test_other_hosts_are_followed(
    figure: Figure, body: str, html: str, color: str, name: str, expected: tuple[str, str]
) -> None:
    figure.page.evaluate(HOST, [body, html, color, name])
    assert (theme(figure), figure.root.evaluate(GROUNDS)[0]) == expected
