"""What a cell's output holds: the widget, a picture of it, or both."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import Any

import nbformat
import numpy as np
import pytest
import traitlets
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

import clusterwidget as cw
from clusterwidget.plot.output import VIEW
from clusterwidget.plot.scene import scene
from tests.browser.books import ARRAYS, WIDGET
from tests.plot.test_still import corners

PNG = "image/png"


def data_of(widget: cw.ClusterWidget) -> dict[str, Any]:
    data, metadata = widget._repr_mimebundle_()
    assert (PNG in data) == (PNG in metadata)
    return dict(data)


def picture_of(data: dict[str, Any]) -> np.ndarray:
    with Image.open(io.BytesIO(b64decode(data[PNG]))) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_page_does_not_wait_for_a_capture(native_model: Any, examples: cw.Examples) -> None:
    widget = cw.ClusterWidget(cw.Explorer(native_model, examples))
    assert data_of(widget).keys() == {"text/plain", VIEW}
    widget.explorer.matrix(widget.stage)
    assert data_of(widget).keys() == {"text/plain", VIEW, PNG}
    widget.without = []
    widget.close()


def test_the_picture_can_be_demanded_and_left_out(native_model: Any, examples: cw.Examples) -> None:
    explorer = cw.Explorer(native_model, examples)
    assert PNG in data_of(cw.ClusterWidget(explorer, picture=True))
    assert explorer.holds("L1.resid_post@g")
    assert PNG not in data_of(cw.ClusterWidget(explorer, picture=False))
    with pytest.raises(traitlets.TraitError, match="'always'"):
        cw.ClusterWidget(explorer, picture="always")


def test_what_takes_longer_is_left_out_where_it_was_not_demanded(given: cw.Explorer) -> None:
    widget = cw.ClusterWidget(given)
    assert PNG in data_of(widget)
    widget.without = ["tens"]
    assert PNG not in data_of(widget)
    widget.without, widget.color_by = [], "cluster"
    assert PNG not in data_of(widget)
    widget.picture = True
    assert PNG in data_of(widget)


def test_voila_keeps_no_output_so_none_is_drawn(
    given: cw.Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOILA_BASE_URL", "/")
    assert PNG not in data_of(cw.ClusterWidget(given))
    assert PNG in data_of(cw.ClusterWidget(given, picture=True))


def test_the_picture_shows_what_the_traits_say(given: cw.Explorer) -> None:
    widget = cw.ClusterWidget(given, selected=7, stage="embed@1", arrange_by=["word", "units"])
    for color_by in ("distance", "word"):
        widget.color_by = color_by
        shown = scene(given, "embed@1", 7, color_by=color_by, arrange_by=["word", "units"])
        pixels = picture_of(data_of(widget))
        x, y = corners(shown).T
        right = np.abs(pixels[y, x] - shown.table[shown.indexes]).max(axis=1) <= 4
        assert right.sum() >= len(right) - 4


def test_the_picture_has_the_looks_that_the_traits_say(given: cw.Explorer) -> None:
    looks: dict[str, Any] = {"scale": "log", "palette": "gray", "near": "dark"}
    widget = cw.ClusterWidget(given, plain=True, filter="tens = 3", **looks)
    stage = widget.stage
    shown = scene(given, stage, 0, plain=True, filter="tens = 3", **looks)
    pixels = picture_of(data_of(widget))
    x, y = corners(shown).T
    assert shown.mask is not None
    right = np.abs(pixels[y, x] - shown.table[shown.indexes]).max(axis=1) <= 6
    assert right[shown.mask].all()
    assert (pixels[y, x][~shown.mask].mean(axis=1) > 200).sum() >= (~shown.mask).sum() - 4


def test_a_notebook_that_a_program_executes_keeps_the_picture_in_the_widgets_place() -> None:
    cells = [ARRAYS, WIDGET, "cw.ClusterWidget(explorer, picture=True)"]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [dict(output.data) for cell in notebook.cells for output in cell.outputs]
    assert [set(data) for data in outputs] == [
        {"text/plain", PNG},
        {"text/plain", VIEW, PNG},
    ]
    names: dict[str, Any] = {}
    exec(ARRAYS, names)
    shown = scene(names["explorer"], "L1.resid_post@b", 0)
    x, y = corners(shown).T
    pixels = picture_of(outputs[0])
    right = np.abs(pixels[y, x] - shown.table[shown.indexes]).max(axis=1) <= 4
    assert right.sum() >= len(right) - 4
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert f"data:image/png;base64,{outputs[0][PNG]}".replace("\n", "") in page.replace("\n", "")
