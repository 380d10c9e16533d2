"""From a shift-click to the answer on screen, and from a press to the trace, in a real page."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from benchmarks.served import in_ms, opened, p50_p95, served
from benchmarks.timing import print_table
from tests.browser.books import run_all
from tests.browser.figure import Figure

CLICKS = 20
CELL = """
import clusterwidget as cw
problems = cw.addition.problems(10_000, seed=0)
cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1H0.result@S3")
"""
WATCH = """(name) => {
  window.times = [];
  document.addEventListener(`clusterwidget:${name}`, ({ detail }) => window.times.push(detail.ms));
}"""


def main() -> None:
    """Print what a swap and a trace take on screen."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (lab, browser):
        page = opened(lab, browser, "experiments", [CELL])
        run_all(page)
        figure = Figure(page)
        figure.wait_for_picture(120)
        # What the page gets ready by itself must not be timed along.
        figure.part("atlas-legend").wait_for()
        swaps = _swapped(page, figure)
        traces = _traced(page, figure)
        page.close()
    print_table(
        f"Experiments on screen, 10,000 problems ({CLICKS} each)",
        ["what", "p50", "p95", "aim"],
        [
            ["shift-click to answer", *map(in_ms, p50_p95(swaps)), "150 ms"],
            ["random example to its trace", *map(in_ms, p50_p95(traces)), "2 s"],
        ],
    )


def _swapped(page: Page, figure: Figure) -> tuple[float, ...]:
    page.evaluate(WATCH, "swapped")
    for example in np.random.default_rng(1).choice(10_000, CLICKS, replace=False).tolist():
        x, y = figure.middle(example)
        count = len(page.evaluate("window.times"))
        figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
        page.wait_for_function("(count) => window.times.length > count", arg=count)
        page.wait_for_timeout(50)
    return tuple(page.evaluate("window.times"))


def _traced(page: Page, figure: Figure) -> tuple[float, ...]:
    page.evaluate(WATCH, "traced")
    page.locator("button[data-answer=S3]").click()
    page.wait_for_function("() => window.times.length > 0")
    for _ in range(CLICKS):
        count = len(page.evaluate("window.times"))
        figure.part("random").click()
        page.wait_for_function("(count) => window.times.length > count", arg=count)
        page.wait_for_timeout(50)
    return tuple(page.evaluate("window.times"))[1:]
