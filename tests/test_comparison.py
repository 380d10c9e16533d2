"""Two figures side by side, without a browser: tests/browser/test_tools.py has the page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clusterwidget as cw
from tests.conftest import make_native


def made(n: int = 12, **changes: Any) -> cw.Explorer:
    tokens = np.arange(2 * n).reshape(n, 2) % 7
    options: dict[str, Any] = {"concepts": {"a": tokens[:, 0], "b": tokens[:, 1] % 2}, **changes}
    matrix = np.random.default_rng(0).normal(size=(n, 3)).astype("f4")
    activations: dict[Any, Any] = {"L0.mlp_out@0": matrix, "L1.mlp_out@1": matrix[::-1].copy()}
    return cw.Explorer(examples=cw.Examples(tokens, **options), activations=activations)


def test_two_stages_of_one_explorer_are_linked() -> None:
    explorer = made()
    pair = cw.compare((explorer, "L0.mlp_out@0"), (explorer, "L1.mlp_out@1"))
    left, right = pair.children
    assert (left.stage, right.stage) == ("L0.mlp_out@0", "L1.mlp_out@1")
    assert left.arrange_by == right.arrange_by == ["a", "b"]
    assert left.group == right.group != ""
    left.selected = 3
    right.filter = "a = 1"
    right.zoom = [2.0, 0.25, 0.0]
    assert (right.selected, left.filter, left.zoom) == (3, "a = 1", [2.0, 0.25, 0.0])
    right.stage = "L0.mlp_out@0"
    right.without = ["a"]
    assert (left.stage, left.without) == ("L0.mlp_out@0", [])


def test_widgets_keep_what_is_theirs_and_the_second_takes_over_the_rest() -> None:
    a = cw.ClusterWidget(made(), selected=5, k=3, plain=True, stage="L0.mlp_out@0")
    b = cw.ClusterWidget(made(), selected=1, without=["b"])
    pair = cw.compare(a, b)
    assert pair.children == (a, b)
    assert (b.selected, b.k, b.plain, b.without) == (5, 3, True, ["b"])
    assert cw.compare(made(), made()).children[0].group != a.group


def test_in_a_page_the_figures_themselves_hand_on_what_changes() -> None:
    left, right = cw.compare(made(), made()).children
    right._receive(None, {"type": "request", "what": "hello", "id": 1, "view": "one"}, [])
    left.selected = 4
    assert right.selected == 0
    right._receive(None, {"type": "bye", "view": "one"}, [])
    left.selected = 5
    assert right.selected == 5


def test_an_example_that_only_one_has_is_selected_there_only() -> None:
    def model() -> cw.Explorer:
        native = make_native(n_layers=1, n_heads=1, d_model=4, d_head=4, d_mlp=4)
        examples = cw.Examples(
            np.arange(8).reshape(4, 2),
            parse=lambda text: cw.Examples(np.array([[int(text), 0]]), labels=[text]),
        )
        return cw.Explorer(native, examples)

    left, right = cw.compare(model(), model()).children
    assert left.add("9") == 4
    assert (left.selected, right.selected) == (4, 0)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (made(13), "a has 12 examples and b has 13"),
        (made(labels=[f"e{i}" for i in range(12)]), "example 0 is '.*' in a and 'e0' in b"),
        (made(concepts={"a": range(12)}), "only one of a and b has the concept 'b'"),
    ],
)
def test_other_examples_are_refused(other: cw.Explorer, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cw.compare(made(), other)


def test_what_is_no_figure_is_refused() -> None:
    explorer = made()
    widget = cw.ClusterWidget(explorer)
    with pytest.raises(ValueError, match="are one widget"):
        cw.compare(widget, widget)
    for odd in (3, None, (explorer,), (explorer, 3), "L0.mlp_out@0"):
        with pytest.raises(TypeError, match="b must be an Explorer, a ClusterWidget or"):
            cw.compare(explorer, odd)
