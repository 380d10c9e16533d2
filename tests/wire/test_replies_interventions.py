"""What the page gets when it changes something inside the model: plain JSON, and reasons."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from clusterwidget import Answer, Examples, Explorer
from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.results.pairs import CONDITIONS
from clusterwidget.results.swap import UNUSUAL
from clusterwidget.results.swaptest import condition_texts
from clusterwidget.wire.replies import reply

STAGE = "L0.attn_out@c"


@pytest.fixture
def explorer(native_model: Any, examples: Examples) -> Explorer:
    tokens = examples.tokens
    known = Examples(
        tokens,
        positions=examples.positions,
        concepts={"parity": tokens[:, 0] % 2, "gap": [None, *tokens[1:, 1].tolist()]},
        answers=[
            Answer("early", "b", tokens[:, 2], "the early one", "{gap} is {parity}"),
            Answer("late", "f", tokens[:, 6]),
        ],
        vocabulary=[f"<{token}>" for token in range(50)],
    )
    return Explorer(native_model, known)


def ask(explorer: Explorer, what: str, **arguments: Any) -> dict[str, Any]:
    """Return the answer as it arrives, refusing what JSON has no word for."""
    request = {"type": "request", "what": what, "metric": "l2", **arguments}
    fields, buffers = reply(explorer, request, Watch())
    assert buffers == []
    found: dict[str, Any] = json.loads(json.dumps(fields, allow_nan=False))
    return found


def test_a_swap_comes_as_its_table(explorer: Explorer) -> None:
    fields = ask(explorer, "swap", stage=STAGE, receiver=3, donor=9, free=False)
    assert fields["possible"] is True
    swap = explorer.swap(STAGE, 3, 9)
    assert fields["unusual"]["times"] == pytest.approx(swap.unusual)
    assert fields["unusual"]["far"] == (swap.unusual >= UNUSUAL)
    assert [answer["name"] for answer in fields["answers"]] == ["early", "late"]
    for answer, row in zip(fields["answers"], swap.table.to_dict("records"), strict=True):
        assert answer["before"] == {
            "text": row["before"],
            "probability": pytest.approx(row["before_probability"]),
        }
        assert answer["after"]["text"] == row["after"]
        assert answer["right"] == f"<{explorer.examples.answers[answer['name']].tokens[3]}>"
        assert (answer["changed"], answer["reached"]) == (row["changed"], row["reached"])
    early, late = fields["answers"]
    assert (early["title"], late["title"]) == ("the early one", "late")
    assert (early["reached"], late["reached"]) == (False, True)
    assert early["changed"] is False


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"stage": "logits@c"}, "the logits are the answer itself"),
        ({"stage": "L0.attn_out@g"}, "comes after the last answer"),
        ({"stage": "L9.attn_out@c"}, "there is no stage 'L9.attn_out@c' here"),
    ],
)
def test_a_swap_that_cannot_be_made_comes_with_the_reason(
    explorer: Explorer, arguments: dict[str, Any], reason: str
) -> None:
    request = {"stage": STAGE, "receiver": 3, "donor": 9, "free": False, **arguments}
    fields = ask(explorer, "swap", **request)
    assert fields["possible"] is False
    assert reason in fields["reason"]
    assert set(fields) == {"possible", "reason"}


def test_answers_that_are_part_of_the_input_are_fed_back(explorer: Explorer) -> None:
    free = ask(explorer, "swap", stage=STAGE, receiver=3, donor=9, free=True)
    assert [answer["after"]["text"] for answer in free["answers"]] == (
        explorer.swap(STAGE, 3, 9, free=True).table["after"].tolist()
    )


def test_a_swap_test_comes_with_all_its_bars(explorer: Explorer) -> None:
    assert ask(explorer, "swap_tests", kinds=[])["known"] == {}
    fields = ask(explorer, "swap_test", stage=STAGE, pairs=None)
    test = explorer.swap_test(STAGE)
    assert fields["possible"] is True
    assert (fields["verdict"], fields["sentence"]) == (test.verdict, test.sentence)
    conditions = [bar["name"] for bar in fields["conditions"]]
    assert conditions == (
        list(CONDITIONS) if test.concept else ["nearest", "near", "random", "mean"]
    )
    (answer,) = fields["answers"]
    bars = test.bars("late")
    assert answer["name"] == "late"
    assert answer["matters"] == (bars["cost"].iloc[0] >= 0.05)
    assert answer["right"] == pytest.approx(bars["right_without"].iloc[0])
    for bar, (condition, row) in zip(answer["bars"], bars.iterrows(), strict=True):
        assert bar["condition"] == condition
        for name in ("recovered", "low", "high", "right"):
            expected = None if np.isnan(row[name]) else pytest.approx(row[name])
            assert bar[name] == expected
        times = None if bar["unusual"] is None else bar["unusual"]["times"]
        assert times == (None if np.isnan(row["unusual"]) else pytest.approx(row["unusual"]))
    known = ask(explorer, "swap_tests", kinds=[])["known"]
    names = ("verdict", "sets", "mean", "sentence")
    assert known == {STAGE: {name: fields[name] for name in names}}


def test_stages_where_an_answer_is_read_are_tested_first_and_logits_never(
    explorer: Explorer,
) -> None:
    stages = ask(explorer, "swap_tests", kinds=["result", "logits", "nothing"])["stages"]
    result = [str(stage) for stage in explorer.stages(kinds=["result"])]
    assert sorted(stages) == sorted(result)
    positions = [stage.rsplit("@")[1] for stage in stages]
    assert positions[:16] == ["b", "f"] * 8
    assert stages[0] == "L0H0.result@b"


def test_what_the_conditions_are_called_names_the_concept() -> None:
    assert condition_texts("carry1")["far"] == "same carry1, far away"
    assert list(condition_texts(None)) == ["nearest", "near", "random", "mean"]


def test_a_swap_test_that_cannot_be_made_comes_with_the_reason(explorer: Explorer) -> None:
    for stage, reason in (
        ("logits@c", "the logits are the answer itself"),
        ("L0.attn_out@g", "comes after the last answer"),
    ):
        fields = ask(explorer, "swap_test", stage=stage, pairs=None)
        assert fields["possible"] is False
        assert reason in fields["reason"]


def test_a_swap_test_can_be_called_off(explorer: Explorer) -> None:
    asked = {"what": "swap_test", "stage": STAGE, "pairs": None, "metric": "l2"}
    with pytest.raises(CaptureCancelledError):
        reply(explorer, asked, Watch(cancelled=lambda: True))
    assert ask(explorer, "swap_tests", kinds=[])["known"] == {}


def test_a_trace_comes_as_nodes_and_edges(explorer: Explorer) -> None:
    fields = ask(explorer, "trace", row=4, answer="late")
    trace = explorer.trace(4, "late")
    assert fields["possible"] is True
    assert fields["text"] == trace.text
    assert fields["kept_probability"] == pytest.approx(trace.kept_probability)
    assert [node["stage"] for node in fields["nodes"]] == list(trace.nodes.index)
    assert fields["nodes"][-1] == {
        "stage": "logits@f",
        "loss": None,
        "probability": None,
        "kept": True,
    }
    for edge, row in zip(fields["edges"], trace.edges.to_dict("records"), strict=True):
        assert (edge["source"], edge["target"], edge["kept"]) == (
            row["source"],
            row["target"],
            row["kept"],
        )
        has_weight = edge["kind"] == "attention"
        assert (edge["attention"] is not None) == has_weight
        assert edge["loss"] == pytest.approx(row["loss"])


def test_a_trace_that_cannot_be_made_comes_with_the_reason(explorer: Explorer) -> None:
    fields = ask(explorer, "trace", row=4, answer="laet")
    assert fields == {
        "possible": False,
        "reason": "there is no answer 'laet'. Did you mean 'late'? There are early, late.",
    }


def test_captions_say_when_a_value_is_missing(explorer: Explorer) -> None:
    parity = explorer.examples.concepts["parity"]
    assert ask(explorer, "captions", row=0)["captions"] == [f"? is {parity[0]}", ""]
    gap = explorer.examples.tokens[5, 1]
    assert ask(explorer, "captions", row=5)["captions"] == [f"{gap} is {parity[5]}", ""]


def test_without_a_model_all_say_how_to_give_one() -> None:
    rows = np.random.default_rng(0).standard_normal((6, 3))
    explorer = Explorer(
        examples=Examples(np.arange(6)[:, None]), activations={"L0.attn_out@0": rows}
    )
    for what, arguments in (
        ("swap", {"stage": "L0.attn_out@0", "receiver": 0, "donor": 1, "free": False}),
        ("swap_test", {"stage": "L0.attn_out@0", "pairs": None}),
        ("trace", {"row": 0, "answer": "next"}),
    ):
        fields = ask(explorer, what, **arguments)
        assert fields["possible"] is False
        assert "cw.open(path, model=model)" in fields["reason"]
