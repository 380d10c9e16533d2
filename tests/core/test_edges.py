"""Edges: how they are written, and which there are."""

from __future__ import annotations

from typing import Any

import pytest

from clusterwidget import Examples, Explorer, Stage
from clusterwidget.core.edges import Edge, checked_edge, edge_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("embed@a -> L0H1.result@c", "attention"),
        ("embed@c -> L0H1.result@c", "attention"),
        ("L0.resid_post@a -> L1H0.result@g", "attention"),
        ("L1H3.result@g -> L1.attn_out@g", "head"),
        ("L0.attn_out@= -> L0.resid_post@=", "attention out"),
        ("L0.attn_out@b -> L0.mlp_out@b", "mlp in"),
        ("embed@b -> L0.mlp_out@b", "mlp in"),
        ("L0.resid_post@b -> L1.mlp_out@b", "mlp in"),
        ("L1.mlp_out@b -> L1.resid_post@b", "mlp out"),
        ("embed@b -> L0.resid_post@b", "residual"),
        ("L0.resid_post@b -> L1.resid_post@b", "residual"),
        ("L1.resid_post@b -> logits@b", "answer"),
    ],
)
def test_an_edge_is_parsed_as_it_is_written(text: str, kind: str) -> None:
    edge = Edge.parse(text)
    assert str(edge) == text
    assert Edge.parse(str(edge)) == edge
    assert edge.kind == edge_kind(edge) == kind


@pytest.mark.parametrize("position", [">", "->", "="])
def test_a_position_can_look_like_an_arrow(position: str) -> None:
    edge = Edge(Stage("embed", position=position), Stage("result", 0, 1, position))
    assert Edge.parse(str(edge)) == edge


def test_spaces_around_the_arrow_can_be_left_out() -> None:
    assert str(Edge.parse("embed@a->L0H1.result@c")) == "embed@a -> L0H1.result@c"


@pytest.mark.parametrize(
    "text",
    [
        "L0.resid_post@a -> L0H1.result@c",
        "embed@a -> L1H1.result@c",
        "embed@a -> L0.resid_post@b",
        "embed@a -> L0.mlp_out@b",
        "L0H1.result@a -> L0.attn_out@b",
        "L0H1.result@a -> L1.attn_out@a",
        "L0.mlp_out@a -> L0.attn_out@a",
        "L0.resid_pre@a -> L0H1.result@a",
        "L0.resid_post@a -> logits@b",
        "L0.attn_out@a -> logits@a",
        "embed@a -> L0H1.z@c",
    ],
)
def test_stages_that_do_not_read_each_other_have_no_edge(text: str) -> None:
    source, target = text.split(" -> ")
    with pytest.raises(ValueError, match=f"{target} does not read {source} directly") as error:
        edge_kind(Edge.parse(text))
    assert "There are edges from what enters a layer" in str(error.value)


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        ("embed@g -> L0H1.result@c", "L0H1.result@c cannot look at 'g', which comes after it"),
        ("L1.resid_post@g -> logits@g", "cannot be cut: without it there is no answer"),
        ("embed@a -> L0H7.result@c", "there is no stage 'L0H7.result@c' here"),
        ("embed@z -> L0H1.result@c", "No position is called 'z'"),
        ("embed@a to L0H1.result@c", "is no edge: write source -> target, such as 'embed@0 -> "),
        ("embed -> L0H1.result@c", "'embed' is no address of a stage"),
    ],
)
def test_an_edge_that_cannot_be_cut_is_refused(
    edge: str, message: str, native_model: Any, examples: Examples
) -> None:
    with pytest.raises(ValueError, match=message):
        checked_edge(edge, Explorer(native_model, examples).stage_set)
