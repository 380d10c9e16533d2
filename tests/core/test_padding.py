"""Attention masks and columns: what is taken, what is refused, and where positions are then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clusterwidget import Answer, Examples, Stage
from clusterwidget.core.questions import questions
from clusterwidget.core.stages import StageRow, StageSet

TOKENS = [[0, 0, 5, 6], [1, 2, 3, 4], [0, 7, 8, 9]]
MASK = [[0, 0, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]]
COLUMNS = {"first": [2, 0, 1], "middle": [3, 2, 2]}


def stages_of(examples: Examples) -> StageSet:
    count = len(examples.positions)
    present = examples.places.present
    widths = tuple(3 if column in present else 0 for column in range(count))
    rows = [StageRow("resid_post", 0, None, widths)]
    return StageSet(rows, examples.positions, examples.places.layout)


def test_padding_on_the_left_is_moved_to_the_right() -> None:
    examples = Examples(TOKENS, attention_mask=MASK, columns=COLUMNS)
    inputs = examples.inputs
    assert inputs.tokens.tolist() == [[5, 6, 0, 0], [1, 2, 3, 4], [7, 8, 9, 0]]
    assert inputs.sizes.tolist() == [2, 4, 3]
    assert inputs.at(0).tolist() == [0, 0, 0]
    assert inputs.at(1).tolist() == [1, 2, 1]
    assert inputs.at(-2).tolist() == [0, 2, 1]
    assert examples.labels == ["5 6", "1 2 3 4", "7 8 9"]
    assert "3 of 2 to 4 tokens" in repr(examples)
    assert examples.texts_at(1) == ["1", "3"]


def test_a_mask_of_ones_alone_changes_nothing() -> None:
    examples = Examples(TOKENS, attention_mask=np.ones((3, 4)))
    assert examples.places.layout is None
    assert examples.inputs.tokens is examples.tokens


def test_with_a_mask_alone_positions_are_those_that_all_examples_have() -> None:
    examples = Examples(TOKENS, attention_mask=MASK)
    stages = stages_of(examples)
    assert [str(stage) for stage in stages.select()] == ["L0.resid_post@2", "L0.resid_post@3"]
    with pytest.raises(ValueError, match=r"At '1' some examples have padding: name positions by"):
        stages.width(Stage.parse("L0.resid_post@1"))


def test_positions_count_from_the_end() -> None:
    examples = Examples(TOKENS, attention_mask=MASK, columns=COLUMNS)
    stages = stages_of(examples)
    assert stages.column(Stage.parse("L0.resid_post@-1")) == -1
    assert stages.width(Stage.parse("L0.resid_post@-2")) == 3
    assert [str(one) for one in stages.select(positions="-1")] == ["L0.resid_post@-1"]
    with pytest.raises(ValueError, match=r"'-3' counts from the end.*example 0 has only 2"):
        stages.width(Stage.parse("L0.resid_post@-3"))
    # Names come first, and what has a name is called by it.
    plain = StageSet([StageRow("resid_post", 0, None, (3, 3))], ["-2", "b"])
    assert plain.column(Stage.parse("L0.resid_post@-2")) == 0
    assert str(plain.named(Stage.parse("L0.resid_post@-1"))) == "L0.resid_post@b"
    with pytest.raises(ValueError, match=r"'-9' counts from the end.*example 0 has only 2"):
        plain.width(Stage.parse("L0.resid_post@-9"))


def test_answers_count_from_the_end() -> None:
    answers = [Answer("next", "-1", np.array([1, 2, 3]))]
    examples = Examples(TOKENS, attention_mask=MASK, columns=COLUMNS, answers=answers)
    (question,) = questions(examples)
    assert question.column == -1
    assert question.reached_from(0)
    named = Examples(TOKENS, attention_mask=MASK, columns={"last": [3, 3, 3]}, answers=answers)
    assert named.answers["next"].position == "last"
    assert Examples(TOKENS, answers=answers).answers["next"].position == "3"
    early = [Answer("early", "first", np.array([1, 2, 3]))]
    examples = Examples(TOKENS, attention_mask=MASK, columns=COLUMNS, answers=early)
    assert [questions(examples)[0].reached_from(column) for column in (0, 1)] == [True, False]
    with pytest.raises(ValueError, match=r"'-9' counts from the end.*example 0 has only 2"):
        Examples(TOKENS, attention_mask=MASK, answers=[Answer("next", "-9", np.zeros(3, int))])


def test_an_answer_is_part_of_the_input_where_each_example_goes_on_with_it() -> None:
    given = Answer("given", "first", np.array([6, 2, 8]))
    other = Answer("given", "first", np.array([6, 2, 9]))
    for answer, fed in ((given, True), (other, False)):
        examples = Examples(TOKENS, attention_mask=MASK, columns=COLUMNS, answers=[answer])
        assert questions(examples)[0].fed is fed


def test_examples_of_other_lengths_can_be_added() -> None:
    examples = Examples(TOKENS, attention_mask=MASK, columns=COLUMNS)
    longer = Examples([[3, 3, 3, 3, 3, 4]], columns={"first": [0], "middle": [4]})
    joined = examples.extended(longer)
    assert joined.inputs.sizes.tolist() == [2, 4, 3, 6]
    assert joined.inputs.at(1).tolist() == [1, 2, 1, 4]
    assert joined.inputs.equal_to(longer.inputs).tolist() == [3]
    with pytest.raises(ValueError, match="have padding at position '2'"):
        Examples(TOKENS, attention_mask=MASK).extended(
            Examples([[1, 2, 3, 4]], attention_mask=[[0, 0, 0, 1]])
        )
    with pytest.raises(ValueError, match="some of the examples have columns"):
        Examples(TOKENS).extended(
            Examples([[1, 2, 3, 4]], columns=[[0, 1, 2, 3]], positions="0123")
        )


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"attention_mask": [[1, 1]]},
            ValueError,
            r"shape \(1, 2\), \[\[1, 1\]\], and the tokens \(3, 4\)",
        ),
        ({"attention_mask": [[1], [1, 2]]}, ValueError, "rows of equal length"),
        ({"attention_mask": np.full((3, 4), 2)}, ValueError, "ones and zeros, but 2 occurs"),
        ({"attention_mask": np.full((3, 4), "x")}, TypeError, "ones and zeros, not <U1"),
        (
            {"attention_mask": [[0] * 4, [1] * 4, [1] * 4]},
            ValueError,
            "all zeros in example 0: leave out",
        ),
        (
            {"attention_mask": [[1] * 4, [1, 0, 1, 1], [1] * 4]},
            ValueError,
            r"hole in example 1: \[1 0 1 1\]",
        ),
        ({"columns": {"a": [0, 1, 4]}}, ValueError, "token 4 of example 2, at position 'a'"),
        ({"columns": {"a": [0, -1, 0]}}, ValueError, "token -1 of example 1, at position 'a'"),
        (
            {"columns": {"a": [1, 1, 1]}, "attention_mask": MASK},
            ValueError,
            "token 1 of example 0, at position 'a', and that is padding",
        ),
        (
            {"columns": {"a": [0, 1]}},
            ValueError,
            r"columns of 'a' have shape \(2,\), \[0, 1\], for 3",
        ),
        ({"columns": {}}, ValueError, "columns are empty"),
        ({"columns": {"a": [0.5, 1, 1]}}, TypeError, "whole numbers, not float64"),
        ({"columns": [[0], [1], [2]]}, ValueError, r"positions=\[…\]"),
        ({"columns": [[0], [1]], "positions": ["a"]}, ValueError, r"shape \(2, 1\)"),
        ({"columns": [[0], [1], [2]], "positions": ["a", "b"]}, ValueError, "2 position names"),
        ({"columns": {"a": [0, 0, 0]}, "positions": ["b"]}, ValueError, "leave positions out"),
    ],
)
def test_what_fits_no_tokens_is_named(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Examples(TOKENS, **given)
