"""From a click to the painted grid, in a real JupyterLab and a real Chromium."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from benchmarks.served import in_ms, opened, p50_p95, served
from benchmarks.timing import print_table
from tests.browser.books import run_all
from tests.browser.figure import Figure
from tests.browser.servers import Server

CLICKS = 40
SIZES = ((10_000, 128), (100_000, 32), (1_000_000, 32))
TARGETS_MS = (16, 50, 300)

# Ten groups by each of two digits, and noise: as structured as a real stage.
ARRAYS = """
import numpy as np
import clusterwidget as cw

rng = np.random.default_rng(0)
n, d = {n}, {d}
a, b = rng.integers(0, 10, (2, n))
def stage(groups):
    centers = rng.standard_normal((10, d), dtype=np.float32)
    return centers[groups] + rng.standard_normal((n, d), dtype=np.float32) / 4
explorer = cw.Explorer(
    examples=cw.Examples(
        np.stack([a, b], axis=1), concepts={{"a": a, "b": b}}, axes={{"1": ("a", "b")}}
    ),
    activations={{"L0.resid_post@1": stage(a), "L1.resid_post@1": stage(b)}},
)
cw.ClusterWidget(explorer)
"""

# What every click is compared with: when it came, when the canvas was drawn, when the frame ended.
WATCH = """() => {
  window.times = [];
  let clicked = 0;
  document.addEventListener("click", (event) => { clicked = event.timeStamp; }, true);
  document.addEventListener("clusterwidget:painted", () => {
    const drawn = performance.now() - clicked;
    requestAnimationFrame(() => setTimeout(() => {
      window.times.push([drawn, performance.now() - clicked]);
    }));
  });
}"""

# The same for the bars of what neighbors share, over all concepts of the addition problems.
PROBLEMS = """
import numpy as np
import clusterwidget as cw

problems = cw.addition.problems(10_000, seed=0)
rows = np.random.default_rng(0).standard_normal((10_000, 64), dtype=np.float32)
rows[:, :10] += 4 * np.eye(10, dtype=np.float32)[problems.concepts["S2"].to_numpy()]
cw.ClusterWidget(cw.Explorer(examples=problems, activations={"L1.resid_post@S3": rows}))
"""
WATCH_BARS = """() => {
  window.times = [];
  let clicked = 0;
  document.addEventListener("click", (event) => { clicked = event.timeStamp; }, true);
  const bars = document.querySelector("[data-role=shared]");
  new MutationObserver(() => window.times.push(performance.now() - clicked))
    .observe(bars, { attributes: true, attributeFilter: ["data-selected"] });
}"""

# Six concepts' parts in one stage: each press sets one more aside or puts it back.
PARTS = """
import numpy as np
import clusterwidget as cw

rng = np.random.default_rng(0)
digits = rng.integers(0, 10, (6, 10_000))
rows = rng.standard_normal((10_000, 128), dtype=np.float32) / 4
for codes in digits:
    rows += rng.standard_normal((10, 128)).astype(np.float32)[codes]
examples = cw.Examples(digits.T, concepts={f"c{i}": codes for i, codes in enumerate(digits)})
cw.ClusterWidget(cw.Explorer(examples=examples, activations={"L0.resid_post@5": rows}))
"""

WATCH_FIRST = """() => {
  document.addEventListener("clusterwidget:painted", () => window.at ??= Date.now() / 1000);
  new MutationObserver(() => {
    if (document.querySelector("[data-role=atlas-legend]")) window.colored ??= Date.now() / 1000;
  }).observe(document.body, { childList: true, subtree: true });
}"""
STARTED = "import time; started = time.time()"
MODEL = """
import clusterwidget as cw
model = cw.addition.load_model()
problems = cw.addition.problems(10_000, seed=0)
"""
WARM = "import time; started = time.time()\ncw.ClusterWidget(model, problems)"


def main() -> None:
    """Print what a click, a change of stage and the first picture take."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (lab, browser):
        clicks, stages = [], []
        for (n, d), target in zip(SIZES, TARGETS_MS, strict=True):
            drawn, shown, changed = _clicks(lab, browser, n, d)
            clicks.append([f"{n:,} × {d}", *map(in_ms, (*drawn, *shown)), f"{target} ms"])
            stages.append([f"{n:,} × {d}", in_ms(changed)])
        print_table(
            f"Click to painted ({CLICKS} clicks; drawn: the canvas; shown: the frame with it)",
            ["N × d", "drawn p50", "drawn p95", "shown p50", "shown p95", "aim, p95"],
            clicks,
        )
        print_table("Change of stage, already captured", ["N × d", "drawn, median"], stages)
        bars = p50_p95(_bars(lab, browser))
        print_table(
            "Click to bars of what neighbors share, 10,000 problems, 33 concepts, in the page",
            ["p50", "p95", "aim, p95"],
            [[*map(in_ms, bars), "30 ms"]],
        )
        aside = p50_p95(_set_aside(lab, browser))
        print_table(
            "Set aside, press to painted, 10,000 × 128, six parts",
            ["p50", "p95", "aim, p95"],
            [[*map(in_ms, aside), "50 ms"]],
        )
        fresh, warm = (_first_picture(lab, browser, warm) for warm in (False, True))
        print_table(
            "10,000 problems, from the run of the cell",
            ["what", "takes", "aim"],
            [
                ["first picture, fresh kernel, imports included", f"{fresh[0]:.1f} s", ""],
                ["first picture, model loaded", f"{warm[0]:.1f} s", "1 s"],
                ["first colors on the map after the first picture", f"{warm[1]:.1f} s", "1 s"],
            ],
        )


def _clicks(
    lab: Server, browser: Browser, n: int, d: int
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return p50 and p95 until drawn and until shown, and the median change of stage."""
    page = opened(lab, browser, f"clicks-{n}", [ARRAYS.format(n=n, d=d)])
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(180)
    page.evaluate(WATCH)
    for example in np.random.default_rng(1).choice(n, CLICKS, replace=False).tolist():
        x, y = figure.middle(example)
        # Where cells are smaller than a pixel, the click may meet the one beside it.
        with figure.repaint():
            figure.grid.click(position={"x": x, "y": y})
        page.wait_for_timeout(50)
    drawn, shown = zip(*page.evaluate("window.times"), strict=True)
    page.evaluate("window.times = []")
    for stage in ("L0.resid_post@1", "L1.resid_post@1") * 4:
        figure.choose_stage(stage)
        page.wait_for_timeout(50)
    changes = [drawn for drawn, _ in page.evaluate("window.times")]
    page.close()
    return p50_p95(drawn), p50_p95(shown), statistics.median(changes[2:])


def _bars(lab: Server, browser: Browser) -> tuple[float, ...]:
    """Return the milliseconds of each click until the bars are those of the clicked example."""
    page = opened(lab, browser, "bars", [PROBLEMS])
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(120)
    figure.part("shared").wait_for()
    page.evaluate(WATCH_BARS)
    for example in np.random.default_rng(1).choice(10_000, CLICKS, replace=False).tolist():
        figure.click_cell(example)
        page.locator(f"[data-role=shared][data-selected='{example}']").wait_for()
        page.wait_for_timeout(50)
    times = tuple(page.evaluate("window.times"))
    page.close()
    return times


def _set_aside(lab: Server, browser: Browser) -> tuple[float, ...]:
    """Return the milliseconds of each press of a part until the grid is drawn, less the first."""
    page = opened(lab, browser, "aside", [PARTS])
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(120)
    figure.part("tab-made-of").click()
    page.locator("[data-part=c5]").wait_for(timeout=60_000)
    page.evaluate(WATCH)
    for part in np.random.default_rng(1).integers(0, 6, CLICKS).tolist():
        with figure.repaint():
            page.locator(f"[data-part=c{part}]").click()
        page.wait_for_timeout(100)
    times = tuple(drawn for drawn, _ in page.evaluate("window.times"))
    page.close()
    return times[1:]


def _first_picture(lab: Server, browser: Browser, warm: bool) -> tuple[float, float]:
    """Return the seconds from the run of the first cell, or of the last, to the painted grid.

    And the seconds from there to the first colors on the stage map.
    """
    cells = [STARTED, MODEL, WARM if warm else "cw.ClusterWidget(model, problems)"]
    cells.append("print('started', started)")
    page = opened(lab, browser, "warm" if warm else "fresh", cells)
    page.evaluate(WATCH_FIRST)
    run_all(page)
    Figure(page).wait_for_picture(120)
    page.wait_for_function("window.colored", timeout=120_000)
    text = page.locator("text=/^started [0-9.]+/").inner_text()
    painted, colored = page.evaluate("[window.at, window.colored]")
    page.close()
    return painted - float(text.split()[1]), colored - painted
