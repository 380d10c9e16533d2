"""Interventions on a model whose answer depends on one planted stage alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget import Examples, Explorer
from tests.interventions.planted import (
    FIRST_ANSWER,
    HEAD_A,
    HEAD_B,
    planted_examples,
    planted_model,
)

SEEDS = range(20)


@pytest.fixture(scope="module")
def model() -> Any:
    return planted_model()


@pytest.fixture(scope="module")
def both() -> Any:
    return planted_model(both=True)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return planted_examples(300)


@pytest.fixture(scope="module")
def explorer(model: Any, examples: Examples) -> Explorer:
    return Explorer(model, examples)


def different(examples: Examples) -> tuple[int, int]:
    """Return two examples with different planted tokens."""
    planted = examples.tokens[:, 2]
    return 0, int(np.flatnonzero(planted != planted[0])[0])


def test_the_model_answers_as_planted(explorer: Explorer, examples: Examples) -> None:
    logits = explorer.matrix("logits@g")
    np.testing.assert_array_equal(logits.argmax(axis=1), FIRST_ANSWER + examples.tokens[:, 2])


@pytest.mark.parametrize(
    "stage",
    [
        HEAD_A,
        "L0H1.z@g",
        "L0.attn_out@g",
        "L0.resid_mid@g",
        "L0.resid_post@g",
        "L1.resid_pre@g",
        "L1.resid_mid@g",
        "L1.resid_post@g",
        "ln_final@g",
        "embed@c",
        "L0H1.v@c",
        "L0.resid_pre@c",
    ],
)
def test_a_swap_where_the_answer_is_held_gives_the_donors(
    explorer: Explorer, examples: Examples, stage: str
) -> None:
    receiver, donor = different(examples)
    row = explorer.swap(stage, receiver, donor).table.iloc[0]
    assert row["before"] == str(FIRST_ANSWER + examples.tokens[receiver, 2])
    assert row["after"] == str(FIRST_ANSWER + examples.tokens[donor, 2])
    assert row["changed"]


def test_swaps_anywhere_else_change_nothing(explorer: Explorer, examples: Examples) -> None:
    receiver, donor = different(examples)
    planted = {HEAD_A, "L0.attn_out@g"}
    others = explorer.stages(kinds=["result", "attn_out", "mlp_out"])
    for stage in others:
        if str(stage) in planted:
            continue
        row = explorer.swap(stage, receiver, donor).table.iloc[0]
        assert row["after"] == row["before"], stage
        assert row["after_probability"] == row["before_probability"], stage


def test_its_swap_test_names_what_is_enough(explorer: Explorer) -> None:
    test = explorer.swap_test(HEAD_A, pairs=100)
    assert (test.verdict, test.concept, test.answer) == ("enough", "a", "copy")
    assert "a is enough here" in test.sentence
    bars = test.bars("copy")
    np.testing.assert_allclose(bars.loc[["nearest", "near", "concept", "far"], "recovered"], 1)
    assert bars.loc["random", "recovered"] == 0
    share = (explorer.examples.tokens[:, 2] == 0).mean()
    assert bars.loc["random", "right"] == pytest.approx(1 / 8, abs=0.1)
    assert share == pytest.approx(1 / 8, abs=0.06)


def test_an_idle_head_is_irrelevant(explorer: Explorer) -> None:
    test = explorer.swap_test("L0H2.result@g", pairs=60)
    assert test.verdict == "irrelevant"
    assert test.table["recovered"].isna().all()


def test_a_name_that_leaves_something_out_is_flagged(both: Any) -> None:
    for seed in SEEDS:
        explorer = Explorer(both, planted_examples(200, seed, both=True))
        test = explorer.swap_test("L0.attn_out@g", pairs=60, seed=seed)
        assert test.concept == "a"
        assert test.verdict == "insufficient", (seed, test.table)
        assert "a alone is not enough" in test.sentence


def test_a_name_that_leaves_nothing_out_is_not(both: Any) -> None:
    for seed in SEEDS:
        pair = Explorer(both, planted_examples(200, seed, both=True, names="p"))
        assert pair.swap_test("L0.attn_out@g", pairs=60, seed=seed).verdict == "enough", seed
        alone = Explorer(both, planted_examples(200, seed, both=True, names="ab"))
        for stage, concept in ((HEAD_A, "a"), (HEAD_B, "b")):
            test = alone.swap_test(stage, pairs=60, seed=seed)
            assert (test.concept, test.verdict) == (concept, "enough"), seed


def test_the_trace_keeps_the_edges_that_were_planted(explorer: Explorer) -> None:
    for method in ("resample", "mean"):
        trace = explorer.trace(5, "copy", method=method)
        kept = trace.edges[trace.edges["kept"]]
        assert set(zip(kept["source"], kept["target"], strict=True)) == {
            ("embed@c", HEAD_A),
            (HEAD_A, "L0.attn_out@g"),
            ("L0.attn_out@g", "L0.resid_post@g"),
            ("L0.resid_post@g", "L1.resid_post@g"),
            ("L1.resid_post@g", "logits@g"),
        }
        assert trace.kept_probability == pytest.approx(trace.probability)
        attention = kept[kept["kind"] == "attention"]["attention"]
        np.testing.assert_allclose(attention, 1, atol=1e-6)


def test_the_mean_of_an_ablated_head_is_that_of_the_examples(
    explorer: Explorer, examples: Examples
) -> None:
    row = explorer.ablate(HEAD_A, 0).iloc[0]
    # The mean of one-hot vectors: each logit is ten times how often its token occurs.
    shares = np.bincount(examples.tokens[:, 2], minlength=8) / len(examples)
    logits = np.zeros(50)
    logits[FIRST_ANSWER : FIRST_ANSWER + 8] = 10 * shares
    chance = np.exp(logits[FIRST_ANSWER + examples.tokens[0, 2]]) / np.exp(logits).sum()
    assert row["kept_probability"] == pytest.approx(chance, rel=1e-5)
    assert row["loss"] == pytest.approx(np.log(row["probability"]) - np.log(chance), rel=1e-5)
    assert row["after"] == str(FIRST_ANSWER + shares.argmax())


def test_an_edge_is_the_head_where_nothing_else_reads_it(explorer: Explorer) -> None:
    for method in ("mean", "resample"):
        head = explorer.ablate(HEAD_A, 0, method=method)
        for edge in (f"embed@c -> {HEAD_A}", f"{HEAD_A} -> L0.attn_out@g"):
            cut = explorer.ablate(edge, 0, method=method)
            assert cut["loss"].iloc[0] == pytest.approx(head["loss"].iloc[0], rel=1e-5)
            assert cut["kept"].iloc[0] == head["kept"].iloc[0]


@pytest.mark.parametrize("renormalize", [False, True])
def test_a_dropped_edge_is_a_weight_set_to_zero(native_model: Any, renormalize: bool) -> None:
    tokens = np.random.default_rng(0).integers(0, 48, (60, 7))
    explorer = Explorer(native_model, Examples(tokens, positions=list("abcdefg")))
    dropped = explorer.ablate(
        "L0.resid_post@c -> L1H2.result@g", 4, method="drop", renormalize=renormalize
    )

    def without(pattern: torch.Tensor, hook: Any) -> torch.Tensor:
        changed = pattern.clone()
        changed[:, 2, 6, 2] = 0
        if renormalize:
            changed[:, 2, 6] /= changed[:, 2, 6].sum(dim=-1, keepdim=True)
        return changed

    with torch.no_grad():
        row = torch.as_tensor(tokens[4])[None]
        before = torch.softmax(native_model(row)[0, 6].double(), dim=-1)
        hooks = [("blocks.1.attn.hook_pattern", without)]
        logits = native_model.run_with_hooks(row, fwd_hooks=hooks)
        after = torch.softmax(logits[0, 6].double(), dim=-1)
    top = int(before.argmax())
    assert dropped["kept_probability"].iloc[0] == pytest.approx(float(after[top]), rel=1e-5)
    assert dropped["answer"].tolist() == ["next"]
