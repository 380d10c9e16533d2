"""What is captured, against TransformerLens's own cache on models of three shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import psutil
import pytest
import torch

from clusterwidget import Examples, Explorer, Stage
from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.model.capture import capture
from clusterwidget.model.hooks import checked_model, hook_name
from clusterwidget.model.recorder import result_basis
from clusterwidget.model.stages import model_stages
from tests.conftest import make_native
from tests.families import VOCABULARY

MODELS = ["native_model", "gpt2", "llama"]


def own_cache(model: Any, tokens: np.ndarray) -> tuple[torch.Tensor, Any]:
    with torch.no_grad():
        logits, cache = model.run_with_cache(torch.as_tensor(tokens))
    return logits, cache


@pytest.mark.parametrize("name", MODELS)
def test_every_stage_is_what_transformer_lens_caches(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    stages = model_stages(model, examples.positions)
    logits, cache = own_cache(model, examples.tokens)
    captured = capture(model, examples.inputs, stages.select(), stages, batch_size=17)
    for stage, matrix in captured.items():
        column = stages.column(stage)
        if stage.kind == "logits":
            expected = logits[:, column]
        elif stage.kind in ("result", "attn_scores"):
            continue
        else:
            activation = cache[hook_name(model, stage.kind, stage.layer)]
            if stage.kind == "pattern":
                expected = activation[:, stage.head, column]
            elif stage.head is None:
                expected = activation[:, column]
            else:
                expected = activation[:, column, stage.head]
        np.testing.assert_allclose(matrix, expected.numpy(), atol=2e-5, err_msg=str(stage))


@pytest.mark.parametrize("name", MODELS)
def test_a_stage_by_itself_runs_no_token_after_its_position(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    stages = model_stages(model, examples.positions)
    _, cache = own_cache(model, examples.tokens)
    seen = []
    handle = model.hook_dict["blocks.0.hook_resid_post"].register_forward_hook(
        lambda module, given, output: seen.append(output.shape[1])
    )
    try:
        for address in ("L1.resid_post@c", "L0H1.z@c", "L1H2.pattern@c"):
            stage = Stage.parse(address)
            matrix = capture(model, examples.inputs, [stage], stages)[stage]
            activation = cache[hook_name(model, stage.kind, stage.layer)]
            index: dict[str, tuple[Any, ...]] = {
                "resid_post": (2,),
                "z": (2, stage.head),
                "pattern": (stage.head, 2),
            }
            expected = activation[(slice(None), *index[stage.kind])].numpy()
            np.testing.assert_allclose(matrix, expected, atol=2e-5, err_msg=address)
    finally:
        handle.remove()
    assert set(seen) == {3, 7}, "only a pattern has numbers for the tokens ahead"


@pytest.mark.parametrize("name", MODELS)
def test_the_softmax_of_attention_scores_is_the_pattern(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    explorer = Explorer(request.getfixturevalue(name), examples)
    for position, seen in (("a", 1), ("d", 4), ("g", 7)):
        scores = explorer.matrix(f"L1H2.attn_scores@{position}")
        pattern = explorer.matrix(f"L1H2.pattern@{position}")
        assert scores.shape == (60, seen)
        weights = torch.softmax(torch.from_numpy(scores), dim=1).numpy()
        np.testing.assert_allclose(weights, pattern[:, :seen], atol=1e-6)
        assert not pattern[:, seen:].any()


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_result_is_what_transformer_lens_gives_where_it_has_it(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    model.set_use_attn_result(True)
    try:
        _, cache = own_cache(model, examples.tokens)
    finally:
        model.set_use_attn_result(False)
    explorer = Explorer(model, examples)
    for layer, head, column, position in ((0, 0, 2, "c"), (1, 3, 6, "g")):
        stage = f"L{layer}H{head}.result@{position}"
        own = cache[f"blocks.{layer}.attn.hook_result"][:, column, head].numpy()
        np.testing.assert_allclose(explorer.vectors(stage), own, atol=2e-6)
        distances = np.linalg.norm(own.astype(np.float64) - own[5], axis=1)
        np.testing.assert_allclose(explorer.distances(stage, 5), distances, atol=2e-6)


def test_result_is_z_times_w_o_on_a_native_model(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, examples)
    z = explorer.matrix("L1H2.z@e")
    own = z @ native_model.blocks[1].attn.W_O[2].detach().numpy()
    np.testing.assert_allclose(explorer.vectors("L1H2.result@e"), own, atol=1e-6)
    assert explorer.matrix("L1H2.result@e").shape == z.shape


def test_the_basis_of_result_is_orthonormal(native_model: Any) -> None:
    _, basis = result_basis(native_model, 0, 1)
    np.testing.assert_allclose((basis @ basis.T).numpy(), np.eye(8), atol=1e-12)


def test_a_rotary_native_model_has_no_attention_scores(examples: Examples) -> None:
    model = make_native(positional_embedding_type="rotary", rotary_dim=8)
    kinds = {row.kind for row in model_stages(model, examples.positions).rows}
    assert "pattern" in kinds
    assert "attn_scores" not in kinds


def test_capture_stops_when_it_is_cancelled(native_model: Any, examples: Examples) -> None:
    stages = model_stages(native_model, examples.positions)
    seen: list[int] = []
    with pytest.raises(CaptureCancelledError):
        capture(
            native_model,
            examples.inputs,
            stages.select(kinds="z"),
            stages,
            batch_size=10,
            watch=Watch(lambda done, _: seen.append(done), lambda: len(seen) >= 3),
        )
    assert seen == [0, 10, 20]


def test_progress_runs_to_the_end(native_model: Any, examples: Examples) -> None:
    seen: list[tuple[int, int]] = []
    Explorer(native_model, examples, batch_size=25).capture(
        ["L0.attn_out@a"], progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(0, 60), (25, 60), (50, 60), (60, 60)]


def test_a_model_in_training_is_left_in_training(examples: Examples) -> None:
    model = make_native()
    model.train()
    Explorer(model, examples).matrix("L0.attn_out@a")
    assert model.training


def test_infinite_activations_name_stage_and_example(examples: Examples) -> None:
    model = make_native()
    with torch.no_grad():
        model.blocks[1].attn.o.original_component.bias[3] = float("inf")
    explorer = Explorer(model, examples)
    explorer.matrix("L0.attn_out@a")
    with pytest.raises(ValueError, match=r"stage L1.attn_out@b of example 0 holds NaN or infinity"):
        explorer.matrix("L1.attn_out@b")


def test_room_in_memory_is_asked_for_before_the_model_runs(
    native_model: Any, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        available = 1000

    monkeypatch.setattr(psutil, "virtual_memory", Full)
    with pytest.raises(MemoryError, match=r"1 stages of 60 examples need 0.0 GB"):
        Explorer(native_model, examples).matrix("L0.mlp_post@a")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (object(), "object lacks cfg, hook_dict, run_with_cache, run_with_hooks"),
        (torch.nn.Linear(2, 2), "boot_transformers"),
    ],
)
def test_a_model_without_the_surface_is_told_what_it_lacks(model: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        checked_model(model)


def test_tokens_that_the_model_cannot_read_are_named(native_model: Any) -> None:
    with pytest.raises(ValueError, match=r"token 50 is not in the model's vocabulary of 50"):
        Explorer(native_model, Examples(np.full((3, 4), VOCABULARY)))
    with pytest.raises(ValueError, match="13 tokens long, the model's context is 12"):
        Explorer(native_model, Examples(np.zeros((3, 13), int)))


def test_stages_of_layer_0_run_no_later_layer(native_model: Any, examples: Examples) -> None:
    ran: list[bool] = []
    hook = native_model.blocks[1].register_forward_hook(lambda *_: ran.append(True))
    Explorer(native_model, examples).matrix(Stage.parse("L0.resid_post@c"))
    hook.remove()
    assert not ran
