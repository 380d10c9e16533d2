"""The worked example as a page without a kernel: how large it is, and how soon it shows."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

import clusterwidget as cw
from benchmarks.served import in_ms, p50_p95
from benchmarks.timing import print_table
from clusterwidget.publish.page.choosing import within_reach
from tests.browser.chromium import find_chromium
from tests.browser.figure import Figure
from tests.browser.fixtures import QUIET

OPENED = 5
HOVERS = 40
STAGE = "L1.resid_post@S3"

# When the picture was drawn, and when the frame with it ended; from the start of the navigation.
WATCH_FIRST = """document.addEventListener("clusterwidget:painted", () => {
  requestAnimationFrame(() => setTimeout(() => window.shown ??= performance.now()));
})"""
# Of each move onto another cell: the frame's work, and all from the move to the frame's end.
WATCH_HOVERS = """() => {
  window.times = [];
  const canvas = document.querySelector("canvas[data-role=grid]");
  document.addEventListener("pointermove", (event) => {
    if (event.target !== canvas) return;
    requestAnimationFrame(() => {
      const began = performance.now();
      setTimeout(() => {
        const now = performance.now();
        window.times.push([now - began, now - event.timeStamp]);
      });
    });
  }, true);
}"""


def main() -> None:
    """Print the sizes of pages, and what opening one and a hover take."""
    explorer = cw.Explorer(cw.addition.load_model(), cw.addition.problems(10_000, seed=0))
    widget = cw.ClusterWidget(explorer, selected=42, stage=STAGE)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        rows = []
        for dtype in ("float32", "float16"):
            worth = widget.export(folder / f"{dtype}.html", dtype=dtype, tell=None)
            heads = explorer.stages("result", positions=["=", "S4", "S3"])[:20]
            chosen = widget.export(folder / f"{dtype}-heads.html", heads, dtype=dtype, tell=None)
            rows += [
                [f"file, the 20 stages worth a place, {dtype}", _mb(worth), "12 MB"],
                [f"file, 20 heads' results at =, S4 and S3, {dtype}", _mb(chosen), "12 MB"],
            ]
        index = widget.export(folder / "page", tell=None)
        stages = len(within_reach(explorer))
        files = list((folder / "page" / "stages").iterdir())
        whole = sum(file.stat().st_size for file in [index, *files]) / 1e6
        rows += [
            ["folder, what the first picture needs", _mb(index), "1.5 MB"],
            [f"folder, all {stages:,} stages", f"{whole:.0f} MB", ""],
        ]
        print_table("Pages of 10,000 problems", ["what", "size", "aim"], rows)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
        opened = [_opened(browser, folder / "float32.html")[1] for _ in range(OPENED)]
        page = _opened(browser, folder / "float32.html")[0]
        work, shown = zip(*_hovers(page), strict=True)
        print_table(
            "The file of 20 stages, from the disk",
            ["what", "p50", "p95", "aim"],
            [
                ["open to painted", *map(in_ms, (statistics.median(opened), max(opened))), "1 s"],
                ["hover: work of the frame that paints it", *map(in_ms, p50_p95(work)), "16 ms"],
                ["hover to the end of that frame", *map(in_ms, p50_p95(shown)), "one frame"],
            ],
        )
        browser.close()


def _mb(page: Path) -> str:
    return f"{page.stat().st_size / 1e6:.1f} MB"


def _opened(browser: Browser, file: Path) -> tuple[Page, float]:
    """Return an open page, and the milliseconds until its first picture was shown."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.add_init_script(WATCH_FIRST)
    page.goto(file.as_uri(), wait_until="commit")
    page.wait_for_function("() => window.shown !== undefined", timeout=60_000)
    return page, float(page.evaluate("window.shown"))


def _hovers(page: Page) -> list[tuple[float, float]]:
    """Return the milliseconds that hovers take: the frame's work, and until its end."""
    figure = Figure(page)
    figure.wait_until_idle()
    figure.enter_grid()
    page.evaluate(WATCH_HOVERS)
    for example in np.random.default_rng(1).choice(10_000, HOVERS, replace=False).tolist():
        figure.hover_cell(example)
        page.wait_for_timeout(50)
    times: list[tuple[float, float]] = page.evaluate("window.times")
    return times
