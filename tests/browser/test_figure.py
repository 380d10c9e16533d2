"""The figure in JupyterLab: what is clicked, typed and hovered, and what Python then knows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.books import ARRAYS, WIDGET, kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure, assert_order_of_brightness
from tests.browser.fixtures import OpenPage
from tests.browser.kernels import Kernel
from tests.browser.servers import Server

N = 400
OTHER_STAGE = "L0.resid_post@a"


@pytest.fixture(scope="module")
def opened(lab: Server, open_module_page: OpenPage) -> Iterator[tuple[Figure, Kernel]]:
    name = write_notebook(lab.root, "figure", [ARRAYS, WIDGET])
    page = open_module_page(lab_url(lab, name))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture()
    kernel = kernel_behind(lab, page)
    yield figure, kernel
    kernel.close()


@pytest.fixture
def figure(opened: tuple[Figure, Kernel]) -> Figure:
    """Return the figure at its first stage with example 0 selected."""
    figure, kernel = opened
    figure.leave_grid()
    # What the page has told the kernel last must not arrive after what is set here.
    kernel.wait_for("w.selected", int(figure.painted()["selected"]))
    first = "L1.resid_post@b"
    kernel.run(
        f"w.k, w.color_by, w.arrange_by = 100, 'distance', []\nw.stage, w.selected = {first!r}, 0"
    )
    figure.page.wait_for_function(
        """stage => {
          const shown = document.querySelector(".clusterwidget").dataset;
          return shown.paintedSelected === "0" && shown.paintedStage === stage;
        }""",
        arg=first,
    )
    return figure


@pytest.fixture
def kernel(opened: tuple[Figure, Kernel]) -> Kernel:
    return opened[1]


def test_click_recolors_the_grid_by_distance_and_selects_in_python(
    figure: Figure, kernel: Kernel
) -> None:
    figure.click_cell(123)
    kernel.wait_for("w.selected", 123)
    figure.leave_grid()
    assert_order_of_brightness(figure.luminance(N), kernel.value("w.distances.tolist()"))


def test_stage_map_changes_the_stage_in_the_grid_and_in_python(
    figure: Figure, kernel: Kernel
) -> None:
    before = figure.luminance(N)
    figure.choose_stage(OTHER_STAGE)
    kernel.wait_for("w.stage", OTHER_STAGE)
    after = figure.luminance(N)
    assert_order_of_brightness(after, kernel.value("w.distances.tolist()"))
    assert not np.array_equal(before, after)


def test_neighbors_are_listed_nearest_first_as_python_has_them(
    figure: Figure, kernel: Kernel
) -> None:
    listed = figure.neighbors()
    assert len(listed) >= 10
    assert listed == kernel.value("w.neighbors['example'].tolist()")[: len(listed)]
    distances = figure.part("neighbors").locator(".cw-distance").all_inner_texts()
    expected = kernel.value("w.neighbors['distance'].tolist()")[: len(listed)]
    np.testing.assert_allclose([float(text) for text in distances], expected, rtol=0.01, atol=1e-3)


def test_python_moves_the_figure(figure: Figure, kernel: Kernel) -> None:
    with figure.repaint(selected=77, stage=OTHER_STAGE):
        kernel.run(f"w.selected = 77; w.stage = {OTHER_STAGE!r}; w.k = 3")
    expect(figure.part("neighbors").locator("[data-example]")).to_have_count(3)
    assert figure.neighbors() == kernel.value("w.neighbors['example'].tolist()")


def test_k_typed_in_the_page_reaches_python(figure: Figure, kernel: Kernel) -> None:
    figure.part("k").press("ControlOrMeta+a")
    figure.part("k").press_sequentially("7")
    figure.part("k").press("Enter")
    kernel.wait_for("w.k", 7)
    assert kernel.value("len(w.neighbors)") == 7


def test_hover_previews_and_leaving_restores(figure: Figure, kernel: Kernel) -> None:
    figure.leave_grid()
    before = figure.luminance(N)
    figure.hover_cell(200)
    figure.page.wait_for_timeout(200)
    preview = figure.luminance(N)
    distances = kernel.value("w.explorer.distances(w.stage, 200).tolist()")
    assert_order_of_brightness(preview, distances)
    assert kernel.value("w.selected") == 0
    figure.leave_grid()
    figure.page.wait_for_timeout(200)
    np.testing.assert_array_equal(figure.luminance(N), before)
    assert figure.painted()["selected"] == "0"


def test_random_selects_another_example(figure: Figure, kernel: Kernel) -> None:
    # One in 400 draws is the example selected already: two of three in a row never are.
    seen = {0}
    for _ in range(3):
        figure.part("random").click()
        figure.page.wait_for_timeout(150)
        seen.add(int(figure.painted()["selected"]))
    assert len(seen) > 1
    kernel.wait_for("w.selected", int(figure.painted()["selected"]))


def test_typing_part_of_a_label_selects_the_next_example_that_has_it(
    figure: Figure, kernel: Kernel
) -> None:
    labels = kernel.value("list(w.examples.labels)")
    figure.type_example("7 and 3")
    expected = labels.index("7 and 3", 1)
    kernel.wait_for("w.selected", expected)


def test_arrow_keys_walk_enter_selects_and_escape_goes_back(figure: Figure, kernel: Kernel) -> None:
    figure.grid.focus()
    x = figure.middle(0)[0]
    figure.page.keyboard.press("ArrowRight" if x < 100 else "ArrowLeft")
    figure.page.wait_for_timeout(100)
    with figure.repaint():
        figure.page.keyboard.press("Enter")
    moved = int(figure.painted()["selected"])
    assert moved != 0
    assert figure.middle(moved)[0] != x
    kernel.wait_for("w.selected", moved)
    with figure.repaint(selected=0):
        figure.page.keyboard.press("Escape")
    kernel.wait_for("w.selected", 0)


def test_undo_and_redo_walk_the_history(figure: Figure) -> None:
    figure.click_cell(5)
    figure.click_cell(6)
    with figure.repaint(selected=5):
        figure.part("undo").click()
    with figure.repaint(selected=6):
        figure.part("redo").click()


def test_color_by_concept_gives_each_value_one_color(figure: Figure, kernel: Kernel) -> None:
    kernel.run("w.color_by = 'even'")
    figure.page.wait_for_timeout(400)
    luminance = figure.luminance(N)
    even = np.array(kernel.value("w.examples.concepts['even'].astype(int).tolist()"), dtype=bool)
    assert len(set(luminance[even])) == 1
    assert len(set(luminance[~even])) == 1
    assert luminance[even][0] != luminance[~even][0]


def test_kernel_error_is_shown_in_the_widget(figure: Figure, kernel: Kernel) -> None:
    kernel.run(
        "def broken(*_, **__):\n    raise MemoryError('needs 12 GB: ask for fewer examples')\n"
        "kept = w.explorer.matrix\nw.explorer.matrix = broken\n"
        "w.send({'type': 'changed', 'n': 400})"
    )
    expect(figure.part("error")).to_contain_text("needs 12 GB: ask for fewer examples")
    kernel.run("w.explorer.matrix = kept\nw.send({'type': 'changed', 'n': 400})")
    expect(figure.part("error")).to_have_count(0)


def test_bad_values_are_refused_in_python_and_leave_the_figure_alone(
    figure: Figure, kernel: Kernel
) -> None:
    for code, message in [
        ("w.selected = 400", "400"),
        ("w.k = 0", "0"),
        ("w.stage = 'L9.resid_post@b'", "L9"),
        ("w.color_by = 'odd'", "odd"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            kernel.run(code)
    assert figure.painted()["selected"] == "0"
