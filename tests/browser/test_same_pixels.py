"""One state of a figure is one picture: in the widget, in its page, and in its snapshot."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.books import ARRAYS, kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

STATES: list[dict[str, Any]] = [
    {"stage": "L0.resid_post@a", "selected": 7, "color_by": "distance", "without": []},
    {"stage": "L1.resid_post@b", "selected": 44, "color_by": "a", "arrange_by": ["b", "a"]},
    {"stage": "L1.resid_post@b", "selected": 8, "color_by": "distance", "without": ["b"],
     "arrange_by": []},
]  # fmt: skip
WIDTH = 1000

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[tuple[Figure, Kernel]]:
    cells = [ARRAYS, "w = cw.ClusterWidget(explorer, height=560)\nw"]
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "pixels", cells)))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    figure.resize(WIDTH)
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


def pixels_of(url: str) -> Pixels:
    """Return the pixels of a picture that is a data URL, (height, width, 4)."""
    data = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def drawn(figure: Figure) -> Pixels:
    figure.leave_grid()
    figure.wait_until_idle()
    url: str = figure.grid.evaluate("canvas => canvas.toDataURL('image/png')")
    return pixels_of(url)


def differing(a: Pixels, b: Pixels) -> int:
    assert a.shape == b.shape
    return int((a != b).any(axis=2).sum())


@pytest.mark.parametrize("state", STATES)
def test_no_pixel_differs_between_widget_page_and_snapshot(
    opened: tuple[Figure, Kernel], state: dict[str, Any], tmp_path: Path, open_page: OpenPage
) -> None:
    widget, kernel = opened
    kernel.run(f"for name, value in {state}.items(): setattr(w, name, value)")
    widget.page.wait_for_function(
        "stage => document.querySelector('.clusterwidget').dataset.paintedStage === stage",
        arg=state["stage"],
    )
    in_widget = drawn(widget)
    kernel.wait_for("w.snapshot['selected']", state["selected"])
    kernel.wait_for("w.snapshot['colorBy']", state["color_by"])
    kernel.run(f"w.export({str(tmp_path / 'page.html')!r}, tell=None)")
    page = Figure(open_page((tmp_path / "page.html").as_uri()))
    page.wait_for_picture()
    page.resize(WIDTH)
    assert differing(in_widget, drawn(page)) == 0
    assert len(np.unique(in_widget.reshape(-1, 4), axis=0)) > 5

    snapshot = kernel.value("w.snapshot['image']")
    assert snapshot.startswith("data:image/png")
    cells = pixels_of(snapshot)
    height, width = cells.shape[:2]
    assert width > 300
    assert differing(cells, in_widget[:height, :width]) == 0


def test_a_notebook_as_html_stays_interactive(
    opened: tuple[Figure, Kernel], tmp_path: Path, open_page: OpenPage
) -> None:
    from nbconvert import HTMLExporter

    _, kernel = opened
    kernel.run("embedded = cw.ClusterWidget(explorer, selected=9, embed=True)")
    bundle = kernel.value("embedded._repr_mimebundle_()[0]")
    output = nbformat.v4.new_output("display_data", data=bundle)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("w", outputs=[output])])
    exporter = HTMLExporter(require_js_url="", mathjax_url="")
    (tmp_path / "book.html").write_text(exporter.from_notebook_node(notebook)[0])
    page = open_page((tmp_path / "book.html").as_uri())
    inside = page.frame_locator("iframe")
    inside.locator(".clusterwidget[data-painted-selected='9']").wait_for()
    inside.locator('[data-stage="L0.resid_post@a"]').click()
    inside.locator(".clusterwidget[data-painted-stage='L0.resid_post@a']").wait_for()
    # Cut off from the notebook around it.
    expect(page.locator("iframe")).to_have_attribute("sandbox", "allow-scripts allow-downloads")
