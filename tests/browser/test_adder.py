"""The worked example, model and all, in JupyterLab and in Voila."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.books import (
    kernel_behind,
    lab_url,
    run_all,
    voila_url,
    wait_for_new_kernel,
)
from tests.browser.figure import Figure, assert_order_of_brightness
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

BOOK = Path(__file__).parents[2] / "notebooks" / "01_addition.ipynb"
FIRST = 2000
"""How many of the examples have their color compared: enough, and quick."""

Opened = tuple[Figure, Kernel]


@pytest.fixture(scope="module", params=["lab", "voila"])
def opened(request: pytest.FixtureRequest, open_module_page: OpenPage) -> Iterator[Opened]:
    server: Server = request.getfixturevalue(request.param)
    shutil.copy(BOOK, server.root)
    if request.param == "lab":
        page = open_module_page(lab_url(server, BOOK.name))
        run_all(page)
        Figure(page).wait_for_picture(seconds=180)
        kernel = kernel_behind(server, page)
    else:
        with wait_for_new_kernel(server) as connection:
            page = open_module_page(voila_url(server, BOOK.name))
        Figure(page).wait_for_picture(seconds=180)
        kernel = Kernel(connection())
    yield Figure(page), kernel
    kernel.close()


@pytest.fixture
def figure(opened: Opened) -> Figure:
    return opened[0]


@pytest.fixture
def kernel(opened: Opened) -> Kernel:
    return opened[1]


def selected_tokens(figure: Figure) -> str:
    """Return the header's tokens, without the answer that the model is not given."""
    tokens = figure.part("tokens").locator(".cw-token:not(.cw-answer) b")
    return "".join(tokens.all_inner_texts())


def test_click_shows_the_problem_and_recolors_by_the_models_distances(
    figure: Figure, kernel: Kernel
) -> None:
    figure.click_cell(42)
    kernel.wait_for("w.selected", 42)
    figure.leave_grid()
    distances = kernel.value(f"w.distances[:{FIRST}].tolist()")
    assert distances[42] == 0
    assert_order_of_brightness(figure.luminance(FIRST), distances)
    label: str = kernel.value("w.examples.labels[42]")
    assert selected_tokens(figure) == label[:14]


def test_another_stage_of_the_model_is_captured_and_shown(figure: Figure, kernel: Kernel) -> None:
    stage = "L0.attn_out@="
    figure.choose_stage(stage)
    kernel.wait_for("w.stage", stage)
    figure.leave_grid()
    assert_order_of_brightness(
        figure.luminance(FIRST), kernel.value(f"w.distances[:{FIRST}].tolist()")
    )
    expect(figure.part("neighbors")).to_contain_text("+")


def test_pattern_stage_shows_where_the_head_looks(figure: Figure, kernel: Kernel) -> None:
    stage = "L0H1.pattern@S3"
    with figure.repaint(stage=stage):
        kernel.run(f"w.stage = {stage!r}")
    shares = figure.part("tokens").locator("[data-share]")
    shown = [int(share) for share in shares.evaluate_all("a => a.map(b => b.dataset.share)")]
    expected = kernel.value(f"w.explorer.matrix({stage!r})[w.selected].tolist()")
    np.testing.assert_allclose(shown[: len(expected)], 100 * np.array(expected), atol=0.51)


def test_typed_problem_is_selected_and_added_where_it_is_new(
    figure: Figure, kernel: Kernel
) -> None:
    before = kernel.value("len(w.examples)")
    absent = kernel.value(
        "next(t for t in ('1234+5678', '1234+5679', '1234+5670')"
        " if not any(label.startswith(t) for label in w.examples.labels))"
    )
    figure.type_example(absent)
    kernel.wait_for("w.selected", before)
    assert kernel.value("len(w.examples)") == before + 1
    assert kernel.value("w.examples.labels[w.selected]").startswith(absent)
    figure.page.wait_for_function(
        "index => document.querySelector('.clusterwidget').dataset.paintedSelected === index",
        arg=str(before),
    )
    assert selected_tokens(figure).startswith(absent)
    assert_order_of_brightness(
        figure.luminance(FIRST), kernel.value(f"w.distances[:{FIRST}].tolist()")
    )
    figure.type_example(kernel.value("w.examples.labels[7][:9]"))
    kernel.wait_for("w.selected", 7)
    assert kernel.value("len(w.examples)") == before + 1


@pytest.mark.parametrize("text", ["12a4+5", "12345+1", "hello"])
def test_typing_what_is_no_problem_says_so_beside_the_input(
    figure: Figure, kernel: Kernel, text: str
) -> None:
    before = kernel.value("w.selected")
    figure.type_example(text)
    expect(figure.part("typed-problem")).to_contain_text(text)
    assert kernel.value("w.selected") == before
    figure.type_example(kernel.value("w.examples.labels[w.selected][:9]"))
    expect(figure.part("typed-problem")).to_have_count(0)


def test_hover_previews_and_leaving_restores(figure: Figure, kernel: Kernel) -> None:
    figure.leave_grid()
    before = figure.luminance(FIRST)
    figure.hover_cell(99)
    figure.page.wait_for_timeout(250)
    distances = kernel.value(f"w.explorer.distances(w.stage, 99)[:{FIRST}].tolist()")
    assert_order_of_brightness(figure.luminance(FIRST), distances)
    figure.leave_grid()
    figure.page.wait_for_timeout(250)
    np.testing.assert_array_equal(figure.luminance(FIRST), before)


@pytest.mark.parametrize("width", [700, 1400])
def test_figure_fits(figure: Figure, width: int) -> None:
    figure.resize(width)
    assert figure.faults() == []
    assert figure.root.evaluate("root => root.getBoundingClientRect().height") < 1000
