"""Answers follow the variables that they come from, and no others."""

from __future__ import annotations

import pytest

from clusterwidget.results.swaptest import SwapTest
from tests.compiled.conftest import PROGRAMS, explorer_of, program_of

READ = [(name, *read) for name in PROGRAMS for read in program_of(name).read]
UNREAD = [(name, *unread) for name in PROGRAMS for unread in program_of(name).unread]
PAIRS = 300


def require_sets(test: SwapTest, answer: str) -> None:
    rows = test.follows[test.follows["answer"] == answer]
    assert rows["pairs"].tolist() == ["any", "matched"]
    assert (rows["n"] >= 10).all()
    assert (rows["share"] >= 0.99).all(), rows
    assert (rows["without"] == 0).all()


@pytest.mark.parametrize(("name", "stage", "variable", "answer"), READ)
def test_the_answer_follows_what_it_reads(
    name: str, stage: str, variable: str, answer: str
) -> None:
    explorer = explorer_of(name)
    test = explorer.swap_test(stage, answer, concept=variable, pairs=PAIRS)
    assert test.verdict == "enough", test
    require_sets(test, answer)
    rows = test.follows[test.follows["answer"] == answer]
    if rows["n"].min() >= 40:
        assert test.sets == "sets"
    # No rule of the brackets says what an earlier depth does to a later answer.
    if name != "brackets":
        assert (rows["left_alone"].dropna() == 1).all()


@pytest.mark.parametrize(("name", "stage", "variable"), UNREAD)
def test_no_answer_follows_what_none_reads(name: str, stage: str, variable: str) -> None:
    explorer = explorer_of(name)
    assert variable in explorer.meaning(stage).names
    test = explorer.swap_test(stage, concept=variable, pairs=PAIRS)
    assert test.verdict == "irrelevant", test
    assert test.sets is None
    rows = test.follows
    assert (rows["share"].fillna(0) <= rows["chance"].fillna(0) + 0.05).all()


def test_an_answer_follows_the_part_that_it_reads_alone() -> None:
    explorer, stage = explorer_of("two_parts"), "L0.attn_out@p3"
    parts = explorer.parts(stage)
    assert set(parts.concepts) == {"a", "b"}
    assert len(parts.all) == 2
    assert parts.unexplained == pytest.approx(0, abs=1e-3)
    of_a = explorer.swap_test(stage, "copy", concept="a", how="part", pairs=PAIRS)
    require_sets(of_a, "copy")
    assert (of_a.follows["share"] == 1).all()
    assert of_a.sets == "sets"
    of_b = explorer.swap_test(stage, "copy", concept="b", how="part", pairs=PAIRS)
    assert of_b.verdict == "insufficient"
    assert of_b.sets in ("no", None)
    assert (of_b.follows["share"].fillna(0) == 0).all()


def test_an_account_of_two_parts_stops_when_the_answer_needs_no_more() -> None:
    account = explorer_of("two_parts").account("L0.attn_out@p3", "copy", pairs=PAIRS)
    assert account.closed
    assert "a" in account.concepts


def test_a_concept_that_is_not_held_is_not_enough() -> None:
    test = explorer_of("two_parts").swap_test("L0H0.result@p3", concept="coin", pairs=PAIRS)
    assert test.verdict == "insufficient"
    assert test.sets is None
