"""What is left of a figure when its cell, its kernel or its notebook starts again."""

from __future__ import annotations

import io
import json
import os
import signal
import urllib.request
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from clusterwidget.plot.scene import scene
from tests.browser.books import (
    ARRAYS,
    WIDGET,
    kernel_behind,
    lab_command,
    lab_url,
    run_all,
    wait_for_kernel,
    write_notebook,
)
from tests.browser.figure import Figure, assert_order_of_brightness
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server
from tests.plot.test_still import corners

MOST_SAVED = 200_000


@pytest.fixture
def page(lab: Server, open_page: OpenPage, request: pytest.FixtureRequest) -> Page:
    """Return a page of JupyterLab with a new notebook, run, and its figure painted."""
    name = write_notebook(lab.root, request.node.name, [ARRAYS, WIDGET])
    page = open_page(lab_url(lab, name))
    run_all(page)
    Figure(page).wait_for_picture()
    return page


def live_grids(page: Page) -> int:
    """Return how many grids the page's memory still holds, shown or not."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    prototype = session.send("Runtime.evaluate", {"expression": "HTMLCanvasElement.prototype"})
    found = session.send(
        "Runtime.queryObjects", {"prototypeObjectId": prototype["result"]["objectId"]}
    )
    counted = session.send(
        "Runtime.callFunctionOn",
        {
            "objectId": found["objects"]["objectId"],
            "functionDeclaration": """function () {
              return this.filter(c => c.dataset.role === "grid").length;
            }""",
            "returnByValue": True,
        },
    )
    return int(counted["result"]["value"])


def test_rerunning_the_cell_leaves_one_figure_and_no_listeners(lab: Server, page: Page) -> None:
    kernel = kernel_behind(lab, page)
    for _ in range(3):
        before = kernel.value("id(w)")
        lab_command(page, "notebook:run-cell")
        page.wait_for_function("document.querySelectorAll('.clusterwidget').length === 1")
        page.wait_for_timeout(300)
        assert kernel.value("id(w)") != before
    figure = Figure(page)
    figure.wait_for_picture()
    expect(page.locator("canvas[data-role=grid]")).to_have_count(1)
    assert live_grids(page) == 1
    figure.click_cell(31)
    kernel.wait_for("w.selected", 31)
    kernel.close()


def test_figure_works_again_after_the_kernel_is_restarted(lab: Server, page: Page) -> None:
    lab_command(page, "notebook:restart-run-all")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_function("!document.querySelector('.jp-Dialog')")
    figure = Figure(page)
    kernel = kernel_behind(lab, page)
    kernel.wait_for("'w' in globals()", True, seconds=30)
    expect(page.locator("canvas[data-role=grid]")).to_have_count(1)
    figure.wait_for_picture()
    figure.click_cell(200)
    kernel.wait_for("w.selected", 200)
    assert_order_of_brightness(figure.luminance(400), kernel.value("w.distances.tolist()"))
    kernel.close()


# A model that a capture takes a long time with, and a stage that is at hand without it.
SLOW = """
import time
import clusterwidget as cw
from clusterwidget.activations.activations import Activations

def never_ends(self, model, missing, watch):
    for done in range(10_000):
        watch.step(done, 10_000)
        time.sleep(0.05)

examples = cw.addition.problems(400, seed=0)
model = cw.addition.load_model()
explorer = cw.Explorer(model, examples)
first = cw.ClusterWidget(explorer).stage
explorer.matrix(first)
Activations._run_passes = never_ends
import os
print("process", os.getpid())
w = cw.ClusterWidget(explorer)
w
"""
GONE_WITHIN_MS = 3_000
FOR_THE_MACHINE_MS = 2_000


def test_a_kernel_that_dies_is_said_to_be_gone_within_three_seconds(
    lab: Server, open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    page = open_page(lab_url(lab, write_notebook(lab.root, request.node.name, [SLOW])))
    page.set_default_timeout(90_000)
    run_all(page)
    Figure(page).wait_for_picture(90)
    page.locator("[data-role=preparing]").first.wait_for()
    expect(page.locator("[data-role=gone]")).to_have_count(0)
    process = int(page.locator("text=/^process [0-9]+/").inner_text().split()[1])
    page.evaluate(
        """() => new MutationObserver(() => {
          if (document.querySelector("[data-role=gone]")) window.gone ??= Date.now();
        }).observe(document.body, { childList: true, subtree: true })"""
    )
    killed = page.evaluate("Date.now()")
    os.kill(process, signal.SIGKILL)
    page.wait_for_function("window.gone")
    assert page.evaluate("window.gone") - killed <= GONE_WITHIN_MS + FOR_THE_MACHINE_MS
    expect(page.locator("[data-role=gone]")).to_contain_text("The kernel is gone.")
    expect(page.locator("[data-role=preparing], [data-role=cancel]")).to_have_count(0)


def test_a_page_shows_the_widget_and_saves_the_same_as_a_picture(
    lab: Server, page: Page, request: pytest.FixtureRequest
) -> None:
    figure = Figure(page)
    expect(page.locator(".jp-OutputArea-output img")).to_have_count(0)
    on_screen = figure.colors(400)
    names: dict[str, Any] = {}
    exec(ARRAYS, names)
    drawn = scene(names["explorer"], "L1.resid_post@b", 0)
    assert np.abs(on_screen - drawn.table[drawn.indexes]).max() <= 3
    lab_command(page, "docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    notebook = json.loads((lab.root / f"{request.node.name}.ipynb").read_text())
    (output,) = notebook["cells"][-1]["outputs"]
    with Image.open(io.BytesIO(b64decode(output["data"]["image/png"]))) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    x, y = corners(drawn).T
    saved = pixels[y, x]
    # The selected cell's frame lies over some beside it; the palette has fewer colors.
    assert (np.abs(saved - on_screen).max(axis=1) <= 5).sum() >= 396


def test_notebook_reopened_without_its_kernel_shows_a_marked_snapshot(
    lab: Server, page: Page, open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    name = f"{request.node.name}.ipynb"
    kernel = kernel_behind(lab, page)
    figure = Figure(page)
    figure.click_cell(17)
    kernel.wait_for("w.selected", 17)
    kernel.wait_for("w.snapshot.get('selected')", 17)
    label = kernel.value("w.examples.labels[17]")
    kernel.close()
    lab_command(page, "docmanager:save")
    saved = lab.root / name
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    notebook = json.loads(saved.read_text())
    states = notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    (state,) = [s["state"] for s in states.values() if "snapshot" in s["state"]]
    bundle = {"_esm", "_css", "_anywidget_id"}
    assert len(json.dumps({k: v for k, v in state.items() if k not in bundle})) <= MOST_SAVED
    assert all("buffers" not in s or not s["buffers"] for s in states.values())
    page.context.close()
    shut_down_kernels(lab)

    again = open_page(lab_url(lab, name))
    shown = again.locator(".clusterwidget")
    expect(shown).to_contain_text("Snapshot. Run the cell to explore.", timeout=30_000)
    expect(shown).to_contain_text(label)
    image = shown.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("i => i.naturalWidth") > 100
    wait_for_kernel(again)
    run_all(again)
    Figure(again).wait_for_picture()
    expect(again.locator(".clusterwidget")).not_to_contain_text("Snapshot.")


def shut_down_kernels(lab: Server) -> None:
    """End all of a server's kernels, as closing it would."""
    with urllib.request.urlopen(f"{lab.url}/api/sessions") as answer:
        sessions = json.load(answer)
    for session in sessions:
        request = urllib.request.Request(f"{lab.url}/api/sessions/{session['id']}", method="DELETE")
        urllib.request.urlopen(request).close()
