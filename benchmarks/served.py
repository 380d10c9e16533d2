"""Real pages for benchmarks: a JupyterLab, a Chromium, and how what they took is written."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.timing import percentile
from tests.browser.books import lab_url, wait_for_kernel, write_notebook
from tests.browser.chromium import find_chromium
from tests.browser.fixtures import QUIET
from tests.browser.servers import Server, start_lab


@contextmanager
def served(folder: Path) -> Iterator[tuple[Server, Browser]]:
    """Start a JupyterLab whose notebooks are in a folder, and a browser."""
    (folder / "books").mkdir()
    lab = start_lab(folder / "books", folder / "home")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
            yield lab, browser
            browser.close()
    finally:
        lab.stop()


def opened(lab: Server, browser: Browser, name: str, cells: list[str]) -> Page:
    """Return a page with a notebook of these cells, its kernel ready."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(180_000)
    page.goto(lab_url(lab, write_notebook(lab.root, name, cells)))
    wait_for_kernel(page)
    return page


def p50_p95(values: tuple[float, ...]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    return statistics.median(values), percentile(values, 0.95)


def in_ms(milliseconds: float) -> str:
    """Return milliseconds as they are written in a table."""
    return f"{milliseconds:.1f} ms"
