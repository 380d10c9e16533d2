"""The figure is what assistive technology expects: axe-core finds nothing, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.books import lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

BOOK = """
import clusterwidget as cw

problems = cw.addition.problems(1000, seed=0)
w = cw.ClusterWidget(cw.addition.load_model(), problems, stage="L1H0.result@S3")
w
"""


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Page:
    page = open_module_page(lab_url(lab, write_notebook(lab.root, "axe", [BOOK])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(seconds=180)
    figure.part("atlas-legend").wait_for(timeout=120_000)
    return page


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing(opened: Page, theme: str) -> None:
    figure = Figure(opened)
    opened.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    dark = "dark" if theme.endswith("Dark") else "light"
    opened.locator(f".clusterwidget[data-theme={dark}]").wait_for()
    opened.wait_for_timeout(500)
    found = {"first": violations(figure)}

    figure.part("arrange").select_option("rows × columns")
    figure.part("explained-by").select_option("swap tests")
    figure.part("tab-swap-test").click()
    opened.wait_for_timeout(500)
    found["swap tests"] = violations(figure)

    for tool in ("colors", "save"):
        figure.part(tool).click()
        figure.part("filter").fill("carry2 =")
        figure.part("filter-problem").wait_for()
        found[tool] = violations(figure)
        figure.part("filter").fill("carry2 = 1" if tool == "colors" else "")
        figure.part(tool).click()

    figure.part("tab-near").click()
    figure.part("explained-by").select_option("what explains it")
    figure.part("color").select_option("carry2")
    figure.root.locator("button[data-answer=S1]").click()
    figure.part("trace-summary").wait_for()
    x, y = figure.middle(7)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    figure.part("swap-answers").locator("[data-answer]").first.wait_for()
    figure.type_example("not an example")
    figure.part("typed-problem").wait_for()
    found["trace and swap"] = violations(figure)

    figure.part("type").fill("")
    figure.part("tour").click()
    for stop in range(7):
        assert figure.root.get_by_role("dialog").inner_text().find(f"{stop + 1} of 7") > 0
        if stop in (1, 5):
            opened.wait_for_timeout(300)
            found[f"stop {stop} of the tour"] = violations(figure, contrast=False)
        figure.part("tour-next").click()
    figure.root.locator(".cw-map h3 .cw-term").hover()
    expect(figure.part("hint")).to_be_visible()
    found["hint"] = violations(figure)

    figure.part("all-kinds").check()
    figure.part("color").select_option("cluster")
    figure.grid.hover(position={"x": 40, "y": 40})
    opened.wait_for_timeout(1000)
    found["clusters and a note"] = violations(figure)

    figure.part("all-kinds").uncheck()
    figure.part("color").select_option("distance")
    figure.part("arrange").select_option("follow the stage")
    figure.root.locator("button[data-answer=S1]").click()
    figure.part("swap-dismiss").click()
    assert not any(found.values()), found
