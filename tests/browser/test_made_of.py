"""What a stage is made of, in the page: parts, what is left without them, and what is enough."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.books import kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

STAGE = "L0H0.result@S3"
BOOK = f"""
import clusterwidget as cw

problems = cw.addition.problems(2000, seed=0)
w = cw.ClusterWidget(cw.addition.load_model(), problems, stage="{STAGE}")
w
"""
Opened = tuple[Figure, Kernel]


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[Opened]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "made-of", [BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("tab-made-of").click()
    figure.root.locator("[data-part=L2]").wait_for(timeout=60_000)
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: Opened) -> Figure:
    return opened[0]


@pytest.fixture
def kernel(opened: Opened) -> Kernel:
    return opened[1]


def shown(figure: Figure) -> np.ndarray:
    """Return the distances that the list of neighbors shows."""
    figure.part("tab-near").click()
    figure.part("neighbors").locator("button").first.wait_for()
    texts = figure.part("neighbors").locator(".cw-distance").all_inner_texts()
    figure.part("tab-made-of").click()
    return np.array([float(text) for text in texts[:5]])


def test_the_bar_shows_the_parts_that_python_finds(figure: Figure, kernel: Kernel) -> None:
    expected = kernel.value("[part.name for part in w.explorer.parts(w.stage).all]")
    bars = figure.part("made-of").locator("[data-part]")
    assert [bar.get_attribute("data-part") for bar in bars.all()] == expected
    table = figure.part("made-of").locator("tbody tr")
    assert table.count() == len(expected) + 1
    adds = kernel.value("[part.adds for part in w.explorer.parts(w.stage).all]")
    widths = [bar.evaluate("b => b.offsetWidth / b.parentNode.offsetWidth") for bar in bars.all()]
    np.testing.assert_allclose(widths, adds, atol=0.02)


def test_a_part_that_is_pressed_is_set_aside_and_put_back(figure: Figure, kernel: Kernel) -> None:
    before = shown(figure)
    with figure.repaint():
        figure.root.locator("[data-part=L2]").click()
    kernel.wait_for("w.without", ["L2"])
    expect(figure.root.locator("[data-without=L2]")).to_have_text("without L2 ×")
    expect(figure.root.locator("[data-part=L2]")).to_have_attribute("aria-pressed", "true")
    left = shown(figure)
    told = kernel.value("w.neighbors['distance'].head(5).tolist()")
    np.testing.assert_allclose(left, told, atol=6e-4)
    direct = "w.explorer.neighbors(w.stage, w.selected, 5, without=['L2'])['distance'].tolist()"
    assert kernel.value(direct) == told
    assert not np.allclose(left, before)
    with figure.repaint():
        figure.root.locator("[data-without=L2]").click()
    kernel.wait_for("w.without", [])
    np.testing.assert_allclose(shown(figure), before)
    with figure.repaint():
        figure.root.press("Control+z")
    kernel.wait_for("w.without", ["L2"])
    with figure.repaint():
        kernel.run("w.without = []")
    assert figure.root.locator("[data-without]").count() == 0


def test_a_chip_can_be_used_by_keys_beside_the_neighbors(figure: Figure, kernel: Kernel) -> None:
    with figure.repaint():
        kernel.run("w.without = ['L2']")
    figure.part("tab-near").click()
    chip = figure.root.get_by_role("button", name="put L2 back")
    assert violations(figure) == []
    assert figure.faults() == []
    with figure.repaint():
        chip.press("Enter")
    kernel.wait_for("w.without", [])
    expect(figure.part("tab-near")).to_be_focused()
    with figure.repaint():
        figure.part("tab-near").press("Escape")
    kernel.wait_for("w.without", ["L2"])
    with figure.repaint():
        kernel.run("w.without = []")
    figure.part("tab-made-of").click()


def test_what_is_left_can_be_made_a_concept(figure: Figure, kernel: Kernel) -> None:
    with figure.repaint():
        kernel.run("w.without = ['L2']")
    left = figure.part("what-is-left")
    left.wait_for()
    left.get_by_role("button", name="make it a concept").first.click()
    name = f"component 1 of {STAGE} without L2"
    kernel.wait_for("w.color_by", name)
    assert kernel.value(f"w.examples.concepts[{name!r}].nunique()") == 10
    with figure.repaint():
        kernel.run("w.without = []; w.color_by = 'distance'")


def test_the_map_shows_second_parts(figure: Figure, kernel: Kernel) -> None:
    choice = figure.part("explained-by")
    choice.select_option(label="the second part")
    figure.part("second-legend").wait_for()
    cell = figure.root.locator(f"[data-stage='{STAGE}']")
    figure.page.wait_for_function(
        "stage => document.querySelector(`[data-stage='${stage}']`).ariaLabel.includes(' adds ')",
        arg=STAGE,
        timeout=120_000,
    )
    second = kernel.value("w.explorer.parts(w.stage).all[1].name")
    assert f"{second} adds" in (cell.get_attribute("aria-label") or "")
    choice.select_option(label="what explains it")


def test_the_swap_test_finds_what_is_enough_together(figure: Figure) -> None:
    figure.part("tab-swap-test").click()
    figure.part("run-test").click()
    figure.part("find-enough").click(timeout=120_000)
    expect(figure.part("account")).to_have_text(
        "L2 and R2 together are enough here.", timeout=120_000
    )
    figure.part("explained-by").select_option(label="swap tests")
    cell = figure.root.locator(f"[data-stage='{STAGE}']")
    expect(cell).to_have_attribute("data-verdict", "insufficient")
    expect(figure.part("verdict-legend")).to_contain_text("1 accounted for")
    foot = figure.root.locator(".cw-foot")
    assert foot.evaluate("foot => foot.scrollHeight <= foot.clientHeight")
    rows = figure.part("follows").first.locator("li")
    assert [row.get_attribute("data-pairs") for row in rows.all()] == ["any", "matched"]
    assert violations(figure) == []
    figure.part("tab-made-of").click()
    assert violations(figure) == []
