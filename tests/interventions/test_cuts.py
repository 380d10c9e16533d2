"""Each kind of edge cut alone, against the model's own modules and hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget import Examples, Explorer
from clusterwidget.core.edges import Edge
from tests.conftest import make_native

MODELS = ["native_model", "gpt2", "llama", "neox"]
EXAMPLE, POSITION, COLUMN = 5, "e", 4
LAST = 6
PARTS = ("resid_pre", "attn_out", "mlp_out")

Tensor = torch.Tensor


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


class Bench:
    """One example and what stands in for parts of it, worked out with run_with_cache alone."""

    def __init__(self, model: Any, examples: Examples) -> None:
        self.model = model
        self.explorer = Explorer(model, examples)
        self.all = torch.as_tensor(examples.tokens)
        self.tokens = self.all[EXAMPLE][None]
        with torch.no_grad():
            self.before, self.own = model.run_with_cache(self.tokens)
            _, self.others = model.run_with_cache(self.all)

    def mean(self, name: str) -> Tensor:
        mean: Tensor = self.others[name].double().mean(dim=0).float()
        return mean

    def run(self, *hooks: tuple[str, Callable[..., Any]]) -> Tensor:
        with torch.no_grad():
            logits: Tensor = self.model.run_with_hooks(self.tokens, fwd_hooks=list(hooks))
        return logits[0, LAST]

    def check(self, edge: str, logits: Tensor, **method: Any) -> None:
        """Compare what ablation says of an edge with the logits that there should be."""
        found = self.explorer.ablate(edge, EXAMPLE, **method).iloc[0]
        before = torch.log_softmax(self.before[0, LAST].double(), dim=-1)
        after = torch.log_softmax(logits.double(), dim=-1)
        said = int(before.argmax())
        assert found["probability"] == pytest.approx(float(before[said].exp()), rel=1e-5)
        assert found["loss"] == pytest.approx(float(before[said] - after[said]), abs=2e-5)
        assert found["kept_probability"] == pytest.approx(float(after[said].exp()), rel=1e-4)
        assert found["after"] == str(int(after.argmax()))
        assert abs(found["loss"]) > 1e-6

    def post(self, layer: int) -> dict[str, Tensor]:
        block = f"blocks.{layer}.hook_"
        return {name: self.own[block + name].clone() for name in PARTS}


def summed(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack([parts[name] for name in PARTS]).sum(dim=0)


def put(value: Tensor, *at: Any) -> Callable[..., Tensor]:
    def hook(activation: Tensor, hook: Any) -> Tensor:
        changed = activation.clone()
        changed[(slice(None), *at)] = value
        return changed

    return hook


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize(
    ("part", "source"),
    [("resid_pre", "residual"), ("attn_out", "attn_out"), ("mlp_out", "mlp_out")],
)
def test_what_is_summed_after_a_layer_lacks_one_part(
    model: Any, examples: Examples, layer: int, part: str, source: str
) -> None:
    bench = Bench(model, examples)
    parts, at = bench.post(layer), LAST if layer else COLUMN
    parts[part][0, at] = bench.mean(f"blocks.{layer}.hook_{part}")[at]
    logits = bench.run((f"blocks.{layer}.hook_resid_post", put(summed(parts)[:, at], at)))
    position = examples.positions[at]
    entering = f"L0.resid_post@{position}" if layer else f"embed@{position}"
    start = entering if source == "residual" else f"L{layer}.{source}@{position}"
    bench.check(f"{start} -> L{layer}.resid_post@{position}", logits)


@pytest.mark.parametrize("name", ["native_model", "gpt2", "llama"])
@pytest.mark.parametrize("part", ["resid_pre", "attn_out"])
def test_an_mlp_reads_one_part_less_and_the_stream_keeps_it(
    name: str, part: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    bench = Bench(model, examples)
    for layer, at in ((0, COLUMN), (1, LAST)):
        parts = bench.post(layer)
        mean = bench.mean(f"blocks.{layer}.hook_{part}")[at]
        other = "attn_out" if part == "resid_pre" else "resid_pre"
        read = (parts[other][0, at] + mean)[None, None]
        with torch.no_grad():
            block = model.blocks[layer]
            parts["mlp_out"][0, at] = block.mlp(block.ln2(read))[0, 0]
        logits = bench.run((f"blocks.{layer}.hook_resid_post", put(summed(parts)[:, at], at)))
        position = examples.positions[at]
        entering = f"L0.resid_post@{position}" if layer else f"embed@{position}"
        source = f"L{layer}.attn_out@{position}" if part == "attn_out" else entering
        bench.check(f"{source} -> L{layer}.mlp_out@{position}", logits)


def test_an_mlp_beside_the_attention_reads_the_stream_alone(neox: Any, examples: Examples) -> None:
    bench = Bench(neox, examples)
    mean = bench.mean("blocks.0.hook_mlp_out")[COLUMN]
    logits = bench.run(("blocks.0.hook_mlp_out", put(mean, COLUMN)))
    bench.check("embed@e -> L0.mlp_out@e", logits)
    with pytest.raises(
        ValueError, match=r"L0.mlp_out@e does not read L0.attn_out@e: in this model"
    ):
        bench.explorer.ablate("L0.attn_out@e -> L0.mlp_out@e", 0)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_head_that_adds_nothing_to_its_layer_brings_its_mean(
    model: Any, examples: Examples, layer: int
) -> None:
    bench, at = Bench(model, examples), LAST if layer else COLUMN
    mean = bench.mean(f"blocks.{layer}.attn.hook_z")[at, 2]
    logits = bench.run((f"blocks.{layer}.attn.hook_z", put(mean, at, 2)))
    position = examples.positions[at]
    bench.check(f"L{layer}H2.result@{position} -> L{layer}.attn_out@{position}", logits)


@pytest.mark.parametrize("layer", [0, 1])
def test_an_attention_edge_brings_what_it_brings_on_average(
    model: Any, examples: Examples, layer: int
) -> None:
    bench, at, head, source = Bench(model, examples), LAST if layer else COLUMN, 3, 1
    attention = f"blocks.{layer}.attn.hook_"

    def flow(cache: Any) -> Tensor:
        v = cache[attention + "v"]
        # Heads that share a value head stand side by side: two heads of four for each of two.
        own = head * v.shape[2] // 4
        weight: Tensor = cache[attention + "pattern"][:, head, at, source, None]
        brought: Tensor = weight * v[:, source, own]
        return brought

    z = bench.own[attention + "z"][:, at, head] - flow(bench.own)
    logits = bench.run((attention + "z", put(z + flow(bench.others).mean(dim=0), at, head)))
    position, seen = examples.positions[at], examples.positions[source]
    entering = f"L0.resid_post@{seen}" if layer else f"embed@{seen}"
    bench.check(f"{entering} -> L{layer}H3.result@{position}", logits)


@pytest.mark.parametrize("renormalize", [False, True])
def test_a_dropped_attention_edge_has_no_weight(
    model: Any, examples: Examples, renormalize: bool
) -> None:
    bench = Bench(model, examples)

    def without(pattern: Tensor, hook: Any) -> Tensor:
        changed = pattern.clone()
        changed[:, 1, LAST, 2] = 0
        if renormalize:
            changed[:, 1, LAST] /= changed[:, 1, LAST].sum(dim=-1, keepdim=True)
        return changed

    logits = bench.run(("blocks.1.attn.hook_pattern", without))
    edge = "L0.resid_post@c -> L1H1.result@g"
    bench.check(edge, logits, method="drop", renormalize=renormalize)


def test_resampling_puts_in_the_same_examples_one_after_another(
    model: Any, examples: Examples
) -> None:
    bench = Bench(model, examples)
    losses = []
    edge = "L0.attn_out@e -> L0.resid_post@e"
    table = bench.explorer.ablate(edge, EXAMPLE, method="resample", draws=59, seed=3)
    said = int(bench.before[0, LAST].argmax())
    for other in range(60):
        parts = bench.post(0)
        parts["attn_out"][0, COLUMN] = bench.others["blocks.0.hook_attn_out"][other, COLUMN]
        logits = bench.run(("blocks.0.hook_resid_post", put(summed(parts)[:, COLUMN], COLUMN)))
        losses.append(float(-torch.log_softmax(logits.double(), dim=-1)[said]))
    own = losses.pop(EXAMPLE)
    # With as many draws as there are others, each of them is drawn once.
    assert table["loss"].iloc[0] == pytest.approx(np.mean(losses) - own, abs=1e-5)


def test_edges_that_are_cut_together_are_all_cut(model: Any, examples: Examples) -> None:
    bench = Bench(model, examples)
    z = bench.own["blocks.0.attn.hook_z"].clone()
    means = bench.mean("blocks.0.attn.hook_z")
    z[:, COLUMN, 0], z[:, COLUMN, 2] = means[COLUMN, 0], means[COLUMN, 2]
    middle = bench.mean("blocks.1.hook_mlp_out")[LAST]
    logits = bench.run(
        ("blocks.0.attn.hook_z", put(z[:, COLUMN], COLUMN)),
        ("blocks.1.hook_mlp_out", put(middle, LAST)),
    )
    edges: list[Edge | str] = [
        "L0H0.result@e -> L0.attn_out@e",
        Edge.parse("L0H2.result@e -> L0.attn_out@e"),
        "L1.mlp_out@g -> L1.resid_post@g",
    ]
    found = bench.explorer.ablate(edges, EXAMPLE)
    after = torch.log_softmax(logits.double(), dim=-1)[int(bench.before[0, LAST].argmax())]
    assert found["kept_probability"].iloc[0] == pytest.approx(float(after.exp()), rel=1e-4)


def test_a_stage_gives_way_to_its_mean_or_to_others(model: Any, examples: Examples) -> None:
    bench = Bench(model, examples)
    mean = bench.mean("blocks.0.hook_resid_post")[COLUMN]
    bench.check("L0.resid_post@e", bench.run(("blocks.0.hook_resid_post", put(mean, COLUMN))))
    name = "blocks.1.attn.hook_z"
    bench.check("L1H2.result@g", bench.run((name, put(bench.mean(name)[LAST, 2], LAST, 2))))
    table = bench.explorer.ablate("L1H2.result@g", EXAMPLE, method="resample", draws=59)
    said = bench.before[0, LAST].argmax()
    tokens, chances = [], []
    for other in range(60):
        logits = bench.run((name, put(bench.others[name][other, LAST, 2], LAST, 2)))
        tokens.append(int(logits.argmax()))
        chances.append(float(torch.softmax(logits.double(), dim=-1)[said]))
    del tokens[EXAMPLE], chances[EXAMPLE]
    assert table["kept"].iloc[0] == pytest.approx(np.mean(np.array(tokens) == int(said)))
    assert table["kept_probability"].iloc[0] == pytest.approx(np.mean(chances), rel=1e-4)
    assert table["after"].iloc[0] == str(np.bincount(tokens).argmax())


def test_a_model_without_mlps_is_cut_all_the_same(examples: Examples) -> None:
    bench = Bench(make_native(attn_only=True), examples)
    stream, written = bench.own["blocks.1.hook_resid_pre"], bench.mean("blocks.1.hook_attn_out")
    value = stream[:, LAST] + written[LAST]
    logits = bench.run(("blocks.1.hook_resid_post", put(value, LAST)))
    bench.check("L1.attn_out@g -> L1.resid_post@g", logits)
    with pytest.raises(ValueError, match=r"no stage 'L1.mlp_out@g' here"):
        bench.explorer.ablate("L1.attn_out@g -> L1.mlp_out@g", 0)
