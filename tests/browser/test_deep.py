"""The stage map of a deep model, and texts: one page without a kernel, for all tests here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import clusterwidget as cw
from clusterwidget.publish.page.export import export
from clusterwidget.publish.page.recording import View
from tests.browser.axe import violations
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage

LAYERS, HEADS, LENGTH, N = 8, 3, 30, 48
LAST = LENGTH - 1
PLANTED = f"L5H1.result@{LAST}"
HERE = f"L7.resid_post@{LAST}"
NAMES = ("Mary", "John", "Susan", "Peter")
SENTENCE = "It was so cold that nobody in town went out , said the baker .\n"
FILLER = SENTENCE.split(" ")
FOLDED = "[role=row][aria-expanded=false]"


def deep_explorer() -> cw.Explorer:
    """Texts, noise at every stage of eight layers, and a name in one head's vectors."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (2, N))
    texts = []
    for a, b in zip(first, second, strict=True):
        end = ["When", NAMES[a], "and", NAMES[b], "went", "out,", NAMES[b], "gave", "it", "to"]
        words = [*(FILLER * 2)[: LENGTH - 1 - len(end)], *end]
        texts.append(["<|endoftext|>", words[0], *[f" {word}" for word in words[1:]]])
    vocabulary = sorted({token for text in texts for token in text})
    noise = rng.normal(size=(LAYERS, HEADS + 2, N, 2)).astype(np.float32)
    noise[5, 1] = 9 * np.eye(4, 2)[first] + 5 * np.eye(4)[first][:, 2:] + noise[5, 1] / 99
    activations: dict[cw.Stage | str, Any] = {}
    for layer in range(LAYERS):
        for position in range(0, LENGTH, 1):
            planted = layer == 5 and position == LAST
            for head in range(HEADS):
                rows = noise[layer, head] if planted or layer != 5 else noise[4, head]
                activations[f"L{layer}H{head}.result@{position}"] = rows
            activations[f"L{layer}.mlp_out@{position}"] = noise[layer, HEADS]
            activations[f"L{layer}.resid_post@{position}"] = noise[layer, HEADS + 1]
    examples = cw.Examples(
        [[vocabulary.index(token) for token in text] for text in texts],
        labels=["".join(text[1:]) for text in texts],
        vocabulary=vocabulary,
        concepts={"first": [NAMES[a] for a in first], "second": [NAMES[b] for b in second]},
    )
    return cw.Explorer(examples=examples, activations=activations)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = View(0, HERE, 20, "distance", [], [], None, unfolded=[2])
    # One stage of each kind: the map has the colors of all of them.
    stages = [HERE, PLANTED, f"L7.mlp_out@{LAST}"]
    return export(deep_explorer(), view, tmp_path_factory.mktemp("deep") / "page.html", stages)


@pytest.fixture(scope="module")
def page(file: Path, open_module_page: OpenPage) -> Page:
    page = open_module_page(file.as_uri())
    Figure(page).wait_for_picture()
    Figure(page).part("atlas-legend").wait_for()
    return page


@pytest.fixture
def figure(page: Page) -> Figure:
    return Figure(page)


def test_a_deep_model_opens_as_it_was_saved_and_folds_into_a_row_a_layer(figure: Figure) -> None:
    figure.resize(700)
    layers = figure.root.locator("[role=row][aria-expanded]")
    assert layers.evaluate_all("rows => rows.map(row => row.ariaExpanded)") == [
        str(layer == 2).lower() for layer in range(LAYERS)
    ]
    faults = violations(figure)
    assert faults == [], "\n".join(faults)
    figure.part("fold-all").click()
    expect(figure.root.locator(FOLDED)).to_have_count(LAYERS)
    expect(figure.root.locator("[role=treegrid]")).to_have_attribute("aria-rowcount", "9")
    # Of all stages of layer 5 the planted one is explained most.
    cell = figure.root.locator(f"{FOLDED} [data-stage='{PLANTED}']")
    expect(cell).to_have_attribute("data-of", "5")
    cell.hover()
    expect(figure.part("tooltip")).to_contain_text("the most explained of 5 stages")
    assert figure.root.locator(".cw-stage[aria-selected=true]").count() == 1
    assert violations(figure) == []


def test_the_most_explained_kinds_come_first_where_a_layer_is_unfolded(figure: Figure) -> None:
    figure.root.get_by_role("button", name="layer 5").click()
    shown = figure.root.locator("[aria-level='2'] .cw-name")
    assert shown.first.inner_text().split()[0] == "result"
    expect(shown).to_have_count(HEADS + 2)


def test_the_keyboard_folds_and_unfolds(figure: Figure) -> None:
    page = figure.page
    figure.part("stage-map").focus()
    for key in ("Home", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    heading = figure.root.locator("[role=row][aria-expanded]").nth(6)
    expect(heading).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(heading).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-expanded", "true")
    figure.part("fold-all").click()
    expect(figure.root.locator(FOLDED)).to_have_count(LAYERS)


@pytest.mark.parametrize("width", [700, 1400])
def test_the_last_token_is_in_sight_and_no_head_is_cut_off(figure: Figure, width: int) -> None:
    figure.resize(width)
    faults = figure.root.evaluate(
        """(root, last) => {
          const along = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1;
          const upright = (a, b) => a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
          const fits = root.querySelector(".cw-upright") ? upright : along;
          const faults = [];
          const map = root.querySelector("[data-role=stage-map]").getBoundingClientRect();
          for (const head of root.querySelectorAll(".cw-head")) {
            const box = head.getBoundingClientRect();
            for (const text of head.children) {
              const cut = !fits(text.getBoundingClientRect(), box);
              if (cut) faults.push(`${text.textContent} is cut off`);
            }
          }
          const heads = [...root.querySelectorAll(".cw-head")];
          const end = heads.find(head => head.ariaColIndex === String(last + 2));
          if (!along(end.getBoundingClientRect(), map)) faults.push("the end is out of sight");
          const row = root.querySelector("[data-role=tokens]");
          const tokens = [...row.querySelectorAll(".cw-token")];
          const box = tokens[last].getBoundingClientRect();
          if (!along(box, row.getBoundingClientRect())) faults.push("so is the last token");
          return faults;
        }""",
        LAST,
    )
    assert faults == []
    assert figure.faults() == []


def test_what_cannot_be_seen_has_a_sign_and_a_word(figure: Figure) -> None:
    first = figure.part("tokens").locator(".cw-token").first
    expect(first.get_by_role("img", name="token endoftext")).to_have_text("⟨endoftext⟩")
    heads = figure.root.get_by_role("columnheader")
    assert heads.last.inner_text().split()[0] == "·to"
    expect(heads.last.get_by_role("img", name="space")).to_have_count(1)


def test_neighbors_texts_are_around_the_position_and_mark_what_differs(figure: Figure) -> None:
    figure.resize(1400)
    examples = deep_explorer().examples
    listed = figure.part("neighbors").locator("[data-example]")
    for button in listed.all()[:8]:
        example = int(button.get_attribute("data-example") or "")
        text = examples.labels[example]
        tip = button.get_attribute("data-tip") or ""
        assert tip.replace(" ↵", " \n").replace("↵", "\n") == text
        shown = button.locator(".cw-text")
        assert shown.inner_text().startswith("…"), "what all share is left out"
        assert shown.locator("[data-here]").inner_text().strip() == "to"
        assert shown.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
        differing = shown.locator("[data-differs]").all_inner_texts()
        words, own = text.split(), examples.labels[0].split()
        different = [word for word, mine in zip(words, own, strict=True) if word != mine]
        assert " ".join(differing).split() == different[-len(" ".join(differing).split()) :]
