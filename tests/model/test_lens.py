"""The logit lens, against TransformerLens's own and against the model's logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget import Examples, Explorer
from clusterwidget.core.stages import Stage
from clusterwidget.model.lens import contributions, lens_logits

MODELS = ["native_model", "gpt2", "llama"]
ALL = np.arange(60)


def own_run(model: Any, examples: Examples) -> tuple[torch.Tensor, Any]:
    with torch.no_grad():
        logits, cache = model.run_with_cache(torch.as_tensor(examples.tokens))
    return logits, cache


def less_mean(values: torch.Tensor) -> np.ndarray:
    centered: np.ndarray = (values - values.mean(dim=-1, keepdim=True)).detach().numpy()
    return centered


@pytest.mark.parametrize("name", MODELS)
def test_the_lens_at_the_end_is_the_model(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    logits, _ = own_run(model, examples)
    explorer = Explorer(model, examples)
    seen = lens_logits(model, Stage("resid_post", 1, position="e"), explorer.vectors, ALL)
    np.testing.assert_allclose(seen, logits[:, 4].numpy(), atol=1e-5)
    table = explorer.lens("L1.resid_post@e", 3, top=4)
    expected = torch.softmax(logits[3, 4], dim=-1).sort(descending=True)
    assert table["token"].tolist() == expected.indices[:4].tolist()
    np.testing.assert_allclose(table["probability"], expected.values[:4], atol=1e-6)


def test_the_lens_within_is_transformer_lens_accumulated_stream(
    gpt2: Any, examples: Examples
) -> None:
    _, cache = own_run(gpt2, examples)
    stream = cache.accumulated_resid(layer=1, incl_mid=True, pos_slice=4)
    with torch.no_grad():
        expected = gpt2.unembed(gpt2.ln_final(stream[1][None]))[0]
    vectors = Explorer(gpt2, examples).vectors
    seen = lens_logits(gpt2, Stage("resid_mid", 0, position="e"), vectors, ALL)
    np.testing.assert_allclose(seen, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_contribution_is_what_transformer_lens_attributes(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    _, cache = own_run(model, examples)
    stack = torch.stack([cache["blocks.0.hook_attn_out"], cache["blocks.1.hook_mlp_out"]])
    scaled = cache.apply_ln_to_stack(stack, layer=-1)[:, :, 4]
    expected = scaled * model.ln_final.weight @ model.W_U
    vectors = Explorer(model, examples).vectors
    stages = (Stage("attn_out", 0, position="e"), Stage("mlp_out", 1, position="e"))
    for stage, own in zip(stages, expected, strict=True):
        seen = lens_logits(model, stage, vectors, ALL)
        np.testing.assert_allclose(seen, less_mean(own), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_all_contributions_add_up_to_the_logits(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    explorer = Explorer(model, examples)
    final = explorer.vectors("L1.resid_post@e")
    parts = ["L0.resid_pre@e", "L0.attn_out@e", "L0.mlp_out@e", "L1.attn_out@e", "L1.mlp_out@e"]
    together = sum(contributions(model, explorer.vectors(part), final) for part in parts)
    logits, _ = own_run(model, examples)
    with torch.no_grad():
        nothing = model.unembed(model.ln_final(torch.zeros(1, 1, 32)))[0]
    expected = less_mean(logits[:, 4]) - less_mean(nothing)
    np.testing.assert_allclose(together, expected, atol=1e-4)


def test_agreement_counts_neighbors_that_say_the_same(gpt2: Any, examples: Examples) -> None:
    explorer = Explorer(gpt2, examples)
    near = explorer.neighbors("L0.resid_post@g", 5, 20)["example"]
    said = [int(explorer.lens("L0.resid_post@g", example)["token"].iloc[0]) for example in near]
    own = int(explorer.lens("L0.resid_post@g", 5)["token"].iloc[0])
    assert explorer.lens_agreement("L0.resid_post@g", 5, 20) == (said.count(own), 20)


def test_a_stage_that_is_no_part_of_the_stream_cannot_be_read(
    gpt2: Any, examples: Examples
) -> None:
    with pytest.raises(ValueError, match=r"L0H1.pattern@e is not in the residual stream"):
        Explorer(gpt2, examples).lens("L0H1.pattern@e", 0)


def test_without_a_model_there_is_no_lens() -> None:
    rows = np.random.default_rng(0).standard_normal((4, 3))
    explorer = Explorer(examples=Examples([[1], [2], [3], [4]]), activations={"embed@0": rows})
    with pytest.raises(ValueError, match="make the Explorer with the model"):
        explorer.lens("embed@0", 0)
