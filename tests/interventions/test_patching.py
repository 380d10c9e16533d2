"""Patching, against TransformerLens's own hooks and the model's own modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from clusterwidget import Examples, Explorer, Stage
from clusterwidget.core.stages import HEAD_KINDS, LAYER_KINDS
from clusterwidget.interventions import runner
from clusterwidget.interventions.patching import Patcher
from clusterwidget.interventions.runs import Run, start_of
from clusterwidget.model.batch import Batch
from clusterwidget.model.stages import model_stages
from tests.conftest import make_native

MODELS = ["native_model", "gpt2", "llama"]
LAST = 6


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["gpt2", "llama"])
def hugging_face(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a model that computes `result` by itself, as long as the test runs."""
    model = request.getfixturevalue(request.param)
    model.set_use_attn_result(True)
    yield model
    model.set_use_attn_result(False)


def patcher_of(model: Any, examples: Examples, columns: tuple[int, ...] = (3, LAST)) -> Patcher:
    return Patcher(model, model_stages(model, examples.positions), columns)


def own_logits(model: Any, batch: Batch, hooks: Any = ()) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = model.run_with_hooks(batch.tokens, fwd_hooks=list(hooks))
    return logits


def own_cache(model: Any, batch: Batch) -> Any:
    with torch.no_grad():
        return model.run_with_cache(batch.tokens)[1]


def two(examples: Examples) -> tuple[Batch, Batch]:
    """Return four receivers and as many donors."""
    inputs = examples.inputs
    return Batch.of(inputs[:4]), Batch.of(inputs[20:24])


def test_a_swap_with_itself_changes_nothing(model: Any, examples: Examples) -> None:
    patcher = patcher_of(model, examples)
    batch = patcher.batch(examples.inputs[:3])
    before = [patcher.run(batch, start) for start in (0, 1)]
    assert before[0].start is not None
    assert before[1].start is not None
    stages = patcher.stage_set.select(positions=["c", "g"])
    swappable = [stage for stage in stages if stage.kind != "logits"]
    assert {stage.kind for stage in swappable} >= {*HEAD_KINDS, "resid_mid", "embed", "ln_final"}
    for stage in swappable:
        values = patcher.vectors(batch, stage)
        for given in (None, before[start_of(stage, patcher.last)]):
            after = patcher.patched(batch, stage, values, given)
            # A batch of one position is rounded otherwise; whole runs are the same to the bit.
            atol = 0 if given is None else 1e-5
            torch.testing.assert_close(after.logits, before[0].logits, atol=atol, rtol=0)
            torch.testing.assert_close(after.final, before[0].final, atol=atol, rtol=0)


def test_what_is_read_before_the_stage_stays_as_it_is_to_the_bit(
    model: Any, examples: Examples
) -> None:
    patcher = patcher_of(model, examples)
    receivers, donors = two(examples)
    before = patcher.run(receivers)
    for kind in ("v", "attn_out", "resid_mid", "resid_post"):
        head = 1 if kind == "v" else None
        stage = Stage(kind, 0, head, "e")
        after = patcher.patched(receivers, stage, patcher.vectors(donors, stage))
        assert torch.equal(after.logits[:, 0], before.logits[:, 0])
        assert (after.logits[:, 1] != before.logits[:, 1]).any(dim=-1).all()


def test_the_last_residual_stream_brings_the_whole_answer_of_the_donor(
    model: Any, examples: Examples
) -> None:
    patcher = patcher_of(model, examples)
    receivers, donors = two(examples)
    for kind, layer in (("resid_post", 1), ("ln_final", None)):
        stage = Stage(kind, layer, position="g")
        after = patcher.patched(receivers, stage, patcher.vectors(donors, stage))
        expected = own_logits(model, donors)[:, LAST]
        torch.testing.assert_close(after.logits[:, 1], expected, atol=1e-6, rtol=0)
    explorer = Explorer(model, examples)
    answers = explorer.swap("L1.resid_post@g", 3, 7).table.iloc[0]
    chances = torch.softmax(own_logits(model, Batch.of(examples.inputs))[:, LAST], dim=-1)
    assert (answers["before"], answers["after"]) == (
        str(int(chances[3].argmax())),
        str(int(chances[7].argmax())),
    )
    assert answers["before_probability"] == pytest.approx(float(chances[3].max()), abs=1e-6)
    assert answers["after_probability"] == pytest.approx(float(chances[7].max()), abs=1e-6)


def test_result_through_z_is_what_transformer_lens_gives_with_hook_result(
    hugging_face: Any, examples: Examples
) -> None:
    receivers, donors = two(examples)
    patcher = patcher_of(hugging_face, examples)
    for layer, head, column in ((0, 2, 1), (0, 3, LAST), (1, 1, LAST)):
        name = f"blocks.{layer}.attn.hook_result"
        z = own_cache(hugging_face, donors)[f"blocks.{layer}.attn.hook_z"][:, column, head]
        result = z @ hugging_face.blocks[layer].attn.W_O[head].detach()

        def put(activation: torch.Tensor, hook: Any, at: Any = (column, head, result)) -> Any:
            activation[:, at[0], at[1]] = at[2]
            return activation

        expected = own_logits(hugging_face, receivers, [(name, put)])[:, [3, LAST]]
        assert not torch.equal(expected, own_logits(hugging_face, receivers)[:, [3, LAST]])
        stage = Stage("result", layer, head, examples.positions[column])
        found = patcher.patched(receivers, stage, patcher.vectors(donors, stage))
        torch.testing.assert_close(found.logits, expected, atol=2e-6, rtol=0)


def test_attention_scores_through_the_pattern_are_what_transformer_lens_gives(
    hugging_face: Any, examples: Examples
) -> None:
    receivers, donors = two(examples)
    patcher = patcher_of(hugging_face, examples)
    for layer, head, column in ((0, 2, 3), (1, 1, LAST)):
        name = f"blocks.{layer}.attn.hook_attn_scores"
        scores = own_cache(hugging_face, donors)[name][:, head, column]

        def put(activation: torch.Tensor, hook: Any, at: Any = (head, column, scores)) -> Any:
            activation[:, at[0], at[1]] = at[2]
            return activation

        expected = own_logits(hugging_face, receivers, [(name, put)])[:, [3, LAST]]
        assert not torch.equal(expected, own_logits(hugging_face, receivers)[:, [3, LAST]])
        stage = Stage("attn_scores", layer, head, examples.positions[column])
        found = patcher.patched(receivers, stage, patcher.vectors(donors, stage))
        torch.testing.assert_close(found.logits, expected, atol=2e-6, rtol=0)


def test_the_stream_between_attention_and_mlp_is_put_in_for_both_its_readers(
    model: Any, examples: Examples
) -> None:
    # The hook of resid_mid is the MLP's own input on bridges: what passes by it must change too.
    receivers, donors = two(examples)
    patcher = patcher_of(model, examples)
    for layer, column in ((0, 2), (1, LAST)):
        block, name = model.blocks[layer], f"blocks.{layer}.hook_resid_post"
        middle = own_cache(model, donors)[f"blocks.{layer}.hook_resid_mid"][:, column]
        with torch.no_grad():
            post = middle + block.mlp(block.ln2(middle[:, None]))[:, 0]

        def put(activation: torch.Tensor, hook: Any, at: Any = (column, post)) -> Any:
            changed = activation.clone()
            changed[:, at[0]] = at[1]
            return changed

        expected = own_logits(model, receivers, [(name, put)])[:, [3, LAST]]
        stage = Stage("resid_mid", layer, position=examples.positions[column])
        found = patcher.patched(receivers, stage, patcher.vectors(donors, stage))
        torch.testing.assert_close(found.logits, expected, atol=2e-6, rtol=0)


def test_a_model_without_mlps_has_no_stream_between_and_swaps_all_the_same(
    examples: Examples,
) -> None:
    model = make_native(attn_only=True)
    explorer = Explorer(model, examples)
    with pytest.raises(ValueError, match=r"no stage 'L1.resid_mid@g' here"):
        explorer.swap("L1.resid_mid@g", 0, 1)
    receivers, donors = two(examples)
    patcher = patcher_of(model, examples)
    stage = Stage("resid_post", 1, position="g")
    found = patcher.patched(receivers, stage, patcher.vectors(donors, stage))
    expected = own_logits(model, donors)[:, LAST]
    torch.testing.assert_close(found.logits[:, 1], expected, atol=1e-6, rtol=0)


def test_layers_below_the_stage_are_not_run_again(model: Any, examples: Examples) -> None:
    receivers, donors = two(examples)
    patcher = patcher_of(model, examples)
    stage = Stage("attn_out", 1, position="d")
    values = patcher.vectors(donors, stage)
    before = patcher.run(receivers, 1)
    whole = patcher.patched(receivers, stage, values)
    patcher.patched(receivers, stage, values, before)  # The first one is tried both ways.
    ran: list[int] = []
    handles = [
        block.attn.register_forward_hook(lambda *_, at=at: ran.append(at))
        for at, block in enumerate(model.blocks)
    ]
    alone = patcher.patched(receivers, stage, values, before)
    assert ran == [1]
    again = patcher.patched(receivers, stage, values)
    assert ran == [1, 0, 1]
    for handle in handles:
        handle.remove()
    torch.testing.assert_close(alone.logits, whole.logits, atol=1e-5, rtol=0)
    assert torch.equal(again.logits, whole.logits)


def test_one_position_of_a_layer_is_enough_for_what_comes_after_the_pattern(
    model: Any, native_model: Any, examples: Examples
) -> None:
    receivers, donors = two(examples)
    patcher = patcher_of(model, examples)
    ran: list[tuple[int, int]] = []
    handles = [
        block.attn.register_forward_hook(
            lambda _, __, out, at=at: ran.append((at, out[0].shape[1]))
        )
        for at, block in enumerate(model.blocks)
    ]
    every = len(examples.positions)
    kinds = [kind for kind in LAYER_KINDS if kind != "attn_scores"]
    for stage in patcher.stage_set.select(kinds, positions=["c", "g"]):
        before = patcher.run(receivers, start_of(stage, patcher.last))
        values = patcher.vectors(donors, stage)
        patcher.patched(receivers, stage, values, before)
        ran.clear()
        found = patcher.patched(receivers, stage, values, before)
        # Keys, values and patterns are read by other positions.
        local = stage.kind not in ("resid_pre", "q", "k", "v", "pattern")
        # What comes before is in the cache of keys and values, which native models do not have.
        first = 0 if model is native_model else patcher.stage_set.column(stage)
        above = [(1, every - first)] if stage.layer == 0 else []
        assert ran == [(stage.layer, 1 if local else every - first), *above], stage
        whole = patcher.patched(receivers, stage, values)
        torch.testing.assert_close(found.logits, whole.logits, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.final, whole.final, atol=1e-5, rtol=0)
    for handle in handles:
        handle.remove()


def test_where_one_position_is_not_enough_all_are_run(
    native_model: Any, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers, donors = two(examples)
    patcher = patcher_of(native_model, examples)
    one_column = Patcher._one_column

    def off(self: Patcher, *given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        leaving, logits = one_column(self, *given)
        return leaving + 1, logits + 1

    monkeypatch.setattr(Patcher, "_one_column", off)
    # The first is read by no answer: all ways agree on the logits.
    for stage in (Stage("mlp_out", 1, position="c"), Stage("mlp_out", 1, position="g")):
        before = patcher.run(receivers, 1)
        # With their own vectors nothing changes, and nothing is learned.
        patcher.patched(receivers, stage, patcher.vectors(receivers, stage), before)
        values = patcher.vectors(donors, stage)
        found = patcher.patched(receivers, stage, values, before)
        whole = patcher.patched(receivers, stage, values)
        torch.testing.assert_close(found.logits, whole.logits, atol=1e-6, rtol=0)


def test_where_a_shorter_run_gives_something_else_all_tokens_are_run(
    llama: Any, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    receivers, donors = two(examples)
    patcher = patcher_of(llama, examples)
    shorter = Patcher.hooked_after

    def off(self: Patcher, *given: Any) -> Run:
        run = shorter(self, *given)
        return Run(run.logits + 1, run.final + 1)

    monkeypatch.setattr(Patcher, "hooked_after", off)
    for stage in (Stage("q", 0, 1, "c"), Stage("v", 0, 1, "f")):
        before = patcher.run(receivers, 0)
        patcher.patched(receivers, stage, patcher.vectors(receivers, stage), before)
        values = patcher.vectors(donors, stage)
        found = patcher.patched(receivers, stage, values, before)
        whole = patcher.patched(receivers, stage, values)
        torch.testing.assert_close(found.logits, whole.logits, atol=1e-6, rtol=0)


def test_logits_are_read_at_the_answers_alone_where_the_vocabulary_is_large(
    model: Any, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = patcher_of(model, examples)
    monkeypatch.setattr(runner, "_FEW", 0)
    narrow = patcher_of(model, examples)
    receivers, donors = two(examples)
    read: list[int] = []
    handle = model.unembed.register_forward_hook(lambda _, __, out: read.append(out.shape[1]))
    stage = Stage("resid_pre", 1, position="c")
    narrow.run(receivers)
    values = narrow.vectors(donors, stage)
    read.clear()
    found = narrow.patched(receivers, stage, values, narrow.run(receivers, 1))
    assert set(read) == {len(narrow.columns)}
    handle.remove()
    expected = everywhere.patched(receivers, stage, values)
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-5, rtol=0)
    assert narrow.batch_size(1000) >= everywhere.batch_size(1000)


def test_a_run_that_fails_leaves_the_model_as_it_was(model: Any, examples: Examples) -> None:
    patcher = patcher_of(model, examples)
    batch = patcher.batch(examples.inputs[:2])
    start = patcher.run(batch, 1).start
    assert start is not None
    before = own_logits(model, batch)

    def fail(activation: torch.Tensor, hook: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        patcher.hooked(batch, [("blocks.1.hook_attn_out", fail)], start.entering, 1)
    assert torch.equal(own_logits(model, batch), before)
    assert all("forward" not in vars(block) for block in model.blocks)


class Whole:
    """A model that can only be run as a whole."""

    def __init__(self, model: Any) -> None:
        self.cfg, self.hook_dict, self.blocks = model.cfg, model.hook_dict, model.blocks
        self.run_with_cache, self._model = model.run_with_cache, model

    def run_with_hooks(self, tokens: Any, fwd_hooks: Any, stop_at_layer: Any = None) -> Any:
        return self._model.run_with_hooks(tokens, fwd_hooks=fwd_hooks, stop_at_layer=stop_at_layer)


def test_a_model_that_cannot_be_run_in_part_is_run_as_a_whole(
    native_model: Any, examples: Examples
) -> None:
    whole = Explorer(Whole(native_model), examples)
    part = Explorer(native_model, examples)
    for stage in ("L0H1.result@c", "L1.mlp_out@g"):
        ours, theirs = whole.swap(stage, 3, 8).table, part.swap(stage, 3, 8).table
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5)
    one, other = whole.trace(3, "next", draws=2), part.trace(3, "next", draws=2)
    assert one.edges["kept"].tolist() == other.edges["kept"].tolist()


def test_dropout_is_off_and_a_model_in_training_is_left_in_training(examples: Examples) -> None:
    model = with_dropout()
    explorer = Explorer(model, examples)
    batch = Batch.of(examples.inputs[:1])
    quiet = explorer.swap("L0.attn_out@e", 0, 1).table
    model.train()
    assert not torch.equal(own_logits(model, batch), own_logits(model, batch))
    again = explorer.swap("L0.attn_out@e", 0, 1).table
    assert again.equals(quiet)
    explorer.ablate("L0.attn_out@e", 0)
    explorer.trace(0, "next", draws=2)
    assert model.training
    assert not torch.equal(own_logits(model, batch), own_logits(model, batch))


def with_dropout() -> Any:
    """Return a model whose MLPs drop half of what they write while it is in training."""
    model = make_native(n_layers=2)
    for block in model.blocks:
        inner = block.mlp.original_component
        inner.fc_out = torch.nn.Sequential(inner.fc_out, torch.nn.Dropout(0.5))
    return model.eval()


def test_tokens_that_are_no_example_can_be_swapped(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, examples)
    by_index = explorer.swap("L0.resid_post@d", 4, 9)
    by_tokens = explorer.swap("L0.resid_post@d", examples.tokens[4], examples.tokens[9].tolist())
    assert by_tokens.table.equals(by_index.table)
    assert str(by_tokens) == by_index.table["after"].iloc[0]


def test_unusual_is_the_distance_to_the_nearest_example_over_the_median_one(
    native_model: Any, examples: Examples
) -> None:
    explorer = Explorer(native_model, examples)
    final = explorer.matrix("L1.resid_post@g").astype(np.float64)
    own = NearestNeighbors(n_neighbors=2).fit(final).kneighbors(final)[0][:, 1]
    # All of the donor's answer: the activation is the donor's, and the donor itself is left out.
    others = NearestNeighbors(n_neighbors=1).fit(np.delete(final, [4, 9], axis=0))
    expected = others.kneighbors(final[[9]])[0][0, 0] / np.median(own)
    swap = explorer.swap("L1.resid_post@g", 4, 9)
    assert swap.unusual == pytest.approx(expected, rel=1e-4)
