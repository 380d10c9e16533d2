"""The stage map of 30 layers, 9 heads and 12 kinds, in a page: how soon it shows and scrolls."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

import clusterwidget as cw
from benchmarks.served import in_ms, p50_p95
from benchmarks.timing import print_table
from tests.browser.chromium import find_chromium
from tests.browser.figure import Figure
from tests.browser.fixtures import QUIET

LAYERS, HEADS, LENGTH, N = 30, 9, 15, 40
OF_HEADS = ("q", "k", "v", "attn_scores", "pattern", "z", "result")
OTHERS = ("attn_out", "resid_mid", "mlp_post", "mlp_out", "resid_post")
PRESSES = 9
FRAMES = 180
STEP = 42
"""Pixels of a scrolled frame: three lines."""

# From a press to the end of the frame that shows it.
WATCH_PRESSES = """() => {
  window.times = [];
  document.addEventListener("click", (event) => {
    requestAnimationFrame(() => setTimeout(() => {
      window.times.push(performance.now() - event.timeStamp);
    }));
  }, true);
}"""
# Of each frame while the map is scrolled: the page's own work, and how long after the one before.
SCROLL = """([frames, step]) => new Promise((done) => {
  const map = document.querySelector("[data-role=stage-map]");
  const times = [];
  let before = null;
  map.scrollTop = 0;
  const frame = (now) => {
    map.scrollTop += step;
    const began = performance.now();
    // The scroll event and the lines that it brings come before the next task.
    setTimeout(() => {
      if (before !== null) times.push([performance.now() - began, now - before]);
      before = now;
      if (times.length < frames) requestAnimationFrame(frame);
      else done(times);
    });
  };
  requestAnimationFrame(frame);
})"""


def main() -> None:
    """Print what unfolding, folding and scrolling the map take."""
    explorer = deep()
    last = LENGTH - 1
    stage = f"L{LAYERS - 1}.resid_post@{last}"
    widget = cw.ClusterWidget(explorer, stage=stage)
    # One stage of each kind is saved: the map has the colors of all.
    some = [f"L0H0.{kind}@{last}" for kind in OF_HEADS] + [f"L0.{kind}@{last}" for kind in OTHERS]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        path = widget.export(Path(name) / "deep.html", [stage, *some], limit=None, tell=None)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(path.as_uri())
        figure = Figure(page)
        figure.wait_for_picture(120)
        figure.part("atlas-legend").wait_for()
        figure.part("all-kinds").check()
        page.wait_for_timeout(2000)
        unfolded, folded = _pressed(figure)
        figure.part("fold-all").click()
        page.wait_for_timeout(500)
        work, between = _scrolled(page)
        browser.close()
    rows = LAYERS * (len(OF_HEADS) * HEADS + len(OTHERS))
    print_table(
        f"Stage map of {rows:,} rows × {LENGTH} positions ({PRESSES} presses, {FRAMES} frames)",
        ["what", "p50", "p95", "aim"],
        [
            [
                "all layers unfolded, press to shown",
                *map(in_ms, p50_p95(tuple(unfolded))),
                "100 ms",
            ],
            ["all layers folded, press to shown", *map(in_ms, p50_p95(tuple(folded))), "100 ms"],
            ["a scrolled frame, the page's work", *map(in_ms, p50_p95(tuple(work))), "16.7 ms"],
            ["from frame to frame", *map(in_ms, p50_p95(tuple(between))), "16.7 ms"],
        ],
    )
    print(f"{1000 / statistics.mean(between):.0f} frames a second\n")


def deep() -> cw.Explorer:
    """Return an explorer of noise, with two concepts in some of it, at every stage of the map."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (2, N))
    shares = rng.random(60)
    made = [
        (share * rng.normal(size=(4, 4))[first if i % 2 else second] + rng.normal(size=(N, 4)) / 4)
        for i, share in enumerate(shares)
    ]
    matrices = [matrix.astype(np.float32) for matrix in made]
    activations: dict[cw.Stage | str, np.ndarray] = {}
    for layer in range(LAYERS):
        places = [f"L{layer}H{head}.{kind}" for kind in OF_HEADS for head in range(HEADS)]
        places += [f"L{layer}.{kind}" for kind in OTHERS]
        for place in places:
            for position in range(LENGTH):
                matrix = matrices[int(rng.integers(len(matrices)))]
                activations[f"{place}@{position}"] = matrix
    tokens = rng.integers(0, 50, (N, LENGTH))
    examples = cw.Examples(tokens, concepts={"first": first, "second": second})
    return cw.Explorer(examples=examples, activations=activations)


def _pressed(figure: Figure) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each press that unfolds all layers, and that folds them."""
    figure.page.evaluate(WATCH_PRESSES)
    for _ in range(2 * PRESSES):
        figure.part("fold-all").click()
        figure.page.wait_for_timeout(300)
    times = figure.page.evaluate("window.times")
    return times[2::2], times[3::2]


def _scrolled(page: Page) -> tuple[list[float], list[float]]:
    """Return of each frame the page's work, and the time from the frame before, in milliseconds."""
    work, between = zip(*page.evaluate(SCROLL, [FRAMES, STEP]), strict=True)
    return list(work), list(between)
