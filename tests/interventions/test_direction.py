"""In a model that sees the whole input, what comes after an answer's position can matter for it."""

from __future__ import annotations

import numpy as np
import pytest

from clusterwidget import Answer, Examples, Explorer
from clusterwidget.core.edges import checked_edge
from clusterwidget.core.questions import questions, require_reached
from clusterwidget.core.stages import Stage
from clusterwidget.interventions.swaptests import default_stages
from tests.compiled.bidirectional import reverse
from tests.compiled.causal import count
from tests.compiled.programs import Program
from tests.conftest import make_native

LATER = "embed@p4"
EDGE = "embed@p4 -> L0H0.result@p0"


@pytest.fixture(scope="module")
def backward() -> Explorer:
    return explorer_of(reverse())


@pytest.fixture(scope="module")
def forward() -> Explorer:
    return explorer_of(count())


def explorer_of(program: Program) -> Explorer:
    return Explorer(program.machine.model(), program.examples)


def test_a_question_is_reached_from_everywhere_unless_the_model_is_causal() -> None:
    examples = Examples(
        [[0, 1], [1, 0]], positions=list("ab"), answers=[Answer("x", "a", np.array([0, 1]))]
    )
    causal, other = questions(examples)[0], questions(examples, causal=False)[0]
    assert [causal.reached_from(column) for column in (0, 1)] == [True, False]
    assert [other.reached_from(column) for column in (0, 1)] == [True, True]
    require_reached([other], 1, Stage.parse("embed@b"), 0)
    with pytest.raises(ValueError, match="comes after the last answer"):
        require_reached([causal], 1, Stage.parse("embed@b"))
    with pytest.raises(ValueError, match="comes after the last answer"):
        require_reached(questions(examples), 1, Stage.parse("embed@b"), 0)


def test_the_answer_that_no_example_names_is_reached_as_well() -> None:
    examples = Examples([[0, 1], [1, 0]])
    assert not questions(examples, causal=False)[0].causal


def test_an_answer_ahead_is_not_fed_to_a_model_that_sees_it() -> None:
    tokens = np.array([[0, 1], [1, 0]])
    examples = Examples(tokens, positions=list("ab"), answers=[Answer("x", "a", tokens[:, 1])])
    assert questions(examples)[0].fed
    assert not questions(examples, causal=False)[0].fed


def test_a_swap_at_a_later_position_changes_the_answer(backward: Explorer) -> None:
    last = backward.examples.tokens[:, 4]
    donor = int(np.flatnonzero(last != last[0])[0])
    table = backward.swap(LATER, 0, donor).table.set_index("answer")
    assert table["after"]["out0"] == str(6 + last[donor])
    assert table["changed"].tolist() == [True, False]
    assert table["reached"].all()


def test_a_causal_model_refuses_the_same(forward: Explorer) -> None:
    tokens = forward.examples.tokens
    answers = [Answer("early", "p2", rule=lambda count2: 3 + count2)]
    concepts = forward.examples.concepts
    early = Examples(
        tokens, positions=forward.examples.positions, concepts=concepts, answers=answers
    )
    explorer = Explorer(forward.model, early)
    for ask in (
        lambda: explorer.swap("embed@p3", 0, 1),
        lambda: explorer.swap_test("embed@p3", pairs=20),
        lambda: explorer.ablate("embed@p3", 0),
        lambda: explorer.ablate(["embed@p3"]),
    ):
        with pytest.raises(ValueError, match="comes after the last answer"):
            ask()
    with pytest.raises(ValueError, match="which comes after it"):
        forward.ablate("embed@p4 -> L0H0.result@p3", 0)


def test_swap_tests_ablations_and_edges_reach_back(backward: Explorer) -> None:
    test = backward.swap_test(LATER, "out0", pairs=100)
    assert (test.concept, test.verdict, test.sets) == ("tok4", "enough", "sets")
    assert test.about("out1").verdict == "irrelevant"
    for what in (LATER, EDGE):
        one = backward.ablate(what, 0, method="resample").set_index("answer")
        assert one["loss"]["out0"] > 1
        assert one["loss"]["out1"] == pytest.approx(0, abs=1e-6)
    every = backward.ablate([LATER], method="resample", draws=1).set_index("answer")
    assert every.index.tolist() == ["out0", "out1"]
    assert every["kept"]["out0"] < 0.5
    assert every["kept"]["out1"] == 1


def test_how_unusual_a_swap_is_is_told_of_earlier_answers(examples: Examples) -> None:
    for direction in ("bidirectional", "causal"):
        asked = [Answer(name, name, examples.tokens[:, 0]) for name in "ag"]
        known = Examples(examples.tokens, positions=list("abcdefg"), answers=asked)
        explorer = Explorer(make_native(attention_dir=direction), known)
        table = explorer.ablate("embed@f", 0).set_index("answer")
        assert np.isfinite(table["unusual"]["g"])
        assert np.isfinite(table["unusual"]["a"]) == (direction == "bidirectional")
        assert (table["loss"]["a"] == 0) == (direction == "causal")


def test_a_trace_goes_back_to_a_later_position(backward: Explorer) -> None:
    trace = backward.trace(3, "out0", draws=5)
    kept = trace.edges[trace.edges["kept"]]
    assert EDGE.split(" -> ")[0] in set(kept["source"])
    assert trace.kept_probability == pytest.approx(trace.probability)


def test_edges_from_later_positions_are_there(backward: Explorer) -> None:
    assert str(checked_edge(EDGE, backward.stage_set, causal=False)) == EDGE
    with pytest.raises(ValueError, match="which comes after it"):
        checked_edge(EDGE, backward.stage_set)


def test_stages_tested_by_default_are_at_the_answers(backward: Explorer) -> None:
    stages = default_stages(backward._setting)
    assert {stage.position for stage in stages} == {"p0", "p1"}


def test_its_own_answers_are_not_fed_back(backward: Explorer) -> None:
    with pytest.raises(ValueError, match="sees the whole input"):
        backward.swap(LATER, 0, 1, free=True)
