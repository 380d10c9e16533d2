"""Swaps and their tests in the page: what is on screen is what Python says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.books import ARRAYS, WIDGET, kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

BOOK = """
import clusterwidget as cw

problems = cw.addition.problems(600, seed=0)
w = cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1.attn_out@S3")
ex = w.explorer
w
"""
STAGE = "L1.attn_out@S3"
OTHER = "L1H0.result@S3"
# A donor that changes an answer to 42.
CHANGING = "next(d for d in range(600) if ex.swap('L1.attn_out@S3', 42, d).table['changed'].any())"
Opened = tuple[Figure, Kernel]


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[Opened]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "swaps", ["1 + 1", BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("atlas-legend").wait_for(timeout=120_000)
    page.evaluate(
        "window.swapped = [];"
        "addEventListener('clusterwidget:swapped', event => window.swapped.push(event.detail.ms))"
    )
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: Opened) -> Iterator[Figure]:
    """Return the figure at the stage and with 42 selected, without a swap, afterwards too."""
    figure, kernel = opened
    kernel.run(f"w.selected = 42; w.stage = {STAGE!r}")
    figure.page.wait_for_function(
        "stage => { const { paintedSelected, paintedStage } ="
        " document.querySelector('.clusterwidget').dataset;"
        " return paintedSelected === '42' && paintedStage === stage }",
        arg=STAGE,
    )
    yield figure
    if figure.part("swap-dismiss").count():
        figure.part("swap-dismiss").click()
    figure.part("tab-near").click()
    figure.part("explained-by").select_option(index=0)


@pytest.fixture
def kernel(opened: Opened) -> Kernel:
    return opened[1]


def shift_click(figure: Figure, example: int) -> None:
    """Swap an example in and wait for the answer."""
    x, y = figure.middle(example)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    answered(figure, donor=example).wait_for()


def answered(figure: Figure, *, donor: int, stage: str = STAGE) -> Locator:
    """Return the strip under the tokens, if it has the answer to a swap."""
    return figure.root.locator(
        f"[data-role=swap][data-at='{stage}'][data-donor='{donor}']:not([data-stale])"
    )


def shown_answers(figure: Figure) -> list[dict[str, Any]]:
    """Return the answers in the strip: text, probability, and what is marked."""
    found: list[dict[str, Any]] = figure.part("swap-answers").evaluate(
        """strip => [...strip.querySelectorAll("[data-answer]")].map(token => ({
          answer: token.dataset.answer,
          after: token.querySelector("b").textContent,
          percent: Number(token.querySelector("small").textContent.match(/\\d+/)[0]),
          changed: "changed" in token.dataset,
          reached: !("unreached" in token.dataset),
        }))"""
    )
    return found


def expected_answers(kernel: Kernel, swap: str) -> list[dict[str, Any]]:
    """Return what the strip should show of a swap in the kernel."""
    rows = json.loads(kernel.value(f"{swap}.table.to_json(orient='records', double_precision=15)"))
    return [
        {
            "answer": row["answer"],
            "after": row["after"],
            # Two runs of a model differ in the last bits: as much as ">99%" and "100%" do.
            "percent": pytest.approx(100 * row["after_probability"], abs=1.01),
            "changed": row["changed"],
            "reached": row["reached"],
        }
        for row in rows
    ]


def percent(share: float) -> str:
    """Write a share as the page does."""
    rounded = int(100 * share + 0.5)
    if share < 0:
        return "0%" if share > -0.005 else f"−{int(-100 * share + 0.5)}%"
    if share > 0 and rounded == 0:
        return "<1%"
    return ">99%" if share < 1 and rounded == 100 else f"{rounded}%"


def test_shift_click_shows_the_answers_with_the_others_vector(
    figure: Figure, kernel: Kernel
) -> None:
    donor = kernel.value(CHANGING)
    shift_click(figure, donor)
    assert shown_answers(figure) == expected_answers(kernel, f"ex.swap(w.stage, 42, {donor})")
    assert any(answer["changed"] for answer in shown_answers(figure))
    strip = figure.part("swap")
    expect(strip).to_contain_text(kernel.value(f"problems.labels[{donor}]"))
    assert figure.painted()["selected"] == "42"
    unusual = kernel.value(f"ex.swap(w.stage, 42, {donor}).unusual")
    expected = f"unusual ({unusual:.1f}×)" if unusual >= 1.5 else f"as usual ({unusual:.1f}×)"
    expect(strip).to_contain_text(expected)
    milliseconds = figure.page.evaluate("window.swapped.at(-1)")
    assert 0 < milliseconds < 10_000


def test_a_swap_follows_the_stage_and_goes_with_the_selected_example(
    figure: Figure, kernel: Kernel
) -> None:
    shift_click(figure, 43)
    figure.choose_stage(OTHER)
    answered(figure, donor=43, stage=OTHER).wait_for()
    assert shown_answers(figure) == expected_answers(kernel, f"ex.swap({OTHER!r}, 42, 43)")
    figure.click_cell(44)
    expect(figure.part("swap")).to_have_count(0)


def test_the_models_own_earlier_answers_can_stand_in_the_input(
    figure: Figure, kernel: Kernel
) -> None:
    shift_click(figure, 43)
    figure.part("swap-free").select_option("true")
    answered(figure, donor=43).wait_for()
    swap = f"ex.swap({STAGE!r}, 42, 43, free=True)"
    assert shown_answers(figure) == expected_answers(kernel, swap)
    figure.part("swap-free").select_option("false")


def test_escape_takes_the_swap_back_before_it_goes_back(figure: Figure) -> None:
    figure.click_cell(41)
    shift_click(figure, 43)
    figure.page.keyboard.press("Escape")
    expect(figure.part("swap")).to_have_count(0)
    assert figure.painted()["selected"] == "41"
    with figure.repaint(selected=42):
        figure.page.keyboard.press("Escape")


def test_keys_swap_and_a_screen_reader_hears_it(figure: Figure, kernel: Kernel) -> None:
    figure.grid.focus()
    for key in ("ArrowRight", "ArrowDown", "Shift+Enter"):
        figure.page.keyboard.press(key)
    strip = figure.root.locator("[data-role=swap][data-donor]:not([data-stale])")
    strip.wait_for()
    donor = int(strip.get_attribute("data-donor") or -1)
    assert donor != 42
    assert shown_answers(figure) == expected_answers(kernel, f"ex.swap({STAGE!r}, 42, {donor})")
    spoken = figure.part("spoken-swap")
    expect(spoken).to_have_attribute("aria-live", "polite")
    changed = [answer for answer in shown_answers(figure) if answer["changed"]]
    expect(spoken).to_contain_text("instead of" if changed else "nothing changes")


def test_a_line_of_the_neighbors_can_be_swapped_in(figure: Figure) -> None:
    nearest = figure.neighbors()[0]
    line = figure.part("neighbors").locator(f"[data-example='{nearest}']")
    line.click(modifiers=["Shift"])
    answered(figure, donor=nearest).wait_for()
    expect(line).to_have_attribute("data-donor", "true")
    figure.part("swap-dismiss").click()
    expect(figure.grid).to_be_focused()
    line.press("Shift+Enter")
    answered(figure, donor=nearest).wait_for()


def test_shift_click_selects_no_cells_of_the_notebook(figure: Figure) -> None:
    page = figure.page
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    shift_click(figure, 45)
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.selectedCells.length") == 1
    assert page.evaluate("String(getSelection())") == ""


def test_a_stage_that_cannot_be_swapped_says_why(figure: Figure) -> None:
    figure.choose_stage("logits@S3")
    x, y = figure.middle(50)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    expect(figure.part("swap-problem")).to_contain_text("the logits are the answer itself")
    figure.part("tab-swap-test").click()
    figure.part("run-test").click()
    expect(figure.part("verdict")).to_contain_text("the logits are the answer itself")


def test_the_swap_test_on_screen_is_the_one_in_python(figure: Figure, kernel: Kernel) -> None:
    figure.part("tab-swap-test").click()
    expect(figure.part("verdict")).to_have_count(0)
    figure.part("run-test").click()
    verdict = figure.part("verdict")
    verdict.wait_for(timeout=60_000)
    test = f"ex.swap_test({STAGE!r})"
    expect(verdict).to_have_text(kernel.value(f"{test}.sentence"))
    expect(verdict).to_have_attribute("data-verdict", kernel.value(f"{test}.verdict"))
    answer = kernel.value(f"{test}.answer")
    first = figure.part("swap-test").locator("[data-answer]").first
    expect(first).to_have_attribute("data-answer", answer)
    shown = first.evaluate(
        "list => Object.fromEntries([...list.querySelectorAll('[data-condition]')].map("
        "bar => [bar.dataset.condition, bar.querySelector('b').textContent]))"
    )
    recovered = kernel.value(f"{test}.bars({answer!r})['recovered'].to_dict()")
    del recovered["random"]
    assert shown == {condition: percent(share) for condition, share in recovered.items()}
    quiet = kernel.value(
        f"{test}.table.query('recovered != recovered')['title'].drop_duplicates().tolist()"
    )
    expect(figure.part("quiet")).to_contain_text(", ".join(quiet))


def test_a_known_test_is_shown_again_and_no_other_is_run(figure: Figure, kernel: Kernel) -> None:
    kernel.value(f"ex.swap_test({STAGE!r}).verdict")
    before = kernel.value("len(ex.known_swap_tests())")
    figure.part("tab-swap-test").click()
    figure.choose_stage("L1.mlp_out@S2")
    expect(figure.part("run-test")).to_be_visible()
    figure.choose_stage(STAGE)
    sentence = kernel.value(f"ex.swap_test({STAGE!r}).sentence")
    expect(figure.part("verdict")).to_have_text(sentence, timeout=30_000)
    figure.part("swap-test").locator("[data-condition]").first.wait_for()
    assert kernel.value("len(ex.known_swap_tests())") == before


def test_a_test_that_is_cancelled_can_be_run_again(figure: Figure, kernel: Kernel) -> None:
    # A swap at the first layer runs both: the last one's tests are done too soon.
    stage = "L0.mlp_out@="
    figure.choose_stage(stage)
    figure.part("tab-swap-test").click()
    figure.part("run-test").click()
    expect(figure.part("testing")).to_contain_text("runs")
    figure.part("cancel-test").click()
    expect(figure.part("run-test")).to_be_enabled()
    figure.page.wait_for_timeout(500)
    assert stage not in kernel.value("[str(stage) for stage in ex.known_swap_tests()]")


SIGNS = """{
    str(stage): "mean"
    if test.verdict == "enough" and test.bars(test.answer)["low"]["mean"] > 0.9
    else test.verdict
    for stage, test in ex.known_swap_tests().items()
}"""


def test_all_stages_are_tested_on_the_map_and_cancelling_keeps_them(
    figure: Figure, kernel: Kernel
) -> None:
    figure.part("explained-by").select_option(label="swap tests")
    legend = figure.part("verdict-legend")
    for words in ("enough", "not enough", "no effect", "not tested"):
        expect(legend).to_contain_text(words)
    cells = figure.part("stage-map").locator("[data-stage]")
    tested = figure.part("stage-map").locator("[data-verdict]:not([data-verdict=untested])")
    before = tested.count()
    figure.part("test-all").click()
    expect(figure.part("testing-all").locator("progress")).to_be_visible()
    figure.page.wait_for_function(
        "before => document.querySelectorAll("
        "'.cw-stage[data-verdict]:not([data-verdict=untested])').length >= before + 3",
        arg=before,
        timeout=60_000,
    )
    figure.part("cancel-all").click()
    figure.part("test-all").wait_for()
    # A test that ends as it is called off may be told a moment later.
    for _ in range(20):
        figure.page.wait_for_timeout(500)
        verdicts = "all => all.map(cell => [cell.dataset.stage, cell.dataset.verdict])"
        shown = cells.evaluate_all(verdicts)
        known = kernel.value(SIGNS)
        expected = {stage: known.get(stage, "untested") for stage, _ in shown}
        if expected == dict(shown):
            break
    assert expected == dict(shown)
    count = tested.count()
    assert count >= before + 3
    stage = next(stage for stage, verdict in shown if verdict != "untested")
    figure.root.locator(f"[data-stage='{stage}']").hover()
    expect(figure.part("tooltip")).to_contain_text(
        kernel.value(f"ex.known_swap_tests()[cw.Stage.parse({stage!r})].sentence")
    )
    figure.part("test-all").click()
    figure.page.wait_for_function(
        "before => document.querySelectorAll("
        "'.cw-stage[data-verdict]:not([data-verdict=untested])').length > before",
        arg=count,
        timeout=60_000,
    )
    figure.part("cancel-all").click()


def test_swaps_go_on_while_all_stages_are_tested(figure: Figure) -> None:
    figure.part("explained-by").select_option(label="swap tests")
    figure.part("test-all").click()
    figure.part("cancel-all").wait_for()
    shift_click(figure, 46)
    expect(figure.part("cancel-all")).to_be_visible()
    figure.part("cancel-all").click()


@pytest.mark.parametrize("width", [700, 1400])
def test_nothing_is_cut_off(figure: Figure, kernel: Kernel, width: int) -> None:
    figure.resize(width)
    shift_click(figure, kernel.value(CHANGING))
    figure.part("tab-swap-test").click()
    if figure.part("run-test").count():
        figure.part("run-test").click()
    figure.part("swap-test").locator("[data-condition]").first.wait_for(timeout=60_000)
    figure.part("explained-by").select_option(label="swap tests")
    figure.part("verdict-legend").wait_for()
    assert figure.faults() == []
    figure.resize(1400)


def test_without_a_model_a_swap_says_what_is_missing(lab: Server, open_page: OpenPage) -> None:
    page = open_page(lab_url(lab, write_notebook(lab.root, "no-model", [ARRAYS, WIDGET])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    expect(figure.part("tab-swap-test")).to_have_count(0)
    x, y = figure.middle(50)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    expect(figure.part("swap-problem")).to_contain_text("model")
