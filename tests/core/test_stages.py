"""Addresses of stages, and which stages a model has."""

from __future__ import annotations

from typing import Any

import pytest

import clusterwidget as cw
from clusterwidget.core.edges import Edge
from clusterwidget.core.stages import HEAD_KINDS, KINDS, LAYER_KINDS, StageSet, stage_list
from clusterwidget.model.stages import model_stages
from tests.conftest import make_native

POSITIONS = ["L0", "+", "=", "a@b", "S.1"]


def test_parsing_and_printing_are_inverse_for_every_stage(native_model: Any) -> None:
    stages = model_stages(native_model, POSITIONS).select()
    assert {stage.kind for stage in stages} == set(KINDS)
    for stage in stages:
        assert cw.Stage.parse(str(stage)) == stage


def test_an_address_reads_as_people_write_it() -> None:
    stage = cw.Stage("result", layer=1, head=3, position="S3")
    assert str(stage) == "L1H3.result@S3"
    assert cw.Stage.parse("L1H3.result@S3") == stage
    assert str(cw.Stage("attn_out", layer=0, position="=")) == "L0.attn_out@="
    assert str(cw.Stage("embed", position="L3")) == "embed@L3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("L1H3.result", "no address of a stage"),
        ("", "no address of a stage"),
        ("L1H3.resutl@S3", "the nearest is 'result'"),
        ("L1.result@S3", "'result' stage needs a head"),
        ("result@S3", "'result' stage needs a layer"),
        ("L0.embed@S3", "'embed' stage has no layer"),
        ("L0H1.mlp_out@S3", "'mlp_out' stage has no head"),
    ],
)
def test_an_address_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cw.Stage.parse(text)


@pytest.mark.parametrize("address", ["L١.resid_post@0", "L1H٣.z@0", "L" + "1" * 5000 + ".z@0"])
def test_an_address_counts_in_plain_digits(address: str) -> None:
    with pytest.raises(ValueError, match="no address of a stage"):
        cw.Stage.parse(address)


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        (("resid_post", 1.5), TypeError, "layer of a stage must be a whole number.*not 1.5"),
        (("resid_post", True), TypeError, "not True"),
        (("resid_post", -1), ValueError, "of at least 0, not -1"),
        (("z", 0, -2), ValueError, "head of a stage.*not -2"),
        (("z", 0, "1"), TypeError, "not '1'"),
        (("embed", None, None, 3), ValueError, "a string, not by 3"),
        (("embed", None, None, "\ud800"), ValueError, "lone surrogate"),
        ((None,), TypeError, "kind is given by its name, a string, not by None"),
    ],
)
def test_a_stage_of_odd_parts_is_refused(
    parts: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cw.Stage(*parts)


def test_what_is_no_string_is_no_address() -> None:
    with pytest.raises(TypeError, match=r"a string such as 'L1H3.result@S3', not 3"):
        cw.Stage.parse(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"an edge is written as a string.*not 3"):
        Edge.parse(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="links two stages, and 'embed@0' is none"):
        Edge("embed@0", "logits@0")  # type: ignore[arg-type]


def test_one_stage_stands_for_a_list_of_one() -> None:
    stage = cw.Stage("z", 0, 1, "=")
    nothing: list[cw.Stage] = []
    assert stage_list(stage) == stage_list("L0H1.z@=") == stage_list([stage]) == [stage]
    assert stage_list(iter(nothing)) == []
    for odd in (3, None, b"embed@0", [3]):
        with pytest.raises(TypeError, match=r"not (3|None|b'embed@0')\."):
            stage_list(odd)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "chosen", [{"layers": 1.5}, {"layers": True}, {"kinds": 3}, {"heads": [[]]}]
)
def test_stages_are_not_chosen_by_values_of_another_kind(
    native_model: Any, chosen: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match=r"must be (strings|whole numbers), one or a list of them"):
        model_stages(native_model, POSITIONS).select(**chosen)


def test_a_stage_that_the_model_lacks_is_answered_with_the_nearest(native_model: Any) -> None:
    stages = model_stages(native_model, POSITIONS)
    with pytest.raises(ValueError, match=r"no stage 'L2.attn_out@='.*nearest is 'L[01].attn_out'"):
        stages.width(cw.Stage.parse("L2.attn_out@="))
    with pytest.raises(ValueError, match=r"No position is called 'L1'; the nearest is 'L0'"):
        stages.width(cw.Stage.parse("L1.attn_out@L1"))


def test_stages_are_chosen_by_kind_layer_head_and_position(native_model: Any) -> None:
    stages = model_stages(native_model, POSITIONS)
    chosen = stages.select(kinds=["z", "attn_out"], layers=1, heads=[0, 2], positions="=")
    assert [str(stage) for stage in chosen] == ["L1H0.z@=", "L1H2.z@="]
    assert len(stages.select(kinds="resid_post")) == 2 * len(POSITIONS)
    with pytest.raises(ValueError, match="no kind 'zz'"):
        stages.select(kinds="zz")


def test_an_attention_only_model_has_no_mlp_stages() -> None:
    stages = model_stages(make_native(attn_only=True, d_mlp=None), POSITIONS)
    assert {row.kind for row in stages.rows}.isdisjoint({"resid_mid", "mlp_pre", "mlp_out"})


def test_grouped_queries_give_fewer_key_and_value_heads(llama: Any) -> None:
    def heads(stages: StageSet, kind: str) -> int:
        return sum(row.kind == kind and row.layer == 0 for row in stages.rows)

    stages = model_stages(llama, POSITIONS)
    assert {kind: heads(stages, kind) for kind in ("q", "k", "v", "z")} == {
        "q": 4, "k": 2, "v": 2, "z": 4,
    }  # fmt: skip


def test_rows_run_from_the_embedding_to_the_logits(native_model: Any) -> None:
    rows = model_stages(native_model, POSITIONS).rows
    assert [rows[0].kind, rows[-2].kind, rows[-1].kind] == ["embed", "ln_final", "logits"]
    order = [KINDS.index(row.kind) for row in rows if row.layer == 0]
    assert order == sorted(order)
    assert len(rows) == 3 + 2 * (len(LAYER_KINDS) + 3 * len(HEAD_KINDS))
