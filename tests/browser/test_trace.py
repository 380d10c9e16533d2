"""The trace of an answer, drawn over the stage map."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.books import (
    ARRAYS,
    WIDGET,
    kernel_behind,
    lab_url,
    run_all,
    voila_url,
    write_notebook,
)
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

BOOK = """
import clusterwidget as cw

problems = cw.addition.problems(1000, seed=0)
w = cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1H0.result@S3")
w
"""
Opened = tuple[Figure, Kernel]

# A point of a link that no node covers, and the stage of the cell that the link lies over there.
OVER_A_CELL = """paths => {
  for (const path of paths) {
    const matrix = path.getScreenCTM();
    for (let share = 0.2; share < 0.9; share += 0.05) {
      const at = path.getPointAtLength(share * path.getTotalLength()).matrixTransform(matrix);
      const [top, ...under] = document.elementsFromPoint(at.x, at.y);
      const cell = under.find(e => !e.dataset.edge);
      if (top === path && cell?.dataset.stage) return [at.x, at.y, cell.dataset.stage];
    }
  }
}"""


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[Opened]:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "trace", [BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("atlas-legend").wait_for(timeout=120_000)
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: Opened) -> Iterator[Figure]:
    figure, _ = opened
    yield figure
    for pressed in figure.root.locator("[data-answer][aria-pressed=true]").all():
        pressed.click()


@pytest.fixture
def kernel(opened: Opened) -> Kernel:
    return opened[1]


def tab(figure: Figure, answer: str) -> Locator:
    return figure.root.locator(f"[data-answer={answer}]")


def arcs(figure: Figure, more: str = "") -> Locator:
    return figure.part("trace").locator(f".cw-arc{more}")


def node(figure: Figure, stage: str) -> Locator:
    return figure.part("trace").locator(f'[data-node="{stage}"]')


def select(figure: Figure, example: int) -> None:
    if figure.painted()["selected"] != str(example):
        figure.click_cell(example)


def trace(figure: Figure, answer: str) -> None:
    """Press an answer's tab, and wait until its trace is drawn."""
    tab(figure, answer).click()
    wanted = f"{answer} of {figure.painted()['selected']}"
    expect(figure.part("trace")).to_have_attribute("data-of", wanted, timeout=30_000)


def middle(part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def expected(kernel: Kernel, example: int, answer: str) -> dict[str, Any]:
    """Return what Python says of a trace: its nodes by stage, its edges, its probabilities."""
    kernel.run(f"t = w.explorer.trace({example}, {answer!r})")
    return {
        "nodes": json.loads(kernel.value("t.nodes.rename(index=str).to_json(orient='index')")),
        "edges": json.loads(
            kernel.value("t.edges.astype({'source': str, 'target': str}).to_json(orient='records')")
        ),
        "kept": kernel.value("t.kept_probability"),
    }


def kept(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if one["kept"]]


def test_tabs_say_which_answer_and_what_it_is_the_sum_of(figure: Figure, kernel: Kernel) -> None:
    select(figure, 31)
    label = kernel.value("w.explorer.examples.labels[31]")
    left, right, total = re.split(r"[+=]", label)
    # The hundreds: two digits, what the tens and units carry, and the digit of the sum.
    carry = int(int(left[2:]) + int(right[2:]) >= 100)
    hundreds = tab(figure, "S2")
    expect(hundreds.locator("b")).to_have_text("100s")
    expect(hundreds.locator("small")).to_have_text(f"{left[1]}+{right[1]}+{carry}={total[2]}")
    expect(tab(figure, "S0").locator("small")).to_have_text(f"{left[3]}+{right[3]}={total[4]}")
    expect(hundreds).to_have_attribute("aria-pressed", "false")
    expect(figure.part("trace")).to_have_count(0)


def test_a_tab_draws_what_python_keeps(figure: Figure, kernel: Kernel) -> None:
    select(figure, 7)
    trace(figure, "S3")
    found = expected(kernel, 7, "S3")
    edges = kept(found["edges"])
    assert len(edges) > 10
    expect(arcs(figure)).to_have_count(len(edges))
    looks = [edge for edge in edges if edge["kind"] == "attention"]
    expect(arcs(figure, ".cw-looks")).to_have_count(len(looks))
    drawn = figure.part("trace").locator("[data-node]")
    stages = drawn.evaluate_all("nodes => nodes.map(node => node.dataset.node)")
    assert sorted(stages) == sorted(s for s, one in found["nodes"].items() if one["kept"])
    summary = figure.part("trace-summary").inner_text()
    assert summary.startswith(f"{len(edges)} of {len(found['edges'])} edges carry this answer:")


def test_a_node_is_on_its_cell_and_the_larger_the_more_is_lost_without_it(
    figure: Figure, kernel: Kernel
) -> None:
    select(figure, 7)
    trace(figure, "S3")
    losses = {
        stage: one["loss"]
        for stage, one in expected(kernel, 7, "S3")["nodes"].items()
        if one["kept"] and one["loss"] is not None
    }
    size = {stage: float(node(figure, stage).get_attribute("r") or 0) for stage in losses}
    order = sorted(losses, key=lambda stage: losses[stage])
    assert size[order[0]] < size[order[-1]] == 6.5
    for less, more in pairwise(order):
        assert size[less] <= size[more]
    for stage in order:
        cell = middle(figure.root.locator(f'[data-stage="{stage}"]'))
        assert middle(node(figure, stage)) == pytest.approx(cell, abs=1.5)


def test_the_answer_is_written_into_its_node(figure: Figure, kernel: Kernel) -> None:
    select(figure, 7)
    trace(figure, "S3")
    digit = kernel.value("w.explorer.examples.labels[7]").split("=")[1][1]
    expect(figure.part("trace").locator("text")).to_have_text(digit)
    expect(node(figure, "logits@S4")).to_be_visible()


def test_cells_on_the_trace_say_so(figure: Figure) -> None:
    select(figure, 7)
    cell = figure.root.locator('[data-stage="L1.resid_post@S4"]')
    expect(cell).not_to_have_attribute("aria-label", re.compile("on the trace"))
    trace(figure, "S3")
    said = re.compile(r"; on the trace: without it the answer's probability is [<>]?\d+%$")
    expect(cell).to_have_attribute("aria-label", said)
    expect(figure.root.locator('[data-stage="logits@S4"]')).to_have_attribute(
        "aria-label", re.compile(r"on the trace: the answer itself: \d$")
    )


def test_clicking_a_node_goes_to_its_stage(figure: Figure) -> None:
    select(figure, 7)
    trace(figure, "S3")
    with figure.repaint(stage="L1.attn_out@S4"):
        node(figure, "L1.attn_out@S4").click()
    expect(figure.part("trace").locator("[data-here] [data-node]")).to_have_attribute(
        "data-node", "L1.attn_out@S4"
    )


def test_hovering_tells_what_is_lost_and_where_a_head_looks(figure: Figure) -> None:
    select(figure, 7)
    trace(figure, "S3")
    tip = figure.part("tooltip")
    node(figure, "L1.attn_out@S4").hover()
    expect(tip).to_contain_text(
        re.compile(r"without it the answer's probability is [<>]?\d+% \(was")
    )
    expect(arcs(figure, "[data-lit]").first).to_be_attached()
    figure.leave_grid()
    expect(arcs(figure, "[data-lit]")).to_have_count(0)
    x, y, _ = arcs(figure, ".cw-looks .cw-reach").evaluate_all(OVER_A_CELL)
    figure.page.mouse.move(x, y)
    expect(tip).to_contain_text(re.compile(r"L\dH\d at \w+looks at \w+: [<>]?\d+%without it"))
    figure.leave_grid()


def test_a_click_on_a_link_is_for_the_cell_under_it(figure: Figure) -> None:
    select(figure, 7)
    trace(figure, "S3")
    x, y, stage = arcs(figure, ".cw-looks .cw-reach").evaluate_all(OVER_A_CELL)
    with figure.repaint(stage=stage):
        figure.page.mouse.click(x, y)


def test_pruned_links_can_be_shown(figure: Figure, kernel: Kernel) -> None:
    select(figure, 7)
    trace(figure, "S3")
    edges = expected(kernel, 7, "S3")["edges"]
    figure.part("pruned").check()
    expect(arcs(figure)).to_have_count(len(edges))
    expect(arcs(figure, "[data-kept]")).to_have_count(len(kept(edges)))
    figure.part("pruned").uncheck()
    expect(arcs(figure)).to_have_count(len(kept(edges)))


def test_another_example_is_traced_anew_and_told_to_who_measures(
    figure: Figure, kernel: Kernel
) -> None:
    select(figure, 7)
    trace(figure, "S3")
    figure.page.evaluate(
        "() => { window.traced = new Promise(told => document.addEventListener("
        "'clusterwidget:traced', event => told(event.detail.ms), { once: true })); }"
    )
    figure.click_cell(8)
    assert 0 < figure.page.evaluate("window.traced") < 30_000
    expect(arcs(figure)).to_have_count(len(kept(expected(kernel, 8, "S3")["edges"])))
    trace(figure, "S0")
    expect(arcs(figure)).to_have_count(len(kept(expected(kernel, 8, "S0")["edges"])))
    expect(tab(figure, "S3")).to_have_attribute("aria-pressed", "false")


def test_pressing_again_takes_the_trace_away_and_all_rows_are_there(figure: Figure) -> None:
    pattern = figure.root.locator('[data-stage="L0H0.pattern@="]')
    if figure.painted()["stage"] != "L1H0.result@S3":
        figure.choose_stage("L1H0.result@S3")
    expect(pattern).to_be_visible()
    trace(figure, "S1")
    expect(pattern).to_have_count(0)
    expect(figure.part("pruned")).to_be_visible()
    tab(figure, "S1").press("Enter")
    expect(figure.part("trace")).to_have_count(0)
    expect(figure.part("pruned")).to_have_count(0)
    expect(pattern).to_be_visible()


def test_a_folded_layer_shows_its_stages_at_its_heading(figure: Figure) -> None:
    trace(figure, "S3")
    everything = arcs(figure).count()
    heading = figure.root.get_by_role("button", name="layer 0")
    heading.click()
    expect(figure.root.locator('[data-stage="L0.attn_out@S4"]')).to_have_count(0)
    fewer = arcs(figure).count()
    assert 0 < fewer < everything
    folded = figure.part("trace").locator("[data-node^='L0']").first
    assert middle(folded)[1] == pytest.approx(middle(heading)[1], abs=2)
    heading.click()
    expect(arcs(figure)).to_have_count(everything)


def test_a_trace_that_takes_long_can_be_cancelled(figure: Figure, kernel: Kernel) -> None:
    select(figure, 9)
    kernel.run(
        "import threading; held = threading.Lock(); held.acquire(); run = w.explorer.trace\n"
        "def late(*args, progress, **options):\n"
        "    while not held.acquire(timeout=0.01):\n"
        "        progress.check()\n"
        "    return run(*args, progress=progress, **options)\n"
        "w.explorer.trace = late"
    )
    try:
        tab(figure, "S3").click()
        expect(figure.part("traced")).to_contain_text("tracing")
        figure.part("cancel-trace").click()
        expect(tab(figure, "S3")).to_have_attribute("aria-pressed", "false")
        expect(figure.part("traced")).to_have_count(0)
    finally:
        kernel.run("held.release(); del w.explorer.trace")
    trace(figure, "S3")


def test_what_cannot_be_traced_is_told_under_the_map(figure: Figure, kernel: Kernel) -> None:
    select(figure, 10)
    kernel.run(
        "from dataclasses import replace\n"
        "setting = w.explorer._setting; w.explorer._setting = replace(setting, lazy=None)"
    )
    try:
        tab(figure, "S3").click()
        expect(figure.part("trace-problem")).to_contain_text("there is none here: give it with")
        expect(figure.part("trace")).to_have_count(0)
    finally:
        kernel.run("w.explorer._setting = setting")
    tab(figure, "S3").click()
    expect(figure.part("trace-problem")).to_have_count(0)


def test_examples_without_answers_can_be_asked_what_comes_next(
    lab: Server, open_page: OpenPage
) -> None:
    cell = """
import clusterwidget as cw

problems = cw.addition.problems(50, seed=0)
examples = cw.Examples(problems.tokens, positions=problems.positions)
cw.ClusterWidget(cw.addition.load_model(), examples, stage="embed@L3")
"""
    page = open_page(lab_url(lab, write_notebook(lab.root, "next", [cell])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=120)
    expect(figure.root.locator("[data-answer]")).to_have_text(["next"])
    trace(figure, "next")
    expect(node(figure, "logits@S1")).to_be_visible()


def test_arrays_without_a_model_have_nothing_to_trace(lab: Server, open_page: OpenPage) -> None:
    page = open_page(lab_url(lab, write_notebook(lab.root, "untraced", [ARRAYS, WIDGET])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    expect(figure.root.locator("[data-answer]")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
def test_a_trace_fits_narrow_and_wide(voila: Server, open_page: OpenPage, dark: bool) -> None:
    name = write_notebook(voila.root, "tracefits", [BOOK])
    page = open_page(voila_url(voila, name) + ("?theme=dark" if dark else ""))
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("atlas-legend").wait_for(timeout=120_000)
    trace(figure, "S3")
    for width in (700, 1400):
        figure.resize(width)
        assert figure.faults() == []
        widths = figure.root.locator("[data-answer]").evaluate_all(
            "tabs => tabs.map(tab => tab.getBoundingClientRect().width)"
        )
        assert max(widths) - min(widths) < 1
        seen = figure.part("stage-map").bounding_box()
        answer = node(figure, "logits@S4").bounding_box()
        last = tab(figure, "S0").bounding_box()
        assert seen is not None
        assert answer is not None
        assert last is not None
        assert answer["y"] + answer["height"] <= seen["y"] + seen["height"], "the answer is hidden"
        assert last["x"] + last["width"] <= seen["x"] + seen["width"] + 1, "a tab is hidden"
