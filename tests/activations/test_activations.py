"""Activations: captured once, within memory, and only what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples, Explorer
from clusterwidget.activations.activations import Activations
from clusterwidget.activations.cache import Cache
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.model.lazy import LazyModel
from clusterwidget.model.stages import model_stages
from tests.helpers import Counter

ONE = 60 * 32 * 4
"""Bytes of a stage of 60 examples and 32 dimensions."""


def activations_of(
    model: Any, examples: Examples, bound: int | None = None, batch_size: int | None = None
) -> Activations:
    stages = model_stages(model, examples.positions)
    lazy = LazyModel(model, lambda _: stages)
    return Activations(Cache(bound), stages, lazy, examples.inputs, batch_size)


def attention(positions: str) -> list[Stage]:
    return [Stage("attn_out", 0, position=position) for position in positions]


def test_a_stage_is_captured_when_it_is_asked_for_and_once(
    native_model: Any, examples: Examples
) -> None:
    # Once for each model a small run finds what its hooks hold.
    Explorer(native_model, examples)
    with Counter(native_model) as counter:
        explorer = Explorer(native_model, examples)
        assert counter.passes == 0
        first = explorer.matrix("L1.resid_post@g")
        again = explorer.matrix("L1.resid_post@g")
        assert counter.passes == 1
    assert again is first


def test_many_stages_are_captured_in_one_pass(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, examples)
    with Counter(native_model) as counter:
        explorer.capture()
        for stage in explorer.stages(layers=1):
            explorer.matrix(stage)
        assert counter.passes == 1


def test_what_is_held_stays_within_the_bound(native_model: Any, examples: Examples) -> None:
    one = 60 * 32 * 4
    explorer = Explorer(native_model, examples, memory=2 * one)
    for position in "abcd":
        explorer.matrix(f"L0.attn_out@{position}")
    assert not explorer.holds("L0.attn_out@a")
    assert explorer.holds("L0.attn_out@d")
    with Counter(native_model) as counter:
        explorer.matrix("L0.attn_out@a")
        assert counter.passes == 1
    chosen = Explorer(native_model, examples, memory=3 * one).affordable(
        explorer.stages(kinds="attn_out")
    )
    assert len(chosen) == 3


def test_a_cancelled_capture_keeps_nothing(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, examples)
    with pytest.raises(CaptureCancelledError):
        explorer.capture(["L0.attn_out@a"], cancelled=lambda: True)
    assert not explorer.holds("L0.attn_out@a")


def test_stages_that_do_not_fit_in_memory_together_take_several_passes(
    native_model: Any, examples: Examples
) -> None:
    activations = activations_of(native_model, examples, 2 * ONE)
    with Counter(native_model) as counter:
        seen = dict(activations.each(attention("abcde"), Watch()))
        assert counter.passes == 3
    assert list(seen) == attention("abcde")
    expected = activations_of(native_model, examples).matrix(attention("e")[0], Watch())
    np.testing.assert_allclose(seen[attention("e")[0]], expected, atol=1e-6)


def test_only_the_rows_that_were_appended_are_captured(
    native_model: Any, examples: Examples
) -> None:
    activations = activations_of(native_model, examples)
    stage, other = attention("ab")
    before = activations.matrix(stage, Watch())
    activations.inputs = Inputs(np.concatenate([examples.tokens, examples.tokens[:3]]))
    assert activations.in_memory(stage) is None
    with Counter(native_model) as counter:
        after = activations.matrix(stage, Watch())
        assert counter.examples == 3
        activations.capture([stage, other], Watch())
        assert counter.examples == 3 + 63
    np.testing.assert_array_equal(after[:60], before)
    np.testing.assert_allclose(after[60:], before[:3], atol=1e-6)


def test_a_stream_of_the_first_examples_runs_those_and_keeps_nothing(
    native_model: Any, examples: Examples
) -> None:
    activations = activations_of(native_model, examples, batch_size=8)
    stages = attention("ab")
    seen: dict[Stage, list[np.ndarray]] = {stage: [] for stage in stages}
    starts: list[int] = []

    def consume(stage: Stage, start: int, rows: np.ndarray) -> None:
        seen[stage].append(rows.copy())
        starts.append(start)

    with Counter(native_model) as counter:
        activations.stream(stages, consume, Watch(), first=20)
        assert counter.examples == 20
    assert sorted(set(starts)) == [0, 8, 16]
    assert activations.divided(stages) == ({}, stages)
    for stage, parts in seen.items():
        expected = activations.matrix(stage, Watch())[:20]
        np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-6)


def test_what_is_released_is_captured_anew(native_model: Any, examples: Examples) -> None:
    activations = activations_of(native_model, examples)
    stage = attention("a")[0]
    activations.capture([stage], Watch())
    assert activations.at_hand(stage)
    assert activations.held_stages() == [stage]
    activations.release()
    assert not activations.at_hand(stage)
    with Counter(native_model) as counter:
        activations.matrix(stage, Watch())
        assert counter.passes == 1


def test_what_was_given_is_not_released() -> None:
    explorer = Explorer(
        examples=Examples([[1], [2], [3]]), activations={"embed@0": np.eye(3, dtype=np.float32)}
    )
    explorer.release()
    assert explorer.holds("embed@0")


def test_affordable_are_those_that_fit_beside_what_is_held(
    native_model: Any, examples: Examples
) -> None:
    activations = activations_of(native_model, examples, 3 * ONE)
    assert activations.affordable(attention("abcde")) == attention("abc")
    activations.capture(attention("e"), Watch())
    assert activations.affordable(attention("abcde")) == attention("ab")
    assert activations.affordable(attention("eabcd")) == attention("eab")
    assert activations_of(native_model, examples).affordable(attention("abc")) == attention("abc")


def test_the_vectors_of_a_head_are_in_the_basis_of_the_model(
    native_model: Any, examples: Examples
) -> None:
    activations = activations_of(native_model, examples)
    stage = Stage("result", 0, 1, "c")
    vectors, matrix = activations.vectors(stage), activations.matrix(stage, Watch())
    assert vectors.shape == (60, 32)
    np.testing.assert_allclose(vectors @ vectors.T, matrix @ matrix.T, atol=1e-4)


def test_further_examples_are_held_apart_from_the_common_ones(
    native_model: Any, examples: Examples
) -> None:
    common = Explorer(native_model, examples)
    further = Examples(examples.tokens[:2, ::-1].copy(), positions=list("abcdefg"))
    stages = ["L0.attn_out@c", "L1H2.result@g"]
    both = common.extended(further)
    whole = Explorer(native_model, examples.extended(further))
    for stage in stages:
        np.testing.assert_allclose(both.matrix(stage), whole.matrix(stage), atol=1e-5)
        np.testing.assert_array_equal(both.matrix(stage)[:60], common.matrix(stage))
    assert len(common.examples) == 60
    with Counter(native_model) as counter:
        both.matrix(stages[0])
        assert counter.passes == 0
    seen: dict[str, int] = {}

    def consume(stage: Stage, start: int, rows: Any) -> None:
        seen[str(stage)] = max(seen.get(str(stage), 0), start + len(rows))

    both._setting.activations.stream([Stage.parse(stages[0])], consume, Watch())
    assert seen == {stages[0]: 62}
    both.release()
    assert common.holds(stages[0])
    assert not both.holds(stages[0])
