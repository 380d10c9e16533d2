"""Takes the README's pictures: the worked example in Voila, at a stage where a head adds.

``make picture`` writes ``notebooks/widget.png``, ``notebooks/trace.png`` with the trace of an
answer, and ``notebooks/made_of.png`` with a part of a stage set aside.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.books import voila_url, write_notebook
from tests.browser.chromium import find_chromium
from tests.browser.figure import Figure
from tests.browser.fixtures import QUIET
from tests.browser.servers import start_voila

BOOKS = Path(__file__).parents[2] / "notebooks"
PICTURE, TRACE, MADE_OF = (BOOKS / f"{name}.png" for name in ("widget", "trace", "made_of"))
CELL = """
import clusterwidget as cw
w = cw.ClusterWidget(
    cw.addition.load_model(),
    cw.addition.problems(10_000, seed=0),
    stage="L0H2.result@=",
)
w.add("1234+5678")
w
"""


def main() -> None:
    """Serve a notebook with the widget, wait until all of it is there, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        books, home = Path(folder, "books"), Path(folder, "home")
        books.mkdir()
        home.mkdir()
        name = write_notebook(books, "picture", [CELL])
        voila = start_voila(books, home)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=find_chromium(), args=list(QUIET)
                )
                page = browser.new_page(
                    viewport={"width": 1400, "height": 640}, device_scale_factor=1.5
                )
                page.set_default_timeout(180_000)
                page.goto(voila_url(voila, name))
                figure = Figure(page)
                figure.wait_for_picture(180)
                figure.part("atlas-legend").wait_for()
                figure.wait_until_idle(180)
                figure.root.screenshot(path=PICTURE)
                page.locator("button[data-answer=S1]").click()
                figure.part("trace-summary").wait_for()
                page.wait_for_timeout(1000)
                figure.root.screenshot(path=TRACE)
                page.locator("button[data-answer=S1]").click()
                figure.choose_stage("L0H0.result@S3")
                figure.part("tab-made-of").click()
                with figure.repaint():
                    figure.root.locator("[data-part=L2]").click()
                figure.wait_until_idle(180)
                figure.root.screenshot(path=MADE_OF)
                browser.close()
        finally:
            voila.stop()
    print(f"Wrote {PICTURE}, {TRACE} and {MADE_OF}.")


if __name__ == "__main__":
    main()
