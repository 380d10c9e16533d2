"""Drives the widget in a page as a person would, and reads what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Locator, Page

LOCATE = """(canvas, example) => {
  const detail = { example };
  canvas.dispatchEvent(new CustomEvent("clusterwidget:locate", { detail }));
  const { x, y, width, height } = detail.rectangle;
  return [x + Math.floor(width / 2), y + Math.floor(height / 2)];
}"""
# Cells' middles as red, green and blue: one read of the whole canvas.
COLORS = """(canvas, n) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colors = [];
  for (let example = 0; example < n; example++) {
    const detail = { example };
    canvas.dispatchEvent(new CustomEvent("clusterwidget:locate", { detail }));
    const { x, y, width, height } = detail.rectangle;
    const at = 4 * ((y + Math.floor(height / 2)) * canvas.width + x + Math.floor(width / 2));
    colors.push([data[at], data[at + 1], data[at + 2]]);
  }
  return colors;
}"""
# What sticks out of the figure sideways, and what is cut off without a way to scroll to it.
FAULTS = """root => {
  const faults = [];
  const box = root.getBoundingClientRect();
  const name = e => `${e.tagName}.${e.className?.baseVal ?? e.className}`;
  const scrolls = e => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  for (const e of root.querySelectorAll("*")) {
    const style = getComputedStyle(e);
    const { left, right, width, height } = e.getBoundingClientRect();
    if (width === 0 || height === 0 || style.visibility === "hidden") continue;
    let inScroller = false;
    for (let p = e.parentElement; p && p !== root; p = p.parentElement) inScroller ||= scrolls(p);
    if (!inScroller && (left < box.left - 1 || right > box.right + 1)) {
      faults.push(`${name(e)}: ${left} to ${right}, outside ${box.left} to ${box.right}`);
    }
    const cut = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
    if (cut && width > 2 && e.scrollWidth > e.clientWidth + 1) {
      faults.push(`${name(e)} shows ${e.clientWidth} px of ${e.scrollWidth}`);
    }
  }
  if (root.scrollWidth > root.clientWidth + 1) faults.push(`${root.scrollWidth} px wide`);
  return faults;
}"""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


class Figure:
    """The one widget in a page.

    Parameters
    ----------
    page
        Where it is, painted or about to be.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".clusterwidget")
        self.grid = self.part("grid")

    def part(self, role: str) -> Locator:
        """Return the part of the widget with a ``data-role``."""
        return self.root.locator(f"[data-role={role}]")

    def wait_for_picture(self, seconds: float = 60) -> None:
        """Wait for the first picture."""
        self.page.locator(".clusterwidget[data-painted-revision]").wait_for(timeout=seconds * 1000)

    def wait_until_idle(self, seconds: float = 60) -> None:
        """Wait until nothing has been under way for two seconds: the atlas is there, too."""
        self.page.wait_for_function(
            """root => {
              const busy = root.querySelector("progress");
              window.idleSince = busy ? null : window.idleSince ?? performance.now();
              return window.idleSince !== null && performance.now() - window.idleSince > 2000;
            }""",
            arg=self.root.element_handle(),
            timeout=seconds * 1000,
        )

    def painted(self) -> dict[str, str]:
        """Return the ``data-painted-…`` attributes: what the last picture shows."""
        found: dict[str, str] = self.root.evaluate("root => ({ ...root.dataset })")
        return {
            key: found.get(f"painted{key.capitalize()}", "")
            for key in ("selected", "stage", "revision")
        }

    @contextmanager
    def repaint(self, **expected: str | int) -> Iterator[None]:
        """Wait, after the block, for a new picture, of ``selected`` and ``stage`` if given."""
        before = int(self.painted()["revision"] or 0)
        yield
        wanted = {key: str(value) for key, value in expected.items()}
        self.page.wait_for_function(
            """([root, before, wanted]) => {
              const shown = root.dataset;
              return Number(shown.paintedRevision) > before
                && (wanted.selected ?? shown.paintedSelected) === shown.paintedSelected
                && (wanted.stage ?? shown.paintedStage) === shown.paintedStage;
            }""",
            # It may be in a shadow tree, where no query of the document finds it.
            arg=[self.root.element_handle(), before, wanted],
            timeout=30_000,
        )

    def middle(self, example: int) -> tuple[float, float]:
        """Return where the middle of an example's cell is, in CSS pixels from the grid's corner."""
        x, y = self.grid.evaluate(LOCATE, example)
        ratio = self.page.evaluate("window.devicePixelRatio")
        return (x + 0.5) / ratio, (y + 0.5) / ratio

    def click_cell(self, example: int) -> None:
        """Click an example's cell and wait until its picture is painted."""
        self.enter_grid()
        x, y = self.middle(example)
        with self.repaint(selected=example):
            self.grid.click(position={"x": x, "y": y})

    def hover_cell(self, example: int) -> None:
        """Move the pointer onto an example's cell."""
        self.enter_grid()
        x, y = self.middle(example)
        self.grid.hover(position={"x": x, "y": y})

    def enter_grid(self) -> None:
        """Move the pointer onto the grid, which keeps its arrangement from then on."""
        self.grid.hover()

    def leave_grid(self) -> None:
        """Move the pointer off the grid."""
        self.page.mouse.move(1, 1)

    def choose_stage(self, stage: str) -> None:
        """Click a stage on the stage map and wait until its picture is painted."""
        cell = self.root.locator(f'[data-stage="{stage}"]')
        with self.repaint(stage=stage):
            cell.click()

    def type_example(self, text: str) -> None:
        """Type a text into the header's input and press Enter."""
        self.part("type").fill(text)
        self.part("type").press("Enter")

    def colors(self, n: int) -> npt.NDArray[np.float64]:
        """Return the colors of the cells of examples 0 to ``n - 1``, shape (n, 3), 0 to 255."""
        colors: Any = self.grid.evaluate(COLORS, n)
        return np.asarray(colors, dtype=np.float64)

    def luminance(self, n: int) -> npt.NDArray[np.float64]:
        """Return how bright the cells of examples 0 to ``n - 1`` are, shape (n,), 0 to 255."""
        luminance: npt.NDArray[np.float64] = self.colors(n) @ LUMINANCE
        return luminance

    def neighbors(self) -> list[int]:
        """Return the listed neighbors that are in sight, nearest first."""
        listed = self.part("neighbors").locator("[data-example]")
        return [int(text) for text in listed.evaluate_all("a => a.map(b => b.dataset.example)")]

    def resize(self, width: int) -> None:
        """Make the window such that the figure is ``width`` CSS pixels wide."""
        for _ in range(2):
            now = self.root.evaluate("root => root.getBoundingClientRect().width")
            window = self.page.viewport_size
            assert window is not None
            wanted = round(window["width"] + width - now)
            self.page.set_viewport_size({"width": wanted, "height": window["height"]})
            self.page.wait_for_timeout(300)
        now = self.root.evaluate("root => root.getBoundingClientRect().width")
        assert abs(now - width) <= 1

    def faults(self) -> list[str]:
        """Return what sticks out of the figure or is cut off, in words."""
        found: list[str] = self.root.evaluate(FAULTS)
        return found


def assert_order_of_brightness(
    luminance: npt.NDArray[np.float64], distances: npt.ArrayLike
) -> None:
    """Check that nearer cells are brighter, beyond what 256 colors can tell apart.

    Parameters
    ----------
    luminance, distances
        Of every example, shape (N,).
    """
    order = np.argsort(np.asarray(distances), kind="stable")
    by_distance = luminance[order]
    # No cell is brighter than a nearer one by more than the rounding of one color.
    brightest_after = np.maximum.accumulate(by_distance[::-1])[::-1]
    assert np.all(brightest_after - by_distance <= 2.5), "a farther cell is brighter"
    assert by_distance[0] - by_distance[-1] > 60, "near and far look alike"
