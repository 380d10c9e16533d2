"""Rules: what an answer is by its concepts, and what it would be with other values of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget.core.rules import UNKNOWN, change_of

PROBLEMS = cw.addition.problems(2000, seed=1)


def ruled(rule: Any, tokens: Any = None, **concepts: Any) -> cw.Examples:
    given: dict[str, Any] = {} if tokens is None else {"tokens": np.asarray(tokens)}
    columns = concepts or {"x": [1, 2, 3], "y": [0, 1, 1]}
    answers = [cw.Answer("sum", "b", rule=rule, **given)]
    tokens_in = np.arange(2 * len(next(iter(columns.values())))).reshape(-1, 2)
    return cw.Examples(tokens_in, positions=["a", "b"], concepts=columns, answers=answers)


def test_tokens_follow_from_the_rule() -> None:
    answer = ruled(lambda x, y: x + y).answers["sum"]
    assert answer.tokens.tolist() == [1, 3, 4]
    assert [rule.names for rule in answer.rule] == [("x", "y")]


def test_a_rule_is_called_once_for_each_combination_with_plain_values() -> None:
    seen = []

    def rule(x: int, word: str) -> int:
        seen.append((type(x), x, word))
        return x

    ruled(rule, x=[1, 2, 1, 1], word=["a", "a", "a", "b"])
    assert sorted(seen[:3], key=str) == [(int, 1, "a"), (int, 1, "b"), (int, 2, "a")]


@pytest.mark.parametrize(
    ("rule", "tokens", "message"),
    [
        (lambda z: z, None, "'sum' names the concept 'z', which is not among .'x', 'y'."),
        (lambda x, y: x + y, [1, 3, 5], "gives token 4 at x=3, y=1, and the right token .* is 5"),
        (lambda x: 1 // (2 - x), None, "fails at x=2: ZeroDivisionError"),
        (lambda x: x / 2, None, r"gives 0.5 at x=1, which is no token"),
        (lambda x: -x, None, r"gives -1 at x=1, which is no token"),
        (lambda x: "one", None, r"gives 'one' at x=1, which is no token"),
        (3, None, "must be a function whose parameters are concepts"),
        (lambda: 3, None, "must have concepts as its parameters"),
        (lambda *x: 3, None, "must have concepts as its parameters"),
        (print, None, "must have concepts as its parameters|cannot be read"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Any, tokens: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ruled(rule, tokens)


def test_where_a_concept_is_missing_tokens_are_needed() -> None:
    concepts = {"x": pd.array([1, None, 3], dtype="Int64")}
    with pytest.raises(ValueError, match="no token for example 1: one of x is missing there"):
        ruled(lambda x: x, **concepts)
    answer = ruled(lambda x: x, [1, 7, 3], **concepts).answers["sum"]
    assert answer.rule[0].tokens({"x": concepts["x"]}).tolist() == [1, UNKNOWN, 3]


def test_the_answers_of_addition_say_how_they_come_about() -> None:
    for name, answer in PROBLEMS.answers.items():
        for rule in answer.rule:
            columns = {concept: PROBLEMS.concepts[concept].to_numpy() for concept in rule.names}
            np.testing.assert_array_equal(rule.tokens(columns), answer.tokens, err_msg=name)


@pytest.mark.parametrize(
    ("answer", "concept", "moved"),
    [
        ("S3", "carry3", {"carry3"}),
        ("S3", "L3+R3", {"L3", "R3"}),
        ("S3", "(L3+R3)%10", {"L3", "R3"}),
        ("S3", "S3", {"L3", "R3", "carry3"}),
        ("S3", "makes3", {"makes3"}),
        ("S3", "L2+R2", {"L2", "R2"}),
        ("S3", "L0", None),
        ("S0", "carry1", None),
    ],
)
def test_a_concept_stands_for_the_parameters_that_determine_it(
    answer: str, concept: str, moved: set[str] | None
) -> None:
    asked = PROBLEMS.answers[answer]
    tokens = asked.tokens.astype(np.int64)
    change = change_of(asked.rule, tokens, PROBLEMS.concepts, [[concept]])
    assert (None if change is None else set(change.moved)) == moved


def test_what_follows_is_what_arithmetic_says() -> None:
    asked, concepts = PROBLEMS.answers["S2"], PROBLEMS.concepts
    tokens = asked.tokens.astype(np.int64)
    change = change_of(asked.rule, tokens, concepts, [["L2"], ["carry2"]])
    assert change is not None
    rng = np.random.default_rng(0)
    receivers, donors = rng.integers(0, 2000, (2, 300))
    column = {name: concepts[name].to_numpy().astype(int) for name in ("L2", "R2", "carry2")}
    expected = (column["L2"][donors] + column["R2"][receivers] + column["carry2"][donors]) % 10
    np.testing.assert_array_equal(change.tokens(concepts, receivers, donors), expected)
