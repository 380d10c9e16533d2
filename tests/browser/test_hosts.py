"""What a host page says of bare elements in its outputs changes nothing in the figure."""

from __future__ import annotations

import pytest

from tests.browser.books import ARRAYS, WIDGET, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

# Rules of classic Notebook's style sheet, of Bootstrap 3 within it too.
HOSTILE = """
* { box-sizing: border-box; }
*:before, *:after { box-sizing: border-box; }
button, input, optgroup, select, textarea { color: inherit; font: inherit; margin: 0; }
button, select { text-transform: none; }
input, button, select, textarea { font-family: inherit; font-size: inherit; line-height: inherit; }
input[type="checkbox"], input[type="radio"] { margin: 4px 0 0; line-height: normal; }
input[type="number"]::-webkit-inner-spin-button { height: auto; }
input[type="range"] { display: block; width: 100%; }
label { display: inline-block; max-width: 100%; margin-bottom: 5px; font-weight: bold; }
svg:not(:root) { overflow: hidden; }
img { vertical-align: middle; border: 0; }
table { border-collapse: collapse; border-spacing: 0; background-color: transparent; }
h3, h4 { font-weight: 500; line-height: 1.1; margin-top: 20px; margin-bottom: 10px; }
h3 { font-size: 24px; } h4 { font-size: 18px; }
h3 small { font-weight: normal; line-height: 1; color: #777; font-size: 65%; }
p { margin: 0 0 10px; } ul, ol { margin-top: 0; margin-bottom: 10px; }
small { font-size: 85%; } b, strong { font-weight: bold; }
progress { display: inline-block; vertical-align: baseline; }
canvas { display: inline-block; vertical-align: baseline; }
div.output_area img, div.output_area svg { max-width: 100%; height: auto; }
div.output_area img.unconfined, div.output_area svg.unconfined { max-width: none; }
div.output_area pre { margin: 0; padding: 1px 0; border: 0; font-size: inherit; color: black; }
div.output_area .rendered_html table { margin-left: 0; margin-right: 0; }
div.output_area .rendered_html img { margin-left: 0; margin-right: 0; }
div.output_area .mglyph > img { max-width: none; }
.rendered_html { color: #000; letter-spacing: 0.5px; }
.rendered_html em { font-style: italic; } .rendered_html strong { font-weight: bold; }
.rendered_html u { text-decoration: underline; }
.rendered_html :link, .rendered_html :visited { text-decoration: underline; }
.rendered_html h3 { font-size: 100%; margin: 1em 0 0 0; font-weight: bold; line-height: 1.0; }
.rendered_html h4 { font-size: 100%; margin: 1em 0 0 0; font-style: italic; }
.rendered_html h3:first-child, .rendered_html h4:first-child { margin-top: 1em; }
.rendered_html ul:not(.list-inline), .rendered_html ol:not(.list-inline) { padding-left: 2em; }
.rendered_html ul { list-style: disc; } .rendered_html ol { list-style: decimal; }
.rendered_html * + ul, .rendered_html * + ol { margin-top: 1em; }
.rendered_html * + table, .rendered_html * + img, .rendered_html * + svg { margin-top: 1em; }
.rendered_html p { text-align: left; } .rendered_html * + p { margin-top: 1em; }
.rendered_html img { display: block; margin-left: auto; margin-right: auto; }
.rendered_html img, .rendered_html svg { max-width: 100%; height: auto; }
.rendered_html tr, .rendered_html th, .rendered_html td { padding: 0.5em; line-height: normal; }
.rendered_html tbody tr:hover { background: rgba(66, 165, 245, 0.2); }
.rendered_html code { background-color: #eff0f1; padding: 1px 5px; }
"""
# Where every element is, and how its text is set.
GEOMETRY = """root => {
  const corner = root.getBoundingClientRect();
  return [root, ...root.querySelectorAll("*")].map(e => {
    const { left, top, width, height } = e.getBoundingClientRect();
    const { fontSize, fontWeight, fontStyle, lineHeight, color, backgroundColor, display } =
      getComputedStyle(e);
    const at = [left - corner.left, top - corner.top, width, height].map(v => v.toFixed(1));
    return [`${e.tagName}.${e.className?.baseVal ?? e.className}`, ...at, fontSize, fontWeight,
      fontStyle, lineHeight, color, backgroundColor, display].join(" ");
  });
}"""
WRAP = """names => {
  const root = document.querySelector(".clusterwidget");
  for (let e = root.parentElement, i = 0; i < names.length; e = e.parentElement, i++) {
    e.classList.add(...names[i].split(" "));
  }
}"""


@pytest.mark.parametrize("width", [700, 1400])
def test_rules_of_classic_notebook_leave_the_figure_as_it_is(
    width: int, lab: Server, open_page: OpenPage
) -> None:
    page = open_page(lab_url(lab, write_notebook(lab.root, f"host-{width}", [ARRAYS, WIDGET])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    figure.part("atlas-legend").wait_for()
    figure.resize(width)
    figure.leave_grid()
    page.wait_for_timeout(1000)
    before: list[str] = figure.root.evaluate(GEOMETRY)
    page.evaluate(WRAP, ["rendered_html", "output_subarea", "output_area"])
    page.add_style_tag(content=HOSTILE)
    page.wait_for_timeout(500)
    figure.root.evaluate("(root, width) => { root.style.width = `${width}px`; }", width)
    page.wait_for_timeout(500)
    after: list[str] = figure.root.evaluate(GEOMETRY)
    changed = [f"{a} -> {b}" for a, b in zip(before, after, strict=True) if a != b]
    assert changed == []
