"""Ablations of many stages and examples, against one call each and TransformerLens's own hooks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget import Answer, Examples, Explorer

STAGES = ["L0H1.result@c", "L0.mlp_out@d", "L1H2.z@d", "L1.resid_post@d"]


@pytest.fixture
def asked(native_model: Any, examples: Examples) -> Explorer:
    answers = [Answer("x", "d", examples.tokens[:, 4]), Answer("y", "g", examples.tokens[:, 0])]
    made = Examples(examples.tokens, positions=examples.positions, answers=answers)
    return Explorer(native_model, made)


@pytest.mark.parametrize("method", ["mean", "zero"])
def test_the_table_is_the_mean_of_single_calls(asked: Explorer, method: Any) -> None:
    rows = [3, 8, 21, 40]
    table = asked.ablate(STAGES, rows, method=method)
    for stage in STAGES:
        singles = [asked.ablate(stage, row, method=method).set_index("answer") for row in rows]
        for _, line in table[table["stage"] == stage].iterrows():
            name = line["answer"]
            loss = np.mean([single.loc[name, "loss"] for single in singles])
            kept = np.mean([single.loc[name, "kept"] for single in singles])
            assert line["loss"] == pytest.approx(loss, abs=1e-5)
            assert line["kept"] == pytest.approx(kept)
            assert line["runs"] == 4


def test_zero_is_what_a_hook_of_transformer_lens_does(asked: Explorer) -> None:
    model: Any = asked.model
    tokens = torch.as_tensor(asked.examples.tokens)

    def zeroed(activation: torch.Tensor, hook: Any) -> torch.Tensor:
        changed = activation.clone()
        changed[:, 3] = 0
        return changed

    with torch.no_grad():
        before = model(tokens)
        after = model.run_with_hooks(tokens, fwd_hooks=[("blocks.0.hook_mlp_out", zeroed)])
    said = before[:, 3].argmax(dim=-1)
    kept = float((after[:, 3].argmax(dim=-1) == said).float().mean())
    chances = [torch.log_softmax(logits[:, 3].double(), dim=-1) for logits in (before, after)]
    lost = [-chance.gather(1, said[:, None]).mean().item() for chance in chances]
    row = asked.ablate(["L0.mlp_out@d"], method="zero").set_index("answer").loc["x"]
    assert row["kept"] == pytest.approx(kept)
    assert row["loss"] == pytest.approx(lost[1] - lost[0], abs=1e-5)


def test_resampling_takes_other_examples_and_repeats(asked: Explorer) -> None:
    one = asked.ablate(STAGES, method="resample", draws=3, seed=4)
    assert one.equals(asked.ablate(STAGES, method="resample", draws=3, seed=4))
    assert not one.equals(asked.ablate(STAGES, method="resample", draws=3, seed=5))
    assert set(one["runs"]) == {180}


def test_a_readout_is_told_before_and_after(asked: Explorer) -> None:
    table = asked.ablate(STAGES, readout=lambda logits: logits[:, 0, 5] - logits[:, 0, 6])
    with torch.no_grad():
        logits = asked.model.run_with_hooks(torch.as_tensor(asked.examples.tokens))  # type: ignore[union-attr]
    expected = float((logits[:, 3, 5] - logits[:, 3, 6]).mean())
    assert table["readout_before"].tolist() == pytest.approx([expected] * len(table), abs=1e-5)
    assert table["readout"].nunique() > 1
    with pytest.raises(ValueError, match=r"one number for each of the 60 examples, not"):
        asked.ablate(STAGES, readout=lambda logits: logits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"example": []}, "no example is named by"),
        ({"example": [99]}, "99"),
        ({"readout": 3}, "readout must be a function"),
    ],
)
def test_bad_input_is_refused(asked: Explorer, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError, IndexError), match=message):
        asked.ablate(STAGES, **arguments)


def test_edges_are_cut_in_one_example(asked: Explorer) -> None:
    with pytest.raises(TypeError, match="edges are cut in one example"):
        asked.ablate("embed@a -> L0H1.result@c")
    with pytest.raises(TypeError, match="readout goes with stages"):
        asked.ablate("embed@a -> L0H1.result@c", 0, readout=len)
