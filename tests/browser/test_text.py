"""Labels, concepts and tokens are text, whatever they look like."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.books import lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

HOSTILE = '<img src=x onerror="window.harmed = true">'
BOOK = f"""
import numpy as np
import clusterwidget as cw

hostile = {HOSTILE!r}
values = np.arange(40)
examples = cw.Examples(
    values[:, None] % 4,
    labels=[f"{{hostile}} {{i}}" for i in values],
    positions=[hostile],
    vocabulary=[f"{{hostile}}{{i}}" for i in range(4)],
    concepts={{hostile: [hostile] * 20 + ["<b>other</b>"] * 20, "<i>": values % 2}},
    axes={{hostile: (hostile, "<i>")}},
)
matrix = np.random.default_rng(0).normal(size=(40, 4)).astype("f4")
w = cw.ClusterWidget(cw.Explorer(examples=examples, activations={{f"embed@{{hostile}}": matrix}}))
w
"""


def test_markup_in_labels_concepts_and_tokens_is_shown_as_text(
    lab: Server, open_page: OpenPage
) -> None:
    page = open_page(lab_url(lab, write_notebook(lab.root, "hostile", [BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    # What all neighbors' texts share is left out beside them, and is whole in their hints.
    hints = (
        figure.part("neighbors")
        .locator("[data-tip]")
        .evaluate_all("all => all.map((one) => one.dataset.tip)")
    )
    assert any(HOSTILE in hint for hint in hints)
    expect(figure.part("tokens")).to_contain_text(HOSTILE)
    figure.hover_cell(20)
    expect(figure.part("tooltip")).to_contain_text(HOSTILE)
    figure.click_cell(20)
    # Long enough for the snapshot, which draws all of it once more.
    page.wait_for_timeout(2000)
    expect(figure.root.locator("img, b b, i i")).to_have_count(0)
    assert page.evaluate("window.harmed") is None
