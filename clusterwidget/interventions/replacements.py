"""Replacements: activations of other examples, put in for what is cut.

Their mean, for mean ablation, or those of single examples, for resample ablation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.watch import Watch
from clusterwidget.interventions.alignment import Alignment
from clusterwidget.interventions.runs import Hook, per_head
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.hooks import hook_name
from clusterwidget.model.padding import mask_of, parts_of
from clusterwidget.model.running import evaluating, running

Ints = npt.NDArray[np.int64]
Tensor = torch.Tensor

_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class LayerParts:
    """The activations of one layer, in each of a number of replacements.

    Attributes
    ----------
    z : torch.Tensor, shape (replacements, T, heads, d_head)
    flow : torch.Tensor, shape (replacements, heads, T, T, d_head)
        What a head brings from each position (second T) to each (first T): attention times value.
    attn_out, mlp_out, resid_pre, resid_post : torch.Tensor, shape (replacements, T, d_model)
        `mlp_out` is zeros where there is no MLP.
    """

    z: Tensor
    flow: Tensor
    attn_out: Tensor
    mlp_out: Tensor
    resid_pre: Tensor
    resid_post: Tensor

    def some(self, draws: Sequence[int], first: int) -> LayerParts:
        """Return those of some replacements, from the token with the index `first` on."""
        rows = list(draws)
        return LayerParts(
            z=self.z[rows, first:],
            flow=self.flow[rows, :, first:],
            attn_out=self.attn_out[rows, first:],
            mlp_out=self.mlp_out[rows, first:],
            resid_pre=self.resid_pre[rows, first:],
            resid_post=self.resid_post[rows, first:],
        )


class Replacements:
    """The activations of some examples, one replacement each, or their mean, as one.

    Layers are run together as far as a bound on memory allows, and the latest are kept.

    Parameters
    ----------
    bench : Workbench
    examples : numpy.ndarray of int
    averaged : bool
    """

    def __init__(self, bench: Workbench, examples: Ints, *, averaged: bool) -> None:
        self.examples = examples
        self.averaged = averaged
        self.count = 1 if averaged else len(examples)
        self._bench = bench
        self._layers: OrderedDict[int, LayerParts] = OrderedDict()
        self._embed: Tensor | None = None
        cfg, t = bench.model.cfg, bench.examples.inputs.width
        bytes_of_one = 8 * self.count * int(cfg.n_heads) * t * t * int(cfg.d_head)
        self._at_once = max(1, _MOST_BYTES // bytes_of_one)

    def layer(self, layer: int, watch: Watch | None = None) -> LayerParts:
        """Return a layer's activations; runs the examples once where they are not held."""
        if layer not in self._layers:
            # Traces go from the last layer down: those below are asked for next.
            first = max(0, layer - self._at_once + 1)
            self._layers.update(self._run(range(first, layer + 1), watch or Watch()))
            while len(self._layers) > self._at_once:
                self._layers.popitem(last=False)
        return self._layers[layer]

    def embed(self) -> Tensor:
        """Return the embeddings, shape (replacements, T, d_model)."""
        if self._embed is None:
            self.layer(0)
        assert self._embed is not None
        return self._embed

    def _run(self, layers: range, watch: Watch) -> dict[int, LayerParts]:
        bench = self._bench
        patcher = bench.patcher
        inputs = bench.donors[self.examples]
        size = patcher.batch_size(inputs.width)
        seen = _Seen(averaged=self.averaged)
        embed = hook_name(bench.model, "embed", None)
        assert embed is not None
        hooks: list[Hook] = [(embed, seen.part(None, "embed"))]
        for layer in layers:
            hooks += _layer_hooks(seen, layer, bench.model.hook_dict)
        if len(parts_of(bench.model, patcher.batch(inputs))) > 1:
            size = 1
        stop = None if layers[-1] == patcher.last else layers[-1] + 1
        with torch.no_grad(), evaluating(bench.model):
            for start in range(0, len(inputs), size):
                part = inputs[start : start + size]
                seen.alignment = bench.aligned(part)
                batch = patcher.batch(part)
                mask = mask_of(bench.model, batch)
                told = {} if mask is None else {"attention_mask": mask}
                with running(bench.model):
                    bench.model.run_with_hooks(
                        batch.tokens, fwd_hooks=hooks, stop_at_layer=stop, **told
                    )
                watch.step(min(start + size, len(inputs)), len(inputs))
        activations = seen.result(len(inputs))
        self._embed = activations[None, "embed"]
        return {layer: _parts(activations, layer) for layer in layers}


class Nothing:
    """Zeros, for attention that is dropped: as though nothing had been brought.

    Parameters
    ----------
    bench : Workbench
    """

    count = 1

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def layer(self, layer: int) -> LayerParts:
        """Return a layer's activations, all 0."""
        known, t = anatomy(self._bench.model), self._bench.examples.inputs.width
        device = getattr(self._bench.model.cfg, "device", None)
        heads, width = known.heads["z", layer], known.widths["z", layer]
        z = torch.zeros(1, 1, 1, 1, device=device).expand(1, t, heads, width)
        stream = torch.zeros(1, 1, 1, device=device).expand(1, t, known.widths["resid_post", layer])
        flow = z[:, :, None].transpose(1, 3).expand(1, heads, t, t, width)
        return LayerParts(z, flow, stream, stream, stream, stream)

    def embed(self) -> Tensor:
        """Return the embeddings, all 0."""
        return self.layer(0).resid_pre


class _Seen:
    """Collects activations of batches: summed up, or one after another."""

    def __init__(self, *, averaged: bool) -> None:
        self.averaged = averaged
        self.alignment: Alignment | None = None
        self._seen: dict[tuple[int | None, str], list[Tensor]] = {}

    def add_flow(self, layer: int, pattern: Tensor, v: Tensor) -> None:
        """Add attention times value, of shapes (batch, heads, T, T) and (batch, T, heads, d)."""
        if self.alignment is None:
            if self.averaged:
                self._add(layer, "flow", torch.einsum("bhts,bshd->htsd", pattern, v)[None])
            else:
                self._add(layer, "flow", torch.einsum("bhts,bshd->bhtsd", pattern, v))
            return
        shares = torch.as_tensor(self.alignment.shares[:, :, : v.shape[1]]).to(v)
        points = torch.as_tensor(self.alignment.points, device=v.device)
        # One example after another: all of them at once take T times as much memory.
        for row, one in enumerate(points):
            flow = torch.einsum("htu,uhd->htud", pattern[row][:, one], v[row])
            self._add(layer, "flow", torch.einsum("htud,su->htsd", flow, shares[row])[None])

    def add(self, layer: int | None, name: str, activation: Tensor) -> None:
        """Add an activation of shape (batch, T, …)."""
        if self.alignment is not None:
            points = torch.as_tensor(self.alignment.points, device=activation.device)
            activation = activation[
                torch.arange(len(points), device=points.device)[:, None], points
            ]
        self._add(layer, name, activation)

    def _add(self, layer: int | None, name: str, activation: Tensor) -> None:
        kept = self._seen.setdefault((layer, name), [])
        if not self.averaged:
            kept.append(activation.clone())
            return
        total = activation.sum(dim=0, keepdim=True, dtype=torch.float64)
        self._seen[layer, name] = [total + kept[0] if kept else total]

    def part(self, layer: int | None, name: str) -> Callable[..., None]:
        def keep(activation: Tensor, hook: Any) -> None:
            self.add(layer, name, activation)

        return keep

    def result(self, n: int) -> dict[tuple[int | None, str], Tensor]:
        if self.averaged:
            return {key: (sums[0] / n).float() for key, sums in self._seen.items()}
        return {key: torch.cat(parts) for key, parts in self._seen.items()}


def _parts(activations: Mapping[tuple[int | None, str], Tensor], layer: int) -> LayerParts:
    names = ("z", "flow", "attn_out", "mlp_out", "resid_pre", "resid_post")
    nothing = torch.zeros_like(activations[layer, "attn_out"])
    return LayerParts(*(activations.get((layer, name), nothing) for name in names))


def _layer_hooks(seen: _Seen, layer: int, there: Any) -> list[Hook]:
    block = f"blocks.{layer}"
    latest: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def write(activation: Tensor, hook: Any) -> None:
            latest[name] = activation

        return write

    def add_flow(pattern: Tensor, hook: Any) -> None:
        seen.add_flow(layer, pattern, per_head(latest.pop("v"), pattern.shape[1]))

    names = {name: f"{block}.hook_{name}" for name in ("attn_out", "mlp_out", "resid_pre")}
    names |= {"z": f"{block}.attn.hook_z", "resid_post": f"{block}.hook_resid_post"}
    return [
        (f"{block}.attn.hook_v", keep("v")),
        (f"{block}.attn.hook_pattern", add_flow),
        *((hook, seen.part(layer, name)) for name, hook in names.items() if hook in there),
    ]


def other_examples(n: int, example: int, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Return so many random examples other than one, different ones where there are enough."""
    rng = np.random.default_rng([seed, example])
    drawn = rng.choice(n - 1, size=draws, replace=draws > n - 1)
    others: npt.NDArray[np.int64] = (example + 1 + drawn) % n
    return others
