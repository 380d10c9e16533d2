"""Follows: whether the answer becomes what its rule gives, on the shipped adder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from clusterwidget import Examples, Explorer, addition
from clusterwidget import open as open_saved
from clusterwidget.core.concepts import joint, partitions
from clusterwidget.interventions.pairs import draw_matched, draw_random, draw_receivers
from clusterwidget.results.follows import interval
from tests.helpers import Counter

CARRY = "L1H0.result@S3"
PARTS = ("L2", "R2", "carry2")


@pytest.fixture(scope="module")
def ex(adder: Any) -> Explorer:
    return Explorer(adder, addition.problems(1500, seed=2))


def test_follows_is_what_single_swaps_say(ex: Explorer) -> None:
    few = Explorer(ex.model, addition.problems(40, seed=2))
    test = few.swap_test(CARRY, concept="carry2", pairs=40)
    receivers = draw_receivers(40, 40, 0)
    columns = few.examples.concepts
    names = [str(name) for name in columns if name != "carry2"]
    donors = {
        "any": draw_random(receivers, 40, 0),
        "matched": draw_matched(
            partitions(columns, ["carry2"]).all[0],
            [part for name in names for part in partitions(columns, [name]).all],
            receivers,
            0,
        ),
    }
    for kind, chosen in donors.items():
        hits = []
        left, right, carry = (columns[name].to_numpy().astype(int) for name in PARTS)
        for receiver, donor in zip(receivers.tolist(), chosen.tolist(), strict=True):
            if carry[receiver] == carry[donor]:
                continue
            answers = few.swap(CARRY, receiver, donor).table.set_index("answer")
            target = (left[receiver] + right[receiver] + carry[donor]) % 10
            hits.append(str(answers["after"]["S2"]) == str(target))
        asked = (test.follows["answer"] == "S2") & (test.follows["pairs"] == kind)
        (row,) = test.follows[asked].to_dict("records")
        assert row["n"] == len(hits)
        assert row["share"] == pytest.approx(np.mean(hits))
        assert row["without"] == 0


def test_a_stage_that_holds_the_answer_sets_it(ex: Explorer) -> None:
    test = ex.swap_test("L1.resid_post@S4", concept="S3")
    assert (test.verdict, test.sets) == ("enough", "sets")
    assert (test.follows["low"] > 0.9).all()
    assert (
        "It sets the answer 1000s: with another value the answer follows in 100%" in test.sentence
    )


def test_enough_and_setting_are_told_apart(ex: Explorer) -> None:
    test = ex.swap_test(CARRY, concept="carry2")
    assert (test.verdict, test.sets) == ("enough", "shares")
    rows = test.follows.set_index(["answer", "pairs"]).loc["S2"]
    assert (rows["share"] < 0.9).all()
    assert (rows["share"] > rows["chance"] + 0.2).all()
    assert (rows["left_alone"] > 0.99).all()
    assert "other stages carry carry2 too" in test.sentence


def test_a_part_alone_moves_the_answer_as_the_vector_does(ex: Explorer) -> None:
    whole = ex.swap_test(CARRY, concept="carry2")
    part = ex.swap_test(CARRY, concept="carry2", how="part")
    one, other = (test.follows["share"].to_numpy() for test in (whole, part))
    np.testing.assert_allclose(one, other, atol=0.05)
    assert whole.table.equals(part.table)


def test_without_a_rule_it_says_nothing_and_everything_else_works(ex: Explorer) -> None:
    given = ex.examples
    bare = Examples(
        given.tokens,
        positions=given.positions,
        concepts=given.concepts,
        answers=[type(a)(a.name, a.position, a.tokens) for a in given.answers.values()],
    )
    test = Explorer(ex.model, bare).swap_test(CARRY, concept="carry2")
    assert test.sets is None
    assert test.follows.empty
    assert test.verdict == "enough"


def test_two_concepts_together(ex: Explorer) -> None:
    stage = "L0H0.result@S3"
    alone, both = (ex.swap_test(stage, concept=names) for names in ("L2", ["L2", "R2"]))
    assert (alone.verdict, both.verdict) == ("insufficient", "enough")
    assert both.concept == "L2 and R2"
    assert both.sentence.startswith("L2 and R2 together are enough here")
    found = ex.account(stage)
    assert (found.closed, found.concepts) == (True, ("L2", "R2"))
    assert found.sentence == "L2 and R2 together are enough here."
    assert found.table["verdict"].tolist() == ["insufficient", "enough"]
    assert list(map(str, ex.known_accounts())).count(stage) == 1


@pytest.mark.parametrize(
    ("concept", "message"),
    [
        (["L0", "L1", "L2", "R0"], "hardly two share them all"),
        ([], "no concept is named"),
        (["L2", "L2"], "named twice"),
        (["L2", "nobody"], "there is no concept 'nobody'"),
        (3, "concept must be a list of strings"),
    ],
)
def test_several_concepts_that_make_no_sense_are_refused(
    ex: Explorer, concept: Any, message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ex.swap_test(CARRY, concept=concept)


def test_where_random_donors_change_nothing_the_test_ends(ex: Explorer) -> None:
    ex.get_ready()
    stage = "L1H2.result@S1"
    ex.capture([stage, "L1H2.z@S1"])
    with Counter(ex.model) as counter:
        test = ex.swap_test(stage)
    assert test.verdict == "irrelevant"
    # With another vector, two of them tried both ways first; as they are, where no test of
    # another stage has run them before.
    assert 256 <= counter.examples <= 2 * 256 + 4
    assert set(test.table["condition"]) == {"random"}
    assert (test.table["changed"] == 0).all()


def test_matched_donors_are_alike_but_for_the_concept(ex: Explorer) -> None:
    concepts = ex.examples.concepts
    carry, *others = partitions(concepts, ["carry2", "L3", "R3", "L0", "R0"]).all
    receivers = np.arange(200)
    donors = draw_matched(carry, others, receivers, seed=0)
    assert (carry.codes[receivers] != carry.codes[donors]).all()
    alike = np.mean([(p.codes[receivers] == p.codes[donors]).mean() for p in others])
    assert alike > 0.6
    again = draw_matched(carry, others, receivers, seed=0)
    np.testing.assert_array_equal(donors, again)


def test_joint_groups_are_the_combinations_of_values() -> None:
    concepts = addition.problems(500, seed=0).concepts
    both = joint(partitions(concepts, ["L2", "carry1"]).all)
    expected = concepts.groupby(["L2", "carry1"]).ngroup().to_numpy()
    assert both.names == ("L2 and carry1",)
    assert len(set(zip(both.codes.tolist(), expected.tolist(), strict=True))) == len(both.groups)


def test_the_interval_of_a_share_is_wilsons() -> None:
    hits = np.arange(50) < 47
    share, low, high = interval(hits)
    assert share == 0.94
    expected = binomtest(47, 50).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert np.isnan(interval(hits[:0])).all()


def test_a_saved_test_is_there_with_what_follows(ex: Explorer, tmp_path: Any) -> None:
    few = Explorer(ex.model, addition.problems(300, seed=2))
    made = few.swap_test(CARRY, concept="carry2")
    few.save(tmp_path / "a.zarr")
    rules = {name: answer.rule for name, answer in few.examples.answers.items()}
    again = open_saved(tmp_path / "a.zarr", rules=rules)
    kept = again.swap_test(CARRY, concept="carry2")
    assert kept.follows.to_dict() == made.follows.to_dict()
    assert (kept.sets, kept.sentence) == (made.sets, made.sentence)
    assert again.examples.answers["S2"].rule[0].names == ("L2", "R2", "carry2")
    with pytest.raises(ValueError, match="rules name the answer 'S9'"):
        open_saved(tmp_path / "a.zarr", rules={"S9": rules["S2"]})


def test_tests_of_a_concept_that_has_other_values_now_are_made_again(ex: Explorer) -> None:
    few = Explorer(ex.model, addition.problems(200, seed=2))
    few.add_concept("mine", few.examples.concepts["carry2"])
    kept = few.swap_test(CARRY, concept="carry2", pairs=100)
    before = few.swap_test(CARRY, concept="mine", pairs=100)
    few.add_concept("another", few.examples.concepts["L0"])
    assert few.swap_test(CARRY, concept="mine", pairs=100) is before
    few.add_concept("mine", few.examples.concepts["L3"])
    after = few.swap_test(CARRY, concept="mine", pairs=100)
    assert after.bars("S2")["recovered"]["far"] < 0.5 < before.bars("S2")["recovered"]["far"]
    assert few.swap_test(CARRY, concept="carry2", pairs=100) is kept
