"""The widget's traits, without a browser: tests/browser has the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets

import clusterwidget as cw
from clusterwidget import Examples
from clusterwidget.core.watch import Watch
from clusterwidget.wire.replies import reply
from tests.helpers import read, typed


@pytest.fixture
def widget(native_model: Any, examples: Examples) -> cw.ClusterWidget:
    return cw.ClusterWidget(native_model, typed(examples))


def test_it_begins_with_the_last_thing_the_model_knows(widget: cw.ClusterWidget) -> None:
    assert (widget.selected, widget.stage, widget.k) == (0, "L1.resid_post@g", 6)


def test_what_is_on_screen_is_what_the_explorer_says(widget: cw.ClusterWidget) -> None:
    widget.selected, widget.stage, widget.k = 7, "L0H2.result@d", 5
    expected = widget.explorer.distances("L0H2.result@d", 7)
    np.testing.assert_array_equal(widget.distances, expected)
    assert widget.neighbors["example"].tolist() == np.argsort(expected, kind="stable")[1:6].tolist()


def test_its_traits_can_be_observed_and_linked(widget: cw.ClusterWidget) -> None:
    seen: list[int] = []
    widget.observe(lambda change: seen.append(change["new"]), names="selected")
    widget.selected = 3
    assert seen == [3]
    slider = ipywidgets.IntSlider(min=1, max=59)
    ipywidgets.link((widget, "k"), (slider, "value"))
    slider.value = 12
    assert widget.k == 12
    ipywidgets.jslink((widget, "k"), (slider, "value"))
    assert ipywidgets.VBox([widget, slider]).children[0] is widget


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("selected", 60, "no example 60"),
        ("selected", -1, "no example -1"),
        ("k", 0, "k = 0 is out of range"),
        ("k", 60, "1 to 59 neighbors"),
        ("stage", "L7.attn_out@a", "no stage 'L7.attn_out@a'"),
        ("stage", "nonsense", "no address of a stage"),
        ("color_by", "carry", "'carry' is not among"),
        ("arrange_by", ["a"], "two concepts, rows and columns, or empty"),
        ("arrange_by", ["a", "b"], "'a' is not among"),
        ("filter", "a = 1", "no concept “a”; there are none"),
        ("filter", "(", "filter '\\('"),
        ("metric", "euclid", "'l2', 'cosine', 'standardized', 'whitened'"),
        ("scale", "square", "'linear', 'rank', 'log'"),
        ("palette", "jet", "'viridis', 'cividis', 'gray'"),
        ("near", "left", "'bright', 'dark'"),
        ("unfolded", [0, 9], "there is no layer 9"),
        ("zoom", [2.0], "three numbers, scale, x and y"),
        ("zoom", [0.5, 0.0, 0.0], "from 1 to 10,000, not 0.5"),
        ("zoom", [2.0, 0.0, 3.0], "y must be a number from 0 to 1"),
    ],
)
def test_a_bad_value_is_refused_and_the_old_one_kept(
    widget: cw.ClusterWidget, trait: str, value: Any, message: str
) -> None:
    before = getattr(widget, trait)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(widget, trait, value)
    assert getattr(widget, trait) == before


def test_initial_values_can_be_given_and_are_checked(native_model: Any, examples: Examples) -> None:
    explorer = cw.Explorer(native_model, examples)
    assert cw.ClusterWidget(explorer, selected=4, k=3).selected == 4
    with pytest.raises(traitlets.TraitError, match="no example 99"):
        cw.ClusterWidget(explorer, selected=99)
    with pytest.raises(TypeError, match="no option colour; there are selected"):
        cw.ClusterWidget(explorer, colour="red")
    with pytest.raises(TypeError, match="has its examples already"):
        cw.ClusterWidget(explorer, examples)


def test_a_view_comes_back_whole_or_not_at_all(native_model: Any, examples: Examples) -> None:
    explorer = cw.Explorer(native_model, examples)
    options: dict[str, Any] = {"filter": "1", "palette": "gray", "plain": True}
    widget = cw.ClusterWidget(explorer, selected=4, k=3, metric="cosine", **options)
    other = cw.ClusterWidget(explorer, scale="log")
    sent: list[Any] = []
    other.observe(sent.append)
    other.state = widget.state
    assert (other.selected, other.k, other.filter, other.palette) == (4, 3, "1", "gray")
    assert other.metric == "cosine"
    expected = explorer.neighbors(other.stage, 4, 3, metric="cosine")
    assert other.neighbors["example"].tolist() == expected["example"].tolist()
    assert (other.plain, other.scale, other.state) == (True, "linear", widget.state)
    assert other.filtered.tolist() == [i for i, text in enumerate(examples.labels) if "1" in text]
    sent.clear()
    view = ("selected=99", "metric=x", "filter=a%3D1", "near=dark&k=0", "without=x")
    for bad in (*view, "palette=pink"):
        with pytest.raises(traitlets.TraitError):
            other.state = f"cw1?stage=L0.attn_out%40a&scale=rank&{bad}"
        with pytest.raises(ValueError, match="cannot be read at"):
            other.state = f"{widget.state}&more={bad}"
        assert other.state == widget.state
    assert sent == []


def test_adding_an_example_selects_it(widget: cw.ClusterWidget) -> None:
    assert widget.add("1 2 3 4 5 6 7") == 60
    assert widget.selected == 60
    assert len(widget.distances) == 61


def test_nothing_binary_is_sent_as_the_comm_opens(widget: cw.ClusterWidget) -> None:
    # Colab drops it.
    _, _, buffers = ipywidgets.widgets.widget._remove_buffers(widget.get_state())
    assert buffers == []


def test_no_matrix_is_among_what_is_saved(widget: cw.ClusterWidget) -> None:
    state = widget.get_state()
    own = {name: value for name, value in state.items() if name not in ("_esm", "_css")}
    assert len(repr(own)) < 2000


def test_the_last_view_takes_the_activations_with_it(native_model: Any, examples: Examples) -> None:
    own = cw.ClusterWidget(native_model, examples)
    shared = cw.ClusterWidget(cw.Explorer(native_model, examples))
    for widget in (own, shared):
        widget.explorer.matrix("L0.attn_out@a")
        for view in ("one", "two"):
            widget._receive(None, {"type": "request", "what": "hello", "id": 1, "view": view}, [])
        widget._receive(None, {"type": "bye", "view": "one"}, [])
        assert widget.explorer.holds("L0.attn_out@a")
        widget._receive(None, {"type": "bye", "view": "two"}, [])
    assert not own.explorer.holds("L0.attn_out@a")
    assert shared.explorer.holds("L0.attn_out@a")
    assert len(own.distances) == 60


def test_a_saved_exploration_is_shown_without_a_model(
    native_model: Any, examples: Examples, tmp_path: Path
) -> None:
    shown = ["L0.attn_out@c", "L1.resid_post@g"]
    cw.Explorer(native_model, typed(examples)).save(tmp_path / "a.zarr", shown)
    widget = cw.ClusterWidget(cw.open(tmp_path / "a.zarr", parse=read), k=5)
    assert widget.stage == "L1.resid_post@g"
    expected = cw.Explorer(native_model, examples)
    np.testing.assert_array_equal(widget.distances, expected.distances(widget.stage, 0))
    widget.stage = "L0.attn_out@c"
    with pytest.raises(traitlets.TraitError, match=r"'L0\.attn_out@a' was not saved in .*a\.zarr"):
        widget.stage = "L0.attn_out@a"
    with pytest.raises(ValueError, match=r"cw\.open\(path, model=model, parse=…\) to type others"):
        widget.add("1 2 3 4 5 6 7")
    assert widget.add(" ".join(map(str, examples.tokens[9]))) == 9
    request = {"type": "request", "what": "hello"}
    hello, _ = reply(widget.explorer, request, Watch())
    assert (hello["has_model"], hello["can_parse"], hello["n"]) == (False, False, 60)
    assert [row["kind"] for row in hello["rows"]] == ["attn_out", "resid_post"]


@pytest.mark.parametrize("content", [None, "hello", 3, [], {}, {"type": "else"}, {"type": ["x"]}])
def test_a_message_that_is_not_understood_changes_nothing(
    widget: cw.ClusterWidget, content: Any
) -> None:
    widget._receive(None, content, [])
    widget._receive(None, {"type": "cancel", "id": {}, "view": []}, [])


def test_chosen_examples_are_indices_sorted_and_travel_as_a_text(widget: cw.ClusterWidget) -> None:
    told: list[list[int]] = []
    widget.observe(lambda change: told.append(change["new"].tolist()), "chosen")
    widget.chosen = [5, 1, 5]
    assert widget.chosen.tolist() == [1, 5]
    widget.chosen = np.array([1, 5])
    widget.set_state({"chosen": widget.get_state("chosen")["chosen"]})
    assert told == [[1, 5]]
    widget.set_state({"chosen": "CQ=="})
    assert widget.chosen.tolist() == [0, 3]
    for bad in ("/////////////w==", "?", None):
        with pytest.raises((traitlets.TraitError, ValueError)):
            widget.set_state({"chosen": bad})
    with pytest.raises(ValueError, match="read-only"):
        widget.chosen[0] = 2
    widget.chosen = []
    assert told == [[1, 5], [0, 3], []]


def test_a_map_by_umap_that_is_not_installed_is_refused(
    widget: cw.ClusterWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterwidget.meaning.layouts.find_spec", lambda name: None)
    with pytest.raises(traitlets.TraitError, match="pip install umap-learn"):
        widget.arrange = "umap"
    widget.arrange = "map"
    assert cw.ClusterWidget(widget.explorer).explorer is widget.explorer
    assert "arrange=map" in widget.state
