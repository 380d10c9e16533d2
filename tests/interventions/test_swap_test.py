"""Swap tests: what they count, how they are kept, and that they go on from where they were."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clusterwidget import Answer, Examples, Explorer, Stage, addition
from clusterwidget.core.concepts import partitions
from clusterwidget.core.watch import CaptureCancelledError
from clusterwidget.interventions.pairs import draw_pairs, draw_receivers
from clusterwidget.interventions.swaptests import MOST_AT_ONCE
from clusterwidget.results.kept import Settings, SwapTests
from clusterwidget.results.pairs import CONDITIONS, Pairs
from clusterwidget.results.swaptest import Outcomes, SwapTest
from tests.helpers import Counter

STAGE = "L1.attn_out@S3"
PAIRS = 2 * MOST_AT_ONCE + 40


def known(adder: Any, n: int = 600) -> Explorer:
    return Explorer(adder, addition.problems(n, seed=5))


@pytest.fixture(scope="module")
def made(adder: Any) -> SwapTest:
    return known(adder).swap_test(STAGE, concept="(L2+R2)%10", pairs=PAIRS)


def same(one: SwapTest, other: SwapTest) -> bool:
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.follows, other.follows, check_dtype=False)
    names = ("stage", "concept", "answer", "verdict", "sets", "sentence", "how")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def test_each_bar_is_what_single_swaps_say(native_model: Any, examples: Examples) -> None:
    tokens = examples.tokens[:20]
    asked = Examples(
        tokens,
        positions=examples.positions,
        concepts={"parity": tokens[:, 0] % 2},
        answers=[Answer("x", "e", tokens[:, 5]), Answer("y", "g", tokens[:, 0])],
    )
    explorer = Explorer(native_model, asked)
    test = explorer.swap_test("L0H2.result@d", concept="parity", pairs=20, seed=3)
    assert list(test.table["condition"]) == [*CONDITIONS, *CONDITIONS]
    receivers = draw_receivers(20, 20, 3)
    parity = partitions(asked.concepts).all[0]
    pairs = draw_pairs(explorer.matrix("L0H2.result@d"), receivers, parity, 3, lambda: None)
    for condition, donors in pairs.donors.items():
        swaps = [
            explorer.swap("L0H2.result@d", int(receiver), int(donor))
            for receiver, donor in zip(receivers, donors, strict=True)
        ]
        after = np.array([swap.table["after"] for swap in swaps], int)
        right = np.stack([tokens[receivers, 5], tokens[receivers, 0]], axis=1)
        for at, answer in enumerate("xy"):
            row = test.bars(answer).loc[condition]
            assert row["right"] == pytest.approx((after[:, at] == right[:, at]).mean())
            assert row["pairs"] == 20
    said = [explorer.ablate("L0H2.result@d", int(row))["after"].tolist() for row in receivers]
    for at, answer in enumerate("xy"):
        right = np.array(said, int)[:, at] == tokens[receivers, 5 if answer == "x" else 0]
        assert test.bars(answer).loc["mean", "right"] == pytest.approx(right.mean())


def test_what_is_recovered_follows_from_the_losses(made: SwapTest) -> None:
    for _, bars in made.table.groupby("answer"):
        bars = bars.set_index("condition")
        cost, random = float(bars["cost"].iloc[0]), float(bars["loss"]["random"])
        if bars["cost_low"].iloc[0] < 1e-3:
            assert bars["recovered"].isna().all()
            continue
        np.testing.assert_allclose(bars["recovered"], (random - bars["loss"]) / cost, atol=1e-6)
        assert (bars["low"] <= bars["recovered"]).all()
        assert (bars["recovered"] <= bars["high"]).all()
        assert bars["right"].between(0, 1).all()
    assert made.answer == made.table["answer"].iloc[int(made.table["cost"].argmax())]


def test_the_constant_answer_is_the_commonest_right_one(made: SwapTest, adder: Any) -> None:
    explorer = known(adder)
    receivers = draw_receivers(600, PAIRS, 0)
    for name in made.table["answer"].unique():
        right = explorer.examples.answers[name].tokens[receivers]
        expected = np.bincount(right).max() / PAIRS
        assert made.bars(name)["right_constant"].iloc[0] == pytest.approx(expected)


def test_the_verdict_can_be_on_another_answer(made: SwapTest, adder: Any) -> None:
    assert made.verdict != "irrelevant"
    about = made.about("S1")
    assert (about.answer, about.verdict) == ("S1", "irrelevant")
    assert "does not matter for the answer 10s" in about.sentence
    assert about.table is made.table
    explorer = known(adder)
    asked = explorer.swap_test(STAGE, "S1", "(L2+R2)%10", pairs=PAIRS)
    assert same(asked, about)
    assert same(explorer.swap_test(STAGE, concept="(L2+R2)%10", pairs=PAIRS), made)


def test_the_same_seed_gives_the_same_test(made: SwapTest, adder: Any) -> None:
    assert same(known(adder).swap_test(STAGE, concept="(L2+R2)%10", pairs=PAIRS), made)
    other = known(adder).swap_test(STAGE, concept="(L2+R2)%10", pairs=PAIRS, seed=1)
    assert not other.table["loss"].equals(made.table["loss"])


def test_a_test_that_was_called_off_goes_on_and_ends_the_same(made: SwapTest, adder: Any) -> None:
    explorer = known(adder)
    done: list[int] = []

    def progress(steps: int, total: int) -> None:
        assert 0 <= steps <= total
        done.append(steps)

    first_part = PAIRS + 8 * MOST_AT_ONCE
    with pytest.raises(CaptureCancelledError):
        explorer.swap_test(
            STAGE,
            concept="(L2+R2)%10",
            pairs=PAIRS,
            progress=progress,
            cancelled=lambda: bool(done) and done[-1] > first_part,
        )
    assert done[-1] == first_part + MOST_AT_ONCE
    assert not explorer.known_swap_tests()
    done.clear()
    again = explorer.swap_test(STAGE, concept="(L2+R2)%10", pairs=PAIRS, progress=progress)
    # What follows is one run without a swap and seven with one, of what was left.
    assert done[0] == first_part + MOST_AT_ONCE
    assert done[-1] == 9 * PAIRS
    assert same(again, made)


def test_swap_tests_that_were_called_off_keep_the_stages_that_are_done(adder: Any) -> None:
    explorer = known(adder, 80)
    stages = ["L1.attn_out@S3", "L1.mlp_out@S3", "L0.mlp_out@S3"]
    done: list[int] = []

    def stop() -> bool:
        return bool(done) and done[-1] == 2

    arguments: dict[str, Any] = {"pairs": 30, "progress": lambda now, _: done.append(now)}
    with pytest.raises(CaptureCancelledError):
        explorer.swap_tests(stages, cancelled=stop, **arguments)
    assert done == [0, 1, 2]
    with Counter(adder) as counter:
        explorer.swap_tests(stages[:2], **arguments)
        assert counter.passes == 0
        table = explorer.swap_tests(stages, **arguments)
        assert counter.passes > 0
    assert list(table.index) == stages
    for stage in stages:
        single = known(adder, 80).swap_test(stage, pairs=30)
        bars = single.bars(single.answer)["recovered"]
        row = table.loc[stage]
        assert row["verdict"] == single.verdict
        assert row["sentence"] == single.sentence
        assert row["near"] == pytest.approx(bars["near"], rel=1e-4, nan_ok=True)


def test_swap_tests_are_of_what_is_written_at_the_answers(native_model: Any) -> None:
    tokens = np.random.default_rng(0).integers(0, 48, (30, 7))
    answers = [Answer("x", "c", tokens[:, 3])]
    examples = Examples(tokens, positions=list("abcdefg"), answers=answers)
    explorer = Explorer(native_model, examples)
    table = explorer.swap_tests(pairs=30)
    expected = [
        f"{layer}{name}@c"
        for layer in ("L0", "L1")
        for name in [*(f"H{head}.result" for head in range(4)), ".attn_out", ".mlp_out"]
    ]
    assert sorted(table.index) == sorted(expected)
    for stage, row in table.iterrows():
        one = explorer.swap_test(str(stage), pairs=30).bars(row["answer"]).iloc[0]
        irrelevant = one["cost_high"] < 0.05 and one["changed"] < 0.01
        assert (row["verdict"] == "irrelevant") == irrelevant
    none = Explorer(native_model, examples).swap_tests([])
    assert none.empty
    assert list(none.columns) == list(table.columns)


def test_a_test_survives_json(made: SwapTest) -> None:
    text = json.dumps(made.document(), allow_nan=False)
    assert same(SwapTest.of_document(json.loads(text)), made)
    assert made.table["low"].isna().any()


def test_swap_tests_are_restored_as_they_were(made: SwapTest) -> None:
    kept: dict[str, Any] = {}
    one = SwapTests(kept.__setitem__)
    settings = Settings(("(L2+R2)%10",), PAIRS, 0, free=False)
    one.put(made, settings)
    one.put(made.about("S1"), Settings((), PAIRS))
    assert kept == one.records()
    assert len(kept) == 2
    two = SwapTests(lambda *_: None)
    two.restore(json.loads(json.dumps(one.records(), allow_nan=False)))
    restored = two.get(made.stage, settings)
    assert restored is not None
    assert same(restored, made)
    assert two.get(made.stage, Settings(("(L2+R2)%10",), PAIRS, 1)) is None
    assert list(two.by_default()) == [made.stage]
    # Those of before were judged by other rules, and are made again.
    old = {key: {k: v for k, v in r.items() if k != "version"} for key, r in kept.items()}
    three = SwapTests(lambda *_: None)
    three.restore(old)
    assert not three.records()


def test_only_the_latest_few_tests_are_kept_half_done() -> None:
    tests = SwapTests(lambda *_: None)
    stage, begun = Stage.parse(STAGE), []
    for seed in (0, 1, 2, 3, 4, 4, 0):
        settings = Settings(seed=seed)
        if tests.begun(stage, settings, 9) is None:
            begun.append(seed)
            outcomes = Outcomes.empty([], 2, 1)
            tests.begin(stage, settings, 9, Pairs(np.arange(2), {}), outcomes)
    assert begun == [0, 1, 2, 3, 4, 0]


def test_concepts_that_are_the_same_can_be_asked_for_by_the_name_of_both(
    native_model: Any, examples: Examples
) -> None:
    parity = examples.tokens[:, 0] % 2
    known = {"odd": parity, "even": 1 - parity, "first": examples.tokens[:, 0]}
    asked = Examples(examples.tokens, positions=examples.positions, concepts=known)
    explorer = Explorer(native_model, asked)
    test = explorer.swap_test("L0.attn_out@g", concept="odd = even", pairs=10)
    assert test.concept == "odd = even"
    alone = explorer.swap_test("L0.attn_out@g", concept="even", pairs=10)
    assert alone.table.equals(test.table)
