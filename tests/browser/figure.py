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
            """([before, wanted]) => {
              const shown = document.querySelector(".clusterwidget")?.dataset ?? {};
              return Number(shown.paintedRevision) > before
                && (wanted.selected ?? shown.paintedSelected) === shown.paintedSelected
                && (wanted.stage ?? shown.paintedStage) === shown.paintedStage;
            }""",
            arg=[before, wanted],
            timeout=30_000,
        )

    def middle(self, example: int) -> tuple[float, float]:
        """Return where the middle of an example's cell is, in CSS pixels from the grid's corner."""
        x, y = self.grid.evaluate(LOCATE, example)
        ratio = self.page.evaluate("window.devicePixelRatio")
        return (x + 0.5) / ratio, (y + 0.5) / ratio

    def click_cell(self, example: int) -> None:
        """Click an example's cell and wait until its picture is painted."""
        x, y = self.middle(example)
        with self.repaint(selected=example):
            self.grid.click(position={"x": x, "y": y})

    def hover_cell(self, example: int) -> None:
        """Move the pointer onto an example's cell."""
        x, y = self.middle(example)
        self.grid.hover(position={"x": x, "y": y})

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

    def luminance(self, n: int) -> npt.NDArray[np.float64]:
        """Return how bright the cells of examples 0 to ``n - 1`` are, shape (n,), 0 to 255."""
        colors: Any = self.grid.evaluate(COLORS, n)
        luminance: npt.NDArray[np.float64] = np.asarray(colors, dtype=np.float64) @ LUMINANCE
        return luminance

    def neighbors(self) -> list[int]:
        """Return the listed neighbors that are in sight, nearest first."""
        listed = self.part("neighbors").locator("[data-example]")
        return [int(text) for text in listed.evaluate_all("a => a.map(b => b.dataset.example)")]


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
