"""Every family that TransformerBridge boots: right throughout, or refused in words."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget import Answer, Examples, Explorer, Stage
from clusterwidget.core.edges import Edge
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.hooks import hook_name
from clusterwidget.model.lazy import ModelNotLoadedError
from clusterwidget.model.running import threads
from tests import families
from tests.conftest import make_native

TRACED = [
    *("gpt2", "llama", "neox", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "mistral", "mixtral"),
    *("phi", "phi3", "bloom", "opt", "gptj", "gptneo", "falcon", "olmo", "cohere", "granite"),
    "gptoss",
]
PATTERN_IS_LATE = ["opt", "gptj", "gptneo", "bert"]
NOT_TRACED = ["bert", "mamba", "jamba"]
LOUDER = 6.0
EXAMPLE, DONOR, COLUMN, LAST = 3, 5, 4, 6
TOKENS = np.random.default_rng(0).integers(0, families.VOCABULARY - 2, (20, 7))

Tensor = torch.Tensor
Hook = tuple[str, Callable[..., Any]]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with threads(1):
        yield


@functools.cache
def explored(family: str, dtype: torch.dtype = torch.float32) -> Explorer:
    """Return an explorer of a family's model; not to be changed."""
    # Half precision's rounding would be multiplied as well.
    louder = LOUDER if dtype == torch.float32 else 2.0
    made = families.hugging_face(family, louder=louder).to(dtype)
    model = families.bridged(families.name_of(family), made)
    return Explorer(model, Examples(TOKENS, positions=list("abcdefg")))


@functools.cache
def own_run(family: str) -> tuple[Tensor, Any]:
    """Return the logits and the cache that TransformerLens itself gives."""
    with torch.no_grad():
        logits, cache = explored(family).model.run_with_cache(torch.as_tensor(TOKENS))  # type: ignore[union-attr]
    return logits, cache


def hooked(family: str, *hooks: Hook) -> Tensor:
    """Return the last logits of the example under hooks, without this project's code."""
    model: Any = explored(family).model
    with torch.no_grad():
        logits: Tensor = model.run_with_hooks(
            torch.as_tensor(TOKENS[EXAMPLE][None]), fwd_hooks=list(hooks)
        )
    return logits[0, LAST]


def put(value: Tensor, *at: Any) -> Callable[..., Tensor]:
    def hook(activation: Tensor, hook: Any) -> Tensor:
        changed = activation.clone()
        changed[(slice(None), *at)] = value
        return changed

    return hook


def brought(family: str, row: int) -> Tensor:
    """Return what L0H1 brings from d to e, attention times value, shape (d_head,)."""
    cache = own_run(family)[1]
    v = cache["blocks.0.attn.hook_v"][row, 3]
    own = v.shape[0] // cache["blocks.0.attn.hook_z"].shape[2]
    found: Tensor = cache["blocks.0.attn.hook_pattern"][row, 1, COLUMN, 3] * v[own]
    return found


@pytest.mark.parametrize("family", [*TRACED, *NOT_TRACED, "openaigpt"])
def test_stages_are_what_transformer_lens_caches(family: str) -> None:
    explorer = explored(family)
    model: Any = explorer.model
    logits, cache = own_run(family)
    stages = explorer.stages(positions=["c", "g"])
    explorer.capture(stages)
    assert stages
    for stage in stages:
        column = "abcdefg".index(stage.position)
        if stage.kind == "logits":
            expected = logits[:, column]
        elif stage.kind == "result":
            z = cache[f"blocks.{stage.layer}.attn.hook_z"][:, column, stage.head]
            expected = z @ model.blocks[stage.layer].attn.W_O[stage.head]
        elif stage.kind == "attn_scores":
            # Compared by the pattern that they lead to: hooks of scores may hold something else.
            pattern = cache[f"blocks.{stage.layer}.attn.hook_pattern"][:, stage.head, column]
            scores = explorer.matrix(stage)
            assert_leads_to(scores, pattern[:, : scores.shape[1]])
            continue
        else:
            at = hook_name(model, stage.kind, stage.layer)
            activation = cache[at]
            if stage.kind == "pattern":
                expected = activation[:, stage.head, column]
            else:
                expected = activation[:, column]
                expected = expected if stage.head is None else expected[:, stage.head]
        found = explorer.vectors(stage)
        wanted = expected.detach().numpy()
        np.testing.assert_allclose(
            found, wanted, atol=1e-5 * np.abs(wanted).max(), err_msg=str(stage)
        )


def assert_leads_to(scores: np.ndarray, pattern: Tensor) -> None:
    """Hold the softmax of scores against a pattern, over what it sees; sinks take a share of it."""
    seen = pattern > 0
    weights = torch.softmax(torch.from_numpy(scores).masked_fill(~seen, -torch.inf), dim=-1)
    shares = pattern / pattern.sum(dim=-1, keepdim=True)
    np.testing.assert_allclose(weights, shares.detach(), atol=1e-5)


@pytest.mark.parametrize("family", [*TRACED, *NOT_TRACED])
def test_a_swap_is_what_hooks_give(family: str) -> None:
    explorer, (_, cache) = explored(family), own_run(family)
    kinds = {row.kind for row in explorer.stage_set.rows}
    assert {"embed", "resid_pre", "resid_post"} <= kinds
    addresses = {
        "embed": "embed@e",
        "resid_pre": "L1.resid_pre@e",
        "v": "L1H0.v@e",
        "z": "L1H2.z@e",
        "attn_out": "L1.attn_out@g",
        "mlp_post": "L0.mlp_post@e",
        "mlp_out": "L0.mlp_out@e",
        "resid_post": "L0.resid_post@e",
    }
    for kind in addresses.keys() & kinds:
        stage = Stage.parse(addresses[kind])
        name = hook_name(explorer.model, kind, stage.layer)  # type: ignore[arg-type]
        where: tuple[Any, ...] = ("abcdefg".index(stage.position),)
        if stage.head is not None:
            where = (*where, stage.head)
        logits = hooked(family, (str(name), put(cache[name][(DONOR, *where)], *where)))
        assert_swapped(explorer, stage, logits)
    if "pattern" in kinds:
        weights = cache["blocks.1.attn.hook_pattern"][DONOR, 2, COLUMN]
        v = cache["blocks.1.attn.hook_v"][EXAMPLE]
        z = weights @ v[:, 2 * v.shape[1] // cache["blocks.1.attn.hook_z"].shape[2]]
        logits = hooked(family, ("blocks.1.attn.hook_z", put(z, COLUMN, 2)))
        assert_swapped(explorer, Stage.parse("L1H2.pattern@e"), logits)


def assert_swapped(explorer: Explorer, stage: Stage, logits: Tensor) -> None:
    row = explorer.swap(stage, EXAMPLE, DONOR).table.iloc[0]
    chances = torch.softmax(logits.float(), dim=-1)
    assert row["after_probability"] == pytest.approx(float(chances.max()), rel=1e-4), stage
    assert row["after"] == str(int(chances.argmax()))


@pytest.mark.parametrize("family", TRACED)
def test_an_attention_edge_brings_what_it_brings_on_average(family: str) -> None:
    explorer, (before, cache) = explored(family), own_run(family)
    edge = "embed@d -> L0H1.result@e"
    said = int(before[EXAMPLE, LAST].argmax())
    z = cache["blocks.0.attn.hook_z"][EXAMPLE, COLUMN, 1] - brought(family, EXAMPLE)
    mean = torch.stack([brought(family, row) for row in range(len(TOKENS))]).mean(dim=0)
    left = 1 - cache["blocks.0.attn.hook_pattern"][EXAMPLE, 1, COLUMN, 3]
    methods: list[tuple[dict[str, Any], Tensor]] = [
        ({}, z + mean),
        ({"method": "drop"}, z),
        ({"method": "drop", "renormalize": True}, z / left),
    ]
    for method, changed in methods:
        logits = hooked(family, ("blocks.0.attn.hook_z", put(changed, COLUMN, 1)))
        chance = float(torch.softmax(logits, dim=-1)[said])
        found = explorer.ablate(edge, EXAMPLE, **method)["kept_probability"].item()
        assert found == pytest.approx(chance, rel=1e-4), method


@pytest.mark.parametrize("family", TRACED)
def test_an_answer_stays_with_all_edges_cut_that_its_trace_prunes(family: str) -> None:
    explorer = explored(family)
    trace = explorer.trace(EXAMPLE, "next", draws=1)
    pruned = trace.edges[~trace.edges["kept"]]
    assert len(pruned)
    edges = [
        Edge.parse(f"{source} -> {target}")
        for source, target in zip(pruned["source"], pruned["target"], strict=True)
    ]
    table = explorer.ablate(edges, EXAMPLE, method="resample", draws=1)
    assert table["kept"].iloc[0] == 1
    assert table["kept_probability"].iloc[0] == pytest.approx(trace.kept_probability, rel=1e-3)


@pytest.mark.parametrize("family", [*TRACED, *NOT_TRACED])
def test_the_lens_at_the_end_is_the_model(family: str) -> None:
    table = explored(family).lens("L1.resid_post@g", EXAMPLE, top=3)
    expected = torch.softmax(own_run(family)[0][EXAMPLE, LAST], dim=-1).sort(descending=True)
    assert table["token"].tolist() == expected.indices[:3].tolist()
    np.testing.assert_allclose(table["probability"], expected.values[:3], rtol=1e-4)


@pytest.mark.parametrize("family", PATTERN_IS_LATE)
def test_the_pattern_is_told_late(family: str) -> None:
    assert anatomy(explored(family).model).late_patterns == {0, 1}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "reason"),
    [
        ("bert", "what leaves layer 0 is not the sum of what entered it"),
        ("mamba", "layer 0 has no attention heads"),
        ("jamba", "layer 0 has no attention heads"),
    ],
)
def test_what_cannot_be_traced_is_refused_in_words(family: str, reason: str) -> None:
    explorer = explored(family)
    with pytest.raises(ValueError, match=f"edges of this model cannot be cut.*{reason}"):
        explorer.trace(EXAMPLE, "next")
    if family == "bert":
        with pytest.raises(ValueError, match=reason):
            explorer.ablate("embed@c -> L0H1.result@e", EXAMPLE)


def test_a_model_with_an_encoder_and_a_decoder_is_refused_at_the_door() -> None:
    with pytest.raises(TypeError, match="T5ForConditionalGeneration has an encoder and a decoder"):
        Explorer(families.booted("t5"), Examples(TOKENS))


def test_what_transformer_lens_refuses_comes_through_as_it_is() -> None:
    made = families.hugging_face("falcon")
    made.config.architectures = None

    def load() -> Any:
        return families.bridged("tiiuae/falcon-7b", made)

    with pytest.raises(ValueError, match="Could not determine supported architecture") as own:
        load()
    with pytest.raises(ModelNotLoadedError) as ours:
        Explorer(load, Examples(TOKENS)).stages()
    assert str(own.value)[:60] in str(ours.value)


def test_in_bert_swaps_reach_positions_before() -> None:
    explorer, cache = explored("bert"), own_run("bert")[1]
    asked = Examples(
        TOKENS, positions=list("abcdefg"), answers=[Answer("first", "a", TOKENS[:, 0])]
    )
    name = "blocks.0.hook_resid_post"
    model: Any = explorer.model
    with torch.no_grad():
        logits = model.run_with_hooks(
            torch.as_tensor(TOKENS[EXAMPLE][None]),
            fwd_hooks=[(name, put(cache[name][DONOR, LAST], LAST))],
        )[0, 0]
    found = Explorer(model, asked).swap("L0.resid_post@g", EXAMPLE, DONOR).table
    assert found["reached"].all()
    chance = float(torch.softmax(logits, dim=-1).max())
    assert found["after_probability"].item() == pytest.approx(chance, rel=1e-4)
    before = torch.softmax(own_run("bert")[0][EXAMPLE, 0], dim=-1).max()
    assert abs(chance - float(before)) > 1e-4
    with pytest.raises(ValueError, match="not added to the residual stream as it is: in this"):
        explorer.lens("L0.attn_out@e", EXAMPLE)


def test_experts_have_no_neurons_and_widths_are_the_hooks_own() -> None:
    kinds = {row.kind for row in explored("mixtral").stage_set.rows}
    assert not kinds & {"mlp_pre", "mlp_post"}
    assert "mlp_out" in kinds
    assert explored("opt").matrix("L0.mlp_post@c").shape == (20, 48)


def test_heads_do_not_add_up_where_a_norm_follows_them() -> None:
    for family in ("gemma2", "gemma3"):
        with pytest.raises(
            ValueError, match=r"L1H1.result@g is not added to .* Read L1.attn_out@g"
        ):
            explored(family).lens("L1H1.result@g", EXAMPLE)


def test_what_a_window_hides_has_no_score() -> None:
    scores = explored("mistral").matrix("L0H1.attn_scores@g")
    assert scores.shape == (20, 7)
    assert not scores[:, :3].any()
    assert np.abs(scores[:, 3:]).max() < 100


def test_a_hook_that_never_fires_is_no_stage() -> None:
    explorer = explored("openaigpt")
    assert "blocks.1.hook_resid_post" in explorer.model.hook_dict  # type: ignore[union-attr]
    assert "resid_post" not in {row.kind for row in explorer.stage_set.rows}
    with pytest.raises(ValueError, match=r"lists blocks.1.hook_resid_post and never runs it"):
        explorer.swap("L0.attn_out@c", EXAMPLE, DONOR)


def test_a_direction_that_is_not_the_models_own_is_named() -> None:
    model = make_native(attention_dir="bidirectional")
    model.cfg.attention_dir = "causal"
    with pytest.raises(ValueError, match=r"set model.cfg.attention_dir = 'bidirectional'"):
        Explorer(model, Examples(TOKENS))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", ["llama", "gpt2", "opt", "mamba", "bert"])
def test_half_precision_works_throughout(family: str, dtype: torch.dtype) -> None:
    explorer = explored(family, dtype)
    model: Any = explorer.model
    with torch.no_grad():
        logits, cache = model.run_with_cache(torch.as_tensor(TOKENS))
    name = "blocks.0.hook_resid_post"
    captured = explorer.matrix("L0.resid_post@e")
    assert captured.dtype == np.float32
    np.testing.assert_array_equal(captured, cache[name][:, COLUMN].float())
    np.testing.assert_array_equal(explorer.matrix("logits@g"), logits[:, LAST].float())
    lens = explorer.lens("L1.resid_post@g", EXAMPLE, top=50).set_index("token")["probability"]
    own = torch.softmax(logits[EXAMPLE, LAST].float(), dim=-1)
    np.testing.assert_allclose(lens.sort_index(), own, atol=2e-3)
    with torch.no_grad():
        swapped = model.run_with_hooks(
            torch.as_tensor(TOKENS[EXAMPLE][None]),
            fwd_hooks=[(name, put(cache[name][DONOR, COLUMN], COLUMN))],
        )[0, LAST]
    found = explorer.swap("L0.resid_post@e", EXAMPLE, DONOR).table["after_probability"].item()
    assert found == pytest.approx(float(torch.softmax(swapped.float(), dim=-1).max()), rel=2e-2)
    if family in TRACED:
        trace = explorer.trace(EXAMPLE, "next", draws=1)
        assert trace.kept_probability > 0.5 * trace.probability
        assert explorer.lens("L1.attn_out@g", EXAMPLE)["contribution"].notna().all()
    assert str(dtype).removeprefix("torch.") in repr(explorer)


def test_an_overflow_names_where_it_comes_up() -> None:
    made = families.hugging_face("llama", louder=LOUDER).to(torch.float16)
    made.model.layers[1].mlp.up_proj.weight.data *= 20
    made.model.layers[1].mlp.down_proj.weight.data.fill_(6e4)
    explorer = Explorer(families.bridged("tiny-llama", made), Examples(TOKENS))
    place = "in float16 the model overflows at L1.mlp_out"
    with pytest.raises(ValueError, match=rf"stage logits@6 of example \d+ holds NaN.*: {place}"):
        explorer.matrix("logits@6")
    with pytest.raises(ValueError, match=f"answers of a run are NaN or infinity: {place}"):
        explorer.swap("L0.resid_post@2", EXAMPLE, DONOR)
