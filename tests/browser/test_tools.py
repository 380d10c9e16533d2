"""The grid's tools in JupyterLab: filter, brush, colors, zoom, save, and two linked figures."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.books import ARRAYS, WIDGET, kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure, assert_order_of_brightness
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

N = 400
HOSTILE = '=cmd() <img src=x onerror="window.harmed=1"></script>\u202e'
# The nearest to example 0 at the first stage is called so, and so is a value of a concept.
BOOK = ARRAYS.replace(
    "examples = cw.Examples(",
    f"""hostile = {HOSTILE!r}
labels = [f"{{x}} and {{y}}" for x, y in zip(a, b)]
twin = int(np.flatnonzero(b == b[0])[1])
labels[twin] = hostile
examples = cw.Examples(""",
).replace('labels=[f"{x} and {y}" for x, y in zip(a, b)],', "labels=labels,")
BOOK = BOOK.replace(
    '"even": a % 2 == 0}', '"even": a % 2 == 0, "kind": np.where(a > 4, hostile, "x")}'
)
MIDDLES = """(canvas, n) => Array.from({ length: n }, (_, example) => {
  const detail = { example };
  canvas.dispatchEvent(new CustomEvent("clusterwidget:locate", { detail }));
  const { x, y, width, height } = detail.rectangle;
  return [(x + width / 2) / devicePixelRatio, (y + height / 2) / devicePixelRatio];
})"""
OPACITY = """(canvas, n) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: n }, (_, example) => {
    const detail = { example };
    canvas.dispatchEvent(new CustomEvent("clusterwidget:locate", { detail }));
    const { x, y, width, height } = detail.rectangle;
    return data[4 * ((y + (height >> 1)) * canvas.width + x + (width >> 1)) + 3];
  });
}"""


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[tuple[Figure, Kernel]]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "tools", [BOOK, WIDGET])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: tuple[Figure, Kernel]) -> Figure:
    figure, kernel = opened
    figure.leave_grid()
    kernel.run("w.state = 'cw1?stage=L1.resid_post%40b&selected=0&k=100'")
    figure.page.wait_for_timeout(500)
    assert figure.painted()["selected"] == "0"
    return figure


@pytest.fixture
def kernel(opened: tuple[Figure, Kernel]) -> Kernel:
    return opened[1]


def strong(figure: Figure) -> list[int]:
    """Return the examples whose cells are not faded."""
    # What was changed before this is painted in the next frame.
    figure.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    opacity = figure.grid.evaluate(OPACITY, N)
    return [example for example, alpha in enumerate(opacity) if alpha == 255]


def test_a_filter_fades_what_python_leaves_out(figure: Figure, kernel: Kernel) -> None:
    assert len(strong(figure)) == N
    figure.part("filter").press_sequentially("a > 6 and not b = 3")
    kernel.wait_for("w.filter", "a > 6 and not b = 3")
    expected = kernel.value("w.filtered.tolist()")
    assert 0 < len(expected) < N
    assert strong(figure) == expected
    expect(figure.part("filtered")).to_have_text(f"{len(expected)} of {N}")
    near = kernel.value("int(np.isin(w.neighbors['example'], w.filtered).sum())")
    expect(figure.part("filter-note")).to_contain_text(f"{near} pass")

    figure.part("filter").press_sequentially(" or")
    expect(figure.part("filter-problem")).to_have_text("There is nothing after “or”.")
    assert strong(figure) == expected
    assert kernel.value("w.filter.strip()") == "a > 6 and not b = 3"

    # All of what was typed is one step.
    figure.part("undo").click()
    kernel.wait_for("w.filter", "")
    expect(figure.part("filter")).to_have_value("")
    assert len(strong(figure)) == N
    figure.part("redo").click()
    kernel.wait_for("w.filter.strip()", "a > 6 and not b = 3")
    kernel.run("w.filter = 'even = True'")
    expect(figure.part("filter")).to_have_value("even = True")
    assert strong(figure) == kernel.value("w.filtered.tolist()")


def test_a_range_of_distances_is_marked_by_drag_and_by_keys(figure: Figure, kernel: Kernel) -> None:
    distances = np.array(kernel.value("w.distances.tolist()"))
    figure.part("brush").scroll_into_view_if_needed()
    box = figure.part("brush").bounding_box()
    assert box is not None
    mouse = figure.page.mouse
    mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 9)
    mouse.down()
    mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 9, steps=4)
    mouse.up()
    low, high = np.sort(distances)[1], distances.max()
    shares = (distances - low) / (high - low)
    found = strong(figure)
    inside = np.flatnonzero((shares > 0.31) & (shares < 0.79)).tolist()
    near = np.flatnonzero((shares > 0.29) & (shares < 0.81)).tolist()
    assert inside
    assert set(inside) <= set(found) <= set(near)
    expect(figure.part("brushed")).to_contain_text(f"{len(found)} examples from")
    figure.page.keyboard.press("Escape")
    assert len(strong(figure)) == N

    figure.part("brush-to").focus()
    for _ in range(12):
        figure.page.keyboard.press("Shift+ArrowLeft")
    assert figure.part("brush-to").get_attribute("aria-valuenow") == "40"
    found = strong(figure)
    assert set(np.flatnonzero(shares < 0.39)) <= set(found) <= set(np.flatnonzero(shares < 0.41))
    assert 0 in found
    figure.part("brush").dblclick(position={"x": 30, "y": 5})
    assert len(strong(figure)) == N


def test_palette_and_scale_recolor_the_grid_and_the_legend(figure: Figure, kernel: Kernel) -> None:
    figure.part("colors").click()
    figure.part("palette").select_option("gray")
    figure.part("near").select_option("dark")
    figure.part("scale").select_option("rank")
    kernel.wait_for("[w.palette, w.near, w.scale]", ["gray", "dark", "rank"])
    figure.page.keyboard.press("Escape")
    expect(figure.part("palette")).to_have_count(0)
    luminance = figure.luminance(N)
    distances = np.array(kernel.value("w.distances.tolist()"))
    order = np.argsort(distances, kind="stable")
    assert np.all(np.diff(luminance[order]) >= -1.01)
    # By rank every gray is as frequent; the examples at distance 0 share the darkest.
    assert abs(np.median(luminance) - 127) < 12
    ramp = figure.part("legend").locator(".cw-ramp").get_attribute("style")
    assert ramp is not None
    assert ramp.count("rgb") >= 17
    assert "rgb(15, 15, 15)" in ramp


def test_the_kernel_measures_by_the_metric_that_is_chosen(figure: Figure, kernel: Kernel) -> None:
    with figure.repaint():
        kernel.run("w.metric = 'cosine'")
    expect(figure.part("legend")).to_contain_text("distance (cosine)")
    distances = np.array(kernel.value("w.distances.tolist()"))
    assert distances.max() <= 2
    assert_order_of_brightness(figure.luminance(N), distances)
    figure.part("colors").click()
    with figure.repaint():
        figure.part("metric").select_option("whitened")
    figure.page.keyboard.press("Escape")
    kernel.wait_for("w.metric", "whitened")
    distances = np.array(kernel.value("w.distances.tolist()"))
    assert_order_of_brightness(figure.luminance(N), distances)
    assert "metric=whitened" in kernel.value("w.state")


def test_zoomed_cells_are_where_they_are_pressed(figure: Figure, kernel: Kernel) -> None:
    page = figure.page
    figure.root.scroll_into_view_if_needed()
    figure.grid.hover()
    # The plain wheel is the page's.
    page.mouse.wheel(0, 40)
    page.wait_for_timeout(450)
    assert kernel.value("w.zoom[0]") == 1
    page.mouse.wheel(0, -40)
    figure.grid.hover()
    page.keyboard.down("Control")
    for _ in range(5):
        page.mouse.wheel(0, -100)
        page.wait_for_timeout(40)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('canvas.cw-zoomed') !== null")
    page.wait_for_timeout(600)
    scale = kernel.value("w.zoom[0]")
    assert 5 < scale < 14
    size = figure.grid.evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    middles = np.array(figure.grid.evaluate(MIDDLES, N))
    inside = np.all((middles > 20) & (middles < np.array(size) - 20), axis=1)
    seen = np.flatnonzero(inside).tolist()
    assert 0 < len(seen) < N / 3
    for example in (seen[0], seen[-1]):
        x, y = figure.middle(example)
        figure.grid.hover(position={"x": x, "y": y})
        label = kernel.value(f"w.examples.labels[{example}]")
        expect(figure.part("tooltip")).to_contain_text(label[:8])
    # A drag moves the grid and selects nothing; a press without one selects.
    x, y = figure.middle(seen[0])
    corner = figure.grid.bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + size[0] / 2, corner["y"] + size[1] / 2)
    page.mouse.down()
    page.mouse.move(corner["x"] + size[0] / 2 + 37, corner["y"] + size[1] / 2 + 12, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    moved = figure.middle(seen[0])
    assert (abs(moved[0] - x - 37), abs(moved[1] - y - 12)) <= (2, 2)
    assert kernel.value("w.selected") == 0
    with figure.repaint(selected=seen[0]):
        figure.grid.click(position={"x": moved[0], "y": moved[1]})
    figure.grid.press("0")
    page.wait_for_function("document.querySelector('canvas.cw-zoomed') === null")
    figure.grid.press("+")
    page.wait_for_timeout(500)
    assert kernel.value("w.zoom[0]") == 1.5
    figure.part("zoom-whole").click()
    kernel.wait_for("w.zoom", [1, 0, 0])


def saved(figure: Figure, role: str, folder: Path) -> Path:
    """Press an entry of the save menu and return the file."""
    if figure.part(role).count() == 0:
        figure.part("save").click()
    with figure.page.expect_download() as download:
        figure.part(role).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_what_is_on_screen_is_saved_as_text_never_as_markup(
    figure: Figure, kernel: Kernel, tmp_path: Path
) -> None:
    kernel.run("w.k = 60; w.filter = 'even = True'; w.color_by = 'kind'; w.selected = twin")
    figure.page.wait_for_timeout(800)
    svg = saved(figure, "save-svg", tmp_path)
    assert svg.name == f"grid-{kernel.value('twin')}-L1.resid_post@b.svg"
    tree = ET.parse(svg)
    known = ["svg", "defs", "linearGradient", "stop", "rect", "text", "image"]
    assert {element.tag.split("}")[1] for element in tree.iter()} <= set(known)
    texts = [element.text or "" for element in tree.iter() if element.tag.endswith("text")]
    shown = HOSTILE.replace("\u202e", "\ufffd")
    assert shown in texts
    assert f"even = True: {len(kernel.value('w.filtered.tolist()'))} of {N} examples" in texts

    picture = Image.open(saved(figure, "save-png", tmp_path))
    width, height = (int(tree.getroot().get(name, "0")) for name in ("width", "height"))
    assert picture.size == (2 * width, 2 * height)
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10

    kernel.run("w.selected = 0; w.color_by = 'distance'")
    figure.page.wait_for_timeout(500)
    text = saved(figure, "save-neighbors", tmp_path).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["example"]) for row in rows] == kernel.value("w.neighbors['example'].tolist()")
    distances = [float(row["distance"]) for row in rows]
    expected = kernel.value("w.neighbors['distance'].tolist()")
    np.testing.assert_allclose(distances, expected, rtol=1e-6)
    assert f"'{shown}" in [row["label"] for row in rows]
    assert {row["passes_filter"] for row in rows} <= {"true", "false"}
    shared = saved(figure, "save-shared", tmp_path).read_text(encoding="utf-8")
    assert shared.splitlines()[0] == "concept,value,share,base,p,under"
    assert len(shared.splitlines()) > 1

    # The text in the menu is Python's, and brings all of it back.
    figure.root.get_by_role("button", name="layer 0").click()
    figure.page.wait_for_timeout(500)
    assert kernel.value("w.unfolded") == [1]
    if figure.part("view-text").count() == 0:
        figure.part("save").click()
    view = figure.part("view-text").input_value()
    assert view == kernel.value("w.state")
    kernel.run("w.state = 'cw1?stage=L0.resid_post%40a&selected=9&k=3'")
    kernel.run(f"w.state = {view!r}")
    assert kernel.value("[w.k, w.filter, w.stage]") == [60, "even = True", "L1.resid_post@b"]
    folded = figure.root.locator("[role=row][aria-expanded=false]")
    expect(folded).to_have_count(1)
    kernel.run("w.unfolded = None")
    expect(folded).to_have_count(0)
    assert figure.page.evaluate("window.harmed") is None
    figure.page.keyboard.press("Escape")


def test_full_screen_fills_the_screen_and_goes_back(figure: Figure) -> None:
    page = figure.page
    figure.part("full-screen").click()
    page.wait_for_function("document.fullscreenElement?.classList.contains('clusterwidget')")
    page.wait_for_timeout(300)
    body, window = page.evaluate(
        "[document.querySelector('.cw-body').clientHeight, window.innerHeight]"
    )
    assert abs(body - window) <= 2
    figure.part("full-screen").click()
    page.wait_for_function("document.fullscreenElement === null")


def test_a_page_from_disk_filters_and_saves_without_a_kernel(
    open_page: OpenPage, tmp_path: Path
) -> None:
    made: dict[str, Any] = {}
    exec(BOOK, made)
    path = tmp_path / "page.html"
    made["cw"].ClusterWidget(made["explorer"], filter="a > 6", zoom=[2.0, 0.1, 0.2]).export(
        path, tell=None
    )
    page = open_page(path.as_uri())
    figure = Figure(page)
    figure.wait_for_picture()
    expect(figure.part("filter")).to_have_value("a > 6")
    expect(figure.root.locator("canvas.cw-zoomed")).to_have_count(1)
    figure.part("zoom-whole").click()
    figure.part("filter").fill("even = True")
    assert strong(figure) == made["examples"].where("even = True").tolist()
    assert saved(figure, "save-png", tmp_path).read_bytes().startswith(b"\x89PNG")
    shown = HOSTILE.replace("\u202e", "\ufffd")
    figure.part("filter").fill(f'"{HOSTILE[:5]}"')
    assert strong(figure) == [made["twin"]]
    figure.part("k").fill("60")
    figure.part("k").press("Enter")
    assert f"'{shown}" in next(
        row[1]
        for row in csv.reader(
            io.StringIO(saved(figure, "save-neighbors", tmp_path).read_text(encoding="utf-8"))
        )
        if row[0] == str(made["twin"])
    )
    assert page.evaluate("window.harmed") is None


PAIR = """
pair = cw.compare((explorer, "L0.resid_post@a"), (explorer, "L1.resid_post@b"))
left, right = pair.children
pair
"""
GROUND = """page => [...document.querySelectorAll(".clusterwidget")].map(root => {
  const { x, y, width } = root.getBoundingClientRect();
  return [x, y, width];
})"""


def shows(page: Page, index: int, name: str, value: str) -> None:
    """Wait until one of two figures shows something."""
    page.wait_for_function(
        """([index, name, value]) =>
          document.querySelectorAll(".clusterwidget")[index]?.dataset[name] === value""",
        arg=[index, name, value],
        timeout=20_000,
    )


def test_two_figures_go_together(lab: Server, open_page: OpenPage) -> None:
    page = open_page(lab_url(lab, write_notebook(lab.root, "pair", [ARRAYS, PAIR])), width=1800)
    run_all(page)
    for index, stage in enumerate(["L0.resid_post@a", "L1.resid_post@b"]):
        shows(page, index, "paintedStage", stage)
    kernel = kernel_behind(lab, page)
    grids = [page.locator("[data-role=grid]").nth(index) for index in (0, 1)]
    (x0, y0, w0), (x1, y1, w1) = page.evaluate(GROUND)
    assert abs(y0 - y1) < 2
    assert x1 >= x0 + w0
    assert abs(w0 - w1) < 2

    x, y = grids[0].evaluate(MIDDLES, 6)[5]
    grids[0].hover(position={"x": x, "y": y})
    expect(page.locator("[data-role=marker]")).to_have_count(2)
    page.mouse.move(2, 2)
    expect(page.locator("[data-role=marker]")).to_have_count(0)

    x, y = grids[1].evaluate(MIDDLES, 99)[98]
    grids[1].click(position={"x": x, "y": y})
    page.wait_for_function(
        """() => { const [a, b] = document.querySelectorAll(".clusterwidget");
          return a.dataset.paintedSelected !== "0"
            && a.dataset.paintedSelected === b.dataset.paintedSelected; }"""
    )
    chosen = page.evaluate(
        "Number(document.querySelector('.clusterwidget').dataset.paintedSelected)"
    )
    kernel.wait_for("[left.selected, right.selected]", [chosen, chosen])
    page.locator("[data-role=filter]").nth(0).fill("even = True")
    expect(page.locator("[data-role=filter]").nth(1)).to_have_value("even = True")
    kernel.wait_for("[left.filter, right.filter]", ["even = True"] * 2)
    kernel.run("right.selected = 7")
    for index in (0, 1):
        shows(page, index, "paintedSelected", "7")
    kernel.wait_for("left.selected", 7)
    assert kernel.value("[left.stage, right.stage]") == ["L0.resid_post@a", "L1.resid_post@b"]

    page.set_viewport_size({"width": 1100, "height": 900})
    page.wait_for_timeout(800)
    (x0, y0, _), (x1, y1, _) = page.evaluate(GROUND)
    assert abs(x0 - x1) < 2
    assert y1 > y0 + 300
    kernel.close()
