"""Texts of unequal length: every run gives each of them what it gets alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from clusterwidget import Examples, Explorer, Stage
from clusterwidget.core.watch import Watch
from clusterwidget.model import padding
from tests.conftest import make_native
from tests.families import VOCABULARY, booted

FAMILIES = ("gpt2", "llama", "neox", "qwen2", "gemma", "mistral", "bert")
LENGTHS = (3, 7, 5, 4, 6, 7, 3, 5)
WIDTH = 9
RELATIVE = 1e-5


@pytest.fixture(scope="module")
def texts() -> list[npt.NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, VOCABULARY - 2, length) for length in LENGTHS]


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest) -> Any:
    return booted(request.param)


def padded(texts: list[npt.NDArray[np.int64]], side: str) -> Examples:
    """Return the texts, padded, with positions at the second token and the last."""
    tokens = np.full((len(texts), WIDTH), VOCABULARY - 1)
    mask = np.zeros(tokens.shape, bool)
    for row, text in enumerate(texts):
        first = 0 if side == "right" else WIDTH - len(text)
        own = slice(first, first + len(text))
        tokens[row, own], mask[row, own] = text, True
    first = mask.argmax(axis=1)
    columns = {"second": first + 1, "last": first + mask.sum(axis=1) - 1}
    return Examples(tokens, attention_mask=mask, columns=columns)


def alone(model: Any, text: npt.NDArray[np.int64]) -> Explorer:
    """Return an explorer of one text, which nothing is padded for."""
    return Explorer(model, Examples(np.stack([text, text])))


def place(position: str, text: npt.NDArray[np.int64]) -> str:
    return "1" if position == "second" else str(len(text) - 1)


def close(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert np.abs(found - expected).max() <= RELATIVE * max(np.abs(expected).max(), 1e-3)


@pytest.mark.parametrize("side", ["right", "left"])
def test_every_stage_is_as_it_is_alone(
    model: Any, texts: list[npt.NDArray[np.int64]], side: str
) -> None:
    explorer = Explorer(model, padded(texts, side))
    stages = [one for one in explorer.stages() if one.kind not in ("pattern", "attn_scores")]
    explorer.capture(stages)
    for row in (0, 1, 3):
        expected = alone(model, texts[row])
        own = [
            Stage(one.kind, one.layer, one.head, place(one.position, texts[row])) for one in stages
        ]
        expected.capture(own)
        for stage, there in zip(stages, own, strict=True):
            close(explorer.matrix(stage)[row], expected.matrix(there)[0])
    close(
        explorer.lens("L0.resid_post@last", 0)["probability"],
        alone(model, texts[0]).lens("L0.resid_post@2", 0)["probability"],
    )


def test_a_pattern_is_what_is_attended_to_at_the_positions(
    model: Any, texts: list[npt.NDArray[np.int64]]
) -> None:
    explorer = Explorer(model, padded(texts, "left"))
    found = explorer.matrix("L1H2.pattern@last")
    expected = alone(model, texts[3]).matrix("L1H2.pattern@3")[0]
    close(found[3], expected[[1, 3]])
    with pytest.raises(ValueError, match=r"cannot be swapped: positions are other.*L1H2.z@last"):
        explorer.swap("L1H2.pattern@last", 0, 1)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("address", ["L0.attn_out@second", "L1H2.z@last", "L0.resid_pre@second"])
def test_a_swap_between_texts_of_other_lengths_is_one_of_the_texts_alone(
    model: Any, texts: list[npt.NDArray[np.int64]], side: str, address: str
) -> None:
    explorer, stage = Explorer(model, padded(texts, side)), Stage.parse(address)
    found = explorer.swap(stage, receiver=0, donor=1)
    name = f"blocks.{stage.layer}." + ("attn.hook_z" if stage.kind == "z" else f"hook_{stage.kind}")
    receiver, donor = (torch.as_tensor(text)[None] for text in texts[:2])
    here, there = (int(place(stage.position, text)) for text in texts[:2])
    with torch.no_grad():
        vector = model.run_with_cache(donor)[1][name][0, there]

        def put(activation: torch.Tensor, hook: Any) -> torch.Tensor:
            changed = activation.clone()
            changed[0, here] = vector
            if stage.head is not None:
                changed[0, here] = activation[0, here]
                changed[0, here, stage.head] = vector[stage.head]
            return changed

        logits = model.run_with_hooks(receiver, fwd_hooks=[(name, put)])[0, -1]
    close(found.table["after_probability"], [float(torch.softmax(logits, -1).max())])


@pytest.mark.parametrize("side", ["right", "left"])
def test_swap_tests_and_ablations_are_those_of_texts_of_each_length_apart(
    model: Any,
    texts: list[npt.NDArray[np.int64]],
    side: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answers() -> list[Any]:
        explorer = Explorer(model, padded(texts, side))
        test = explorer.swap_test("L0.attn_out@second", pairs=8)
        stages = ["L0.attn_out@second", "L1.mlp_out@last"]
        return [
            test.table[["right", "loss"]] if "loss" in test.table else test.table["right"],
            test.table.select_dtypes("number").fillna(0),
            explorer.ablate("L0.attn_out@second", 3)[["loss", "unusual"]],
            explorer.ablate("L0.attn_out@second", 3, method="resample")["loss"],
            explorer.ablate(stages)["loss"],
        ]

    together = answers()
    monkeypatch.setitem(padding._ways, model, padding.APART)
    for found, expected in zip(together, answers(), strict=True):
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_zero_ablation_is_that_of_the_text_alone(
    model: Any, texts: list[npt.NDArray[np.int64]]
) -> None:
    found = Explorer(model, padded(texts, "left")).ablate("L0.attn_out@second", 1, method="zero")
    expected = alone(model, texts[1]).ablate("L0.attn_out@1", 0, method="zero")
    close(found[["loss", "kept_probability"]], expected[["loss", "kept_probability"]])


@pytest.mark.parametrize("causal", [True, False])
def test_where_a_model_takes_no_mask_each_length_is_run_apart(
    texts: list[npt.NDArray[np.int64]], monkeypatch: pytest.MonkeyPatch, *, causal: bool
) -> None:
    model = make_native(**({} if causal else {"attention_dir": "bidirectional"}))
    run = model.run_with_hooks

    def refuse(tokens: Any, attention_mask: Any = None, **given: Any) -> Any:
        if attention_mask is not None:
            raise TypeError("no mask")
        return run(tokens, **given)

    monkeypatch.setattr(model, "run_with_hooks", refuse)
    explorer = Explorer(model, padded(texts, "left"))
    found = explorer.matrix("L1.resid_post@last")
    assert padding._ways[model] == (padding.IGNORED if causal else padding.APART)
    for row, text in enumerate(texts):
        close(found[row], alone(model, text).matrix(f"L1.resid_post@{len(text) - 1}")[0])
    assert np.isfinite(explorer.swap("L0.attn_out@second", 0, 1).table["after_probability"]).all()


def test_every_token_as_an_example_runs_each_text_once(
    texts: list[npt.NDArray[np.int64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = booted("gpt2")
    rows = [(row, at) for row, text in enumerate(texts) for at in range(len(text))]
    whole = padded(texts, "right")
    assert whole.attention_mask is not None
    which = np.array([row for row, _ in rows])
    examples = Examples(
        whole.tokens[which],
        attention_mask=whole.attention_mask[which],
        columns={"token": [at for _, at in rows]},
    )
    ran: list[int] = []
    run = model.run_with_hooks

    def count(tokens: torch.Tensor, **given: Any) -> Any:
        ran.append(len(tokens))
        return run(tokens, **given)

    explorer = Explorer(model, examples, batch_size=3)
    monkeypatch.setattr(model, "run_with_hooks", count)
    explorer._setting.activations.capture(explorer.stages("resid_post"), Watch())
    assert sum(ran) == len(texts)
    found = explorer.matrix("L1.resid_post@token")
    for index, (row, at) in enumerate(rows[:12]):
        close(found[index], alone(model, texts[row]).matrix(f"L1.resid_post@{at}")[0])
