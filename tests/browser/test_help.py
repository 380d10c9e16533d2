"""Words explain themselves, by pointer and by keyboard; a tour shows what is on screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.books import ARRAYS, WIDGET, voila_url, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

SAID = "The first of the two <b>tokens</b>."
DESCRIBED = ARRAYS.replace(
    "    axes=", f"    descriptions={{'a': {SAID!r}, 'b': 'The second.'}},\n    axes=", 1
)
# The element with the focus, as its role on the page.
FOCUSED = "() => document.activeElement?.dataset.role ?? document.activeElement?.textContent"
# What lies under the middle of the light, against what the stop is about.
LIT = """root => {
  const spot = root.querySelector(".cw-spot").getBoundingClientRect();
  const card = root.querySelector(".cw-card").getBoundingClientRect();
  const figure = root.getBoundingClientRect();
  const inside = box => box.left >= figure.left && box.right <= figure.right
    && box.top >= figure.top && box.bottom <= figure.bottom;
  return inside(spot) && inside(card) && spot.width > 20 && spot.height > 20;
}"""


@pytest.fixture(scope="module")
def figure(voila: Server, open_module_page: OpenPage) -> Figure:
    name = write_notebook(voila.root, "help", [DESCRIBED, WIDGET])
    figure = Figure(open_module_page(voila_url(voila, name), width=760))
    figure.wait_for_picture(seconds=120)
    figure.part("atlas-legend").wait_for()
    return figure


def test_a_term_says_what_it_means_to_the_pointer_and_escape_takes_that_away(
    figure: Figure,
) -> None:
    with figure.repaint(selected=7):
        figure.click_cell(7)
    hint = figure.part("hint")
    figure.root.locator(".cw-map h3 .cw-term").hover()
    expect(hint).to_be_visible()
    expect(hint).to_contain_text("A place in the model where every example has one vector")
    # It can be pointed at, to be read in peace.
    hint.hover()
    figure.page.wait_for_timeout(400)
    expect(hint).to_be_visible()
    figure.page.keyboard.press("Escape")
    expect(hint).to_be_hidden()
    assert figure.painted()["selected"] == "7"
    figure.leave_grid()


def test_every_term_is_reached_by_keys_and_heard_as_a_description(figure: Figure) -> None:
    terms = figure.root.locator(".cw-term")
    assert terms.count() >= 6
    figure.part("random").focus()
    reached = set()
    for _ in range(60):
        figure.page.keyboard.press("Tab")
        focused = figure.root.locator(".cw-term:focus")
        if focused.count():
            tip = focused.get_attribute("data-tip") or ""
            expect(figure.part("hint")).to_have_text(tip)
            described = focused.get_attribute("aria-describedby")
            assert described == figure.part("hint").get_attribute("id")
            reached.add(focused.inner_text())
    assert reached == set(terms.all_inner_texts())
    figure.part("type").focus()
    expect(figure.part("hint")).to_be_hidden()


def test_what_a_concept_says_stands_wherever_its_name_does(figure: Figure) -> None:
    figure.part("color").select_option("a")
    figure.part("shared").locator("[data-concept=b]").wait_for()
    tips = figure.root.evaluate(
        "root => [...root.querySelectorAll('[data-tip]')].map(e => e.dataset.tip)"
    )
    assert tips.count(SAID) >= 3, "axis, legend and menu"
    assert any("The second." in tip and "of the neighbors" in tip for tip in tips)
    assert figure.part("color").locator(f'option[title="{SAID}"]').count() == 1
    cell = figure.root.locator("[data-stage='L0.resid_post@a']")
    cell.hover()
    expect(figure.part("tooltip")).to_contain_text(SAID)
    figure.leave_grid()
    expect(figure.part("tooltip")).to_have_count(0)
    figure.part("stage-map").focus()
    figure.page.keyboard.press("ArrowRight")
    expect(figure.part("tooltip")).to_be_visible()
    figure.part("type").focus()
    expect(figure.part("tooltip")).to_have_count(0)
    figure.part("color").select_option("distance")


def test_the_tour_is_walked_by_keys_and_gives_the_focus_back(figure: Figure) -> None:
    page = figure.page
    figure.grid.focus()
    page.keyboard.press("?")
    card = figure.root.get_by_role("dialog")
    expect(card).to_be_visible()
    assert page.evaluate(FOCUSED) == "tour-next"
    told = []
    while True:
        page.wait_for_timeout(250)
        assert figure.root.evaluate(LIT)
        told.append(card.inner_text())
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert card.evaluate("card => card.contains(document.activeElement)")
        if "done" in told[-1]:
            break
        page.keyboard.press("ArrowRight")
    assert len(told) == 5
    # There is no model to be asked here, and no answer to be traced.
    assert "Shift-click" not in " ".join(told)
    assert "trace" not in " ".join(told)
    page.keyboard.press("ArrowLeft")
    expect(card).to_contain_text("4 of 5")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    page.wait_for_timeout(100)
    assert page.evaluate(FOCUSED) == "grid"
    figure.part("tour").click()
    expect(card).to_contain_text("1 of 5")
    figure.part("tour-close").click()
    page.wait_for_timeout(100)
    assert page.evaluate(FOCUSED) == "tour"


def test_a_question_mark_that_is_typed_is_no_question(figure: Figure) -> None:
    figure.part("type").focus()
    figure.page.keyboard.type("a?")
    assert figure.part("type").input_value() == "a?"
    expect(figure.root.get_by_role("dialog")).to_have_count(0)
    figure.part("type").fill("")
