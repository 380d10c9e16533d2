"""What a stage knows, in the page: shared concepts, the atlas, the lens, clusters."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.books import kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

BOOK = """
import clusterwidget as cw

problems = cw.addition.problems(2000, seed=0)
w = cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1H0.result@S3")
w
"""
Opened = tuple[Figure, Kernel]


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[Opened]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "knowledge", [BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("atlas-legend").wait_for(timeout=120_000)
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: Opened) -> Figure:
    return opened[0]


@pytest.fixture
def kernel(opened: Opened) -> Kernel:
    return opened[1]


def go_to(figure: Figure, stage: str) -> None:
    """Choose a stage, unless it is the one that is shown."""
    if figure.painted()["stage"] != stage:
        figure.choose_stage(stage)


def bars(figure: Figure, selected: int) -> dict[str, str]:
    """Return the bars' numbers by concept, once they are those of an example."""
    figure.root.locator(f"[data-role=shared][data-selected='{selected}']").wait_for()
    found: dict[str, str] = figure.part("shared").evaluate(
        "list => Object.fromEntries([...list.querySelectorAll('[data-concept]')].map("
        "bar => [bar.dataset.concept, bar.querySelector('b').textContent]))"
    )
    return found


def test_bars_say_what_python_says_the_neighbors_share(figure: Figure, kernel: Kernel) -> None:
    figure.click_cell(42)
    kernel.wait_for("w.selected", 42)
    shown = bars(figure, 42)
    rows = kernel.value("w.explorer.shared(w.stage, 42, w.k).to_json(orient='records')")
    expected = {row["concept"]: row for row in json.loads(rows)}
    assert next(iter(shown)) in {
        name for name, row in expected.items() if row["wide_agreement"] > 0.99
    }
    assert "carry2" in shown
    for name, numbers in shown.items():
        share, base = expected[name]["share"], expected[name]["base"]
        assert numbers == f"{100 * share:.0f}% | {100 * base:.0f}%", name


def test_hovering_a_bar_marks_its_examples_and_leaving_clears_them(figure: Figure) -> None:
    figure.click_cell(43)
    bars(figure, 43)
    marks = figure.root.locator("canvas.cw-marks")
    count = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)\
        .data.filter((value, at) => at % 4 === 3 && value > 0).length"
    figure.leave_grid()
    figure.page.wait_for_timeout(300)
    before = marks.evaluate(count)
    figure.root.locator("[data-concept='carry2']").hover()
    figure.page.wait_for_function(
        f"before => ({count})(document.querySelector('canvas.cw-marks')) !== before", arg=before
    )
    figure.leave_grid()
    figure.page.wait_for_function(
        f"before => ({count})(document.querySelector('canvas.cw-marks')) === before", arg=before
    )


def test_the_atlas_colors_stages_by_what_explains_them(figure: Figure) -> None:
    legend = figure.part("atlas-legend").locator("span").all_inner_texts()
    assert {"digit of L", "digit of R", "answer digit", "sum", "carry"} <= set(legend)
    notes = figure.part("notes").get_attribute("data-tip")
    assert notes is not None
    assert "carry4 divides these examples exactly as S4 does." in notes
    color = "cell => getComputedStyle(cell).backgroundColor"

    def shown(stage: str) -> str:
        found: str = figure.root.locator(f'[data-stage="{stage}"]').evaluate(color)
        return found

    left, right = shown("embed@L3"), shown("embed@R3")
    assert left == shown("embed@L2") != right
    # Only the rows in sight are there.
    figure.part("stage-map").evaluate("map => map.scrollTo(0, 1e6)")
    answer = shown("logits@S3")
    figure.part("stage-map").evaluate("map => map.scrollTo(0, 0)")
    assert answer not in (left, right)


def test_one_concept_can_be_followed_through_the_model(figure: Figure) -> None:
    color = "cell => getComputedStyle(cell).backgroundColor"
    cell = figure.root.locator('[data-stage="embed@L3"]')
    before = cell.evaluate(color)
    figure.part("explained-by").select_option(label="carry2")
    carry = figure.root.locator('[data-stage="L1H0.result@S3"]').evaluate(color)
    assert cell.evaluate(color) not in (before, carry)
    figure.part("explained-by").select_option(index=0)
    expect(cell).to_have_css("background-color", before)


def test_the_grid_follows_the_stage_by_what_the_atlas_found(figure: Figure) -> None:
    go_to(figure, "L0H2.result@=")
    expect(figure.root.get_by_text("R2", exact=True).last).to_be_visible()
    layout = figure.grid.get_attribute("data-layout")
    assert layout is not None
    go_to(figure, "L1H0.result@S3")


def test_the_lens_says_what_python_says(figure: Figure, kernel: Kernel) -> None:
    go_to(figure, "L1.resid_post@S4")
    figure.click_cell(7)
    kernel.wait_for("w.selected", 7)
    lens = figure.part("lens")
    expect(lens).to_contain_text("if the model stopped here")
    expect(lens.locator("li").first).to_contain_text(
        str(kernel.value("w.explorer.lens(w.stage, 7)['text'][0]"))
    )
    same, of = kernel.value("w.explorer.lens_agreement(w.stage, 7, w.k)")
    expect(lens).to_contain_text(f"{same} of {of} neighbors")
    go_to(figure, "L1H0.pattern@=")
    expect(lens).to_contain_text("no part of the answer")
    go_to(figure, "L1H0.result@S3")
    expect(lens).to_contain_text("adds to the answer")


def test_clusters_color_the_grid_and_are_named(figure: Figure, kernel: Kernel) -> None:
    go_to(figure, "L1H0.result@S3")
    kernel.run("w.color_by = 'cluster'")
    legend = figure.part("legend")
    expect(legend).to_contain_text("carry2 = 0", timeout=60_000)
    labels = np.array(kernel.value("w.explorer.clusters(w.stage).labels[:300].tolist()"))
    found = figure.luminance(300)
    for cluster in (0, 1):
        inside = found[labels == cluster]
        assert np.ptp(inside) < 1, "one cluster, one color"
    assert abs(found[labels == 0].mean() - found[labels == 1].mean()) > 20
    kernel.run("w.color_by = 'distance'")


def test_the_slider_changes_how_many_are_looked_at(figure: Figure, kernel: Kernel) -> None:
    slider = figure.part("k-slider")
    slider.focus()
    slider.press("PageUp")
    expect(figure.part("k")).not_to_have_value("100")
    kernel.wait_for("w.k > 100", True)
    kernel.run("w.k = 100")


def test_a_concept_that_groups_nothing_is_told_in_the_figure(
    lab: Server, open_page: OpenPage
) -> None:
    cell = """
import numpy as np, clusterwidget as cw
rows = np.random.default_rng(0).standard_normal((50, 4))
examples = cw.Examples(np.arange(50)[:, None], concepts={"serial": np.arange(50)})
cw.ClusterWidget(cw.Explorer(examples=examples, activations={"embed@0": rows}))
"""
    page = open_page(lab_url(lab, write_notebook(lab.root, "serial", [cell])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    expect(figure.root).to_contain_text("serial is left out: it is different for every example")
    figure.click_cell(7)
