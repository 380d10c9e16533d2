"""Cuts: run one example many times, each time with some edges cut and stages replaced.

An edge is cut where it is read: what its source writes stays as it is for every other reader.
This is path patching between the parts of a transformer (Goldowsky-Dill et al., "Localizing model
behavior with path patching", 2023). Where a head looks stays the model's own choice; a cut
attention edge only replaces what the head brings from there, attention times value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from clusterwidget.core.edges import (
    ATTENTION,
    ATTENTION_OUT,
    HEAD,
    MLP_IN,
    MLP_OUT,
    RESIDUAL,
    Edge,
)
from clusterwidget.core.stages import Stage
from clusterwidget.interventions.prefix import Prefix
from clusterwidget.interventions.replacements import LayerParts, Nothing, Replacements
from clusterwidget.interventions.runs import Hook, Run, per_head
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.batch import Batch
from clusterwidget.model.hooks import Model, hook_name

Item = Edge | Stage
Tensor = torch.Tensor

_MLP_IN_RESIDUAL = "mlp in, residual"


def require_edges(model: Model) -> None:
    """Raise ValueError where a model's edges cannot be cut."""
    reason = anatomy(model).why_no_trace
    if reason is not None:
        raise ValueError(
            f"edges of this model cannot be cut, and so no answer traced: {reason}. Swaps, swap "
            "tests and the ablation of stages work here."
        )


class Cuts:
    """The edges that are cut and the stages that are replaced, in each of a number of runs.

    Parameters
    ----------
    bench : Workbench
    rows : int
    renormalize : bool
        Whether the attention that is left is scaled up to sum to 1.
    """

    def __init__(self, bench: Workbench, rows: int, *, renormalize: bool = False) -> None:
        self._bench = bench
        self.rows = rows
        self.renormalize = renormalize
        self._masks: dict[tuple[int | None, str], Tensor] = {}
        self.first: int = bench.examples.inputs.width
        """Index of the first token at which something is cut."""

    def cut(self, rows: slice, item: Item) -> None:
        """Cut an edge, or replace a stage for all its readers, in some rows."""
        column = self._bench.stage_set.column
        if isinstance(item, Stage):
            at = column(item)
            self.first = min(self.first, at)
            if item.kind == "result":
                self._mask(item.layer, HEAD)[rows, at, item.head] = True
            else:
                self._mask(item.layer, item.kind)[rows, at] = True
            return
        kind, layer, at = item.kind, item.layer, column(item.target)
        self.first = min(self.first, at)
        if kind == ATTENTION:
            mask = self._mask(layer, ATTENTION)
            mask[rows, item.target.head, at, column(item.source)] = True
        elif kind == HEAD:
            self._mask(layer, HEAD)[rows, at, item.source.head] = True
        elif kind == MLP_IN and item.source.kind != "attn_out":
            # An MLP beside the attention reads nothing else: what it writes is then all of it.
            reads_both = hook_name(self._bench.model, "resid_mid", layer) is not None
            self._mask(layer, _MLP_IN_RESIDUAL if reads_both else "mlp_out")[rows, at] = True
        else:
            self._mask(layer, kind)[rows, at] = True

    def there(self, layer: int | None, kind: str) -> Tensor | None:
        """Return the mask of what is cut, shape (rows, …), of a kind in a layer, or None."""
        return self._masks.get((layer, kind))

    @property
    def layers(self) -> set[int]:
        """The layers in which something is cut."""
        return {layer for layer, _ in self._masks if layer is not None}

    def _mask(self, layer: int | None, kind: str) -> Tensor:
        cfg, t = self._bench.model.cfg, self._bench.examples.inputs.width
        heads = int(cfg.n_heads)
        shape = {ATTENTION: (heads, t, t), HEAD: (t, heads)}.get(kind, (t,))
        if (layer, kind) not in self._masks:
            device = getattr(cfg, "device", None)
            self._masks[layer, kind] = torch.zeros(
                (self.rows, *shape), dtype=torch.bool, device=device
            )
        return self._masks[layer, kind]


@dataclass(frozen=True)
class Before:
    """An example before anything is cut, from which runs with something cut can start.

    Attributes
    ----------
    run : Run
    streams : sequence of torch.Tensor, shape (1, T, d_model)
        The residual stream that enters each layer.
    prefix : Prefix or None
        Keys and values of all layers: tokens before the first cut are not run then.
    """

    run: Run
    streams: Sequence[Tensor]
    prefix: Prefix | None


def run_cut(
    bench: Workbench,
    replacements: Replacements | Nothing,
    one: Batch,
    cuts: Cuts,
    before: Before | None = None,
    draws: Sequence[int] | None = None,
) -> Run:
    """Run one example, once for each row of the cuts and each replacement.

    Parameters
    ----------
    bench : Workbench
    replacements : Replacements or Nothing
        What is put in for what is cut.
    one : Batch
        Of the example.
    cuts : Cuts
    before : Before, optional
        Only the layers from the first one with a cut are run then.
    draws : sequence of int, optional
        Indices of the replacements that are put in; by default all.

    Returns
    -------
    Run
        Of replacements × rows, all rows of the first replacement first.
    """
    hooks: list[Hook] = []
    chosen = range(replacements.count) if draws is None else draws
    prefix, first = None, 0
    if before is not None and cuts.there(None, "embed") is None:
        prefix = before.prefix
        first = 0 if prefix is None else cuts.first
    for layer in sorted(cuts.layers):
        parts = replacements.layer(layer)
        if draws is not None or first:
            parts = parts.some(chosen, first)
        earlier = prefix.layers[layer][1][:, :, :first] if prefix is not None and first else None
        hooks += _LayerCuts(layer, cuts, parts, first, earlier).hooks(bench)
    absent = cuts.there(None, "embed")
    if absent is not None:
        name = hook_name(bench.model, "embed", None)
        embed = replacements.embed()[list(chosen)]
        assert name is not None
        hooks.append((name, lambda x, hook: _replaced(x, absent, embed)))
    rows = len(chosen) * cuts.rows
    if before is None or absent is not None:
        return bench.patcher.hooked(one.expand(rows), hooks)
    start = min(cuts.layers, default=bench.patcher.last)
    entering = before.streams[start].expand(rows, -1, -1)
    if prefix is None or not first:
        return bench.patcher.hooked(one.expand(rows), hooks, entering, start)
    return bench.patcher.hooked_after(
        one.expand(rows), hooks, entering[:, first:], start, first, prefix, before.run
    )


class _LayerCuts:
    """The hooks of one layer; later ones use the activations that earlier ones kept.

    Some models tell the pattern only after it was used. What changes in z is then added to what
    the attention wrote, where the MLP reads it and where the stream is summed up.
    """

    def __init__(
        self,
        layer: int,
        cuts: Cuts,
        replacements: LayerParts,
        first: int = 0,
        earlier: Tensor | None = None,
    ) -> None:
        self._first = first
        # The values of the tokens before the first one that is run, (1, heads, first, d_head).
        self._earlier = earlier
        self._block = f"blocks.{layer}"
        self._without_pattern: Tensor | None = None
        self._replacements = replacements
        self._layer, self._cuts = layer, cuts
        self._seen: dict[str, Tensor] = defaultdict(lambda: torch.zeros(()))

    def hooks(self, bench: Workbench) -> list[Hook]:
        block, there = self._block, bench.model.hook_dict
        hooks: list[Hook] = []
        if self._there(ATTENTION) is not None:
            attention = bench.model.blocks[self._layer].attn  # type: ignore[attr-defined]
            hooks += [
                (f"{block}.attn.hook_v", self._keep("v")),
                (f"{block}.attn.hook_pattern", self._told(attention.W_O)),
            ]
        hooks += [
            (f"{block}.hook_resid_pre", self._keep("resid_pre")),
            (f"{block}.attn.hook_z", self._z),
            (f"{block}.hook_attn_out", self._written("attn_out")),
        ]
        if f"{block}.hook_resid_mid" in there:
            hooks.append((f"{block}.hook_resid_mid", self._mlp_in))
        if f"{block}.hook_mlp_out" in there:
            hooks.append((f"{block}.hook_mlp_out", self._written("mlp_out")))
        return [*hooks, (f"{block}.hook_resid_post", self._resid_post)]

    def _there(self, kind: str) -> Tensor | None:
        mask = self._cuts.there(self._layer, kind)
        if mask is None:
            return None
        return mask[:, :, self._first :] if kind == ATTENTION else mask[:, self._first :]

    def _keep(self, name: str) -> Callable[..., None]:
        def keep(activation: Tensor, hook: Any) -> None:
            self._seen[name] = activation.clone()

        return keep

    def _z(self, z: Tensor, hook: Any) -> Tensor:
        if self._there(ATTENTION) is not None:
            if "pattern" in self._seen:
                z = self._brought(z)
            else:
                self._without_pattern = z.clone()
        return _replaced(z, self._there(HEAD), self._replacements.z)

    def _brought(self, z: Tensor) -> Tensor:
        """Return z with what is brought along the edges that are cut replaced."""
        absent = self._there(ATTENTION)
        assert absent is not None
        flow = self._replacements.flow.to(z)
        v = self._seen["v"]
        if self._earlier is not None:
            before = self._earlier.transpose(1, 2).expand(len(v), -1, -1, -1)
            v = torch.cat([before.to(v), v], dim=1)
        v = per_head(v, z.shape[2])
        pattern = self._seen["pattern"] * absent.repeat(len(flow), 1, 1, 1)
        own = torch.einsum("bhts,bshd->bthd", pattern, v)
        other = torch.einsum("bhts,rhtsd->rbthd", absent.to(z), flow)
        kept = z - own
        if self._cuts.renormalize:
            kept = kept / (1 - pattern.sum(dim=-1).transpose(1, 2)[..., None])
        return kept + other.reshape(z.shape)

    def _told(self, w_o: Tensor) -> Callable[..., None]:
        def told(pattern: Tensor, hook: Any) -> None:
            self._seen["pattern"] = pattern.clone()
            z = self._without_pattern
            if z is None:
                return
            change = self._brought(z) - z
            # What gives way as a whole does not change as well.
            heads, written = self._there(HEAD), self._there("attn_out")
            change = _replaced(change, heads, torch.zeros_like(self._replacements.z))
            added = torch.einsum("bthd,hdm->btm", change, w_o)
            added = _replaced(added, written, torch.zeros_like(self._replacements.attn_out))
            self._seen["attn_out"] = self._seen["attn_out"] + added

        return told

    def _written(self, name: str) -> Callable[..., Tensor]:
        def write(activation: Tensor, hook: Any) -> Tensor:
            changed = _replaced(activation, self._there(name), getattr(self._replacements, name))
            self._seen[name] = changed
            return changed

        return write

    def _mlp_in(self, read: Tensor, hook: Any) -> Tensor:
        attention, residual = self._there(MLP_IN), self._there(_MLP_IN_RESIDUAL)
        if attention is None and residual is None and self._without_pattern is None:
            return read
        return _replaced(
            self._seen["resid_pre"], residual, self._replacements.resid_pre
        ) + _replaced(self._seen["attn_out"], attention, self._replacements.attn_out)

    def _resid_post(self, stream: Tensor, hook: Any) -> Tensor:
        parts = ((RESIDUAL, "resid_pre"), (ATTENTION_OUT, "attn_out"), (MLP_OUT, "mlp_out"))
        cut = (*dict(parts), MLP_IN, _MLP_IN_RESIDUAL)
        if self._without_pattern is not None or any(self._there(k) is not None for k in cut):
            # On some models a change of what the MLP reads stays in the stream: hence a new sum.
            stream = sum(
                (
                    _replaced(
                        self._seen[name], self._there(kind), getattr(self._replacements, name)
                    )
                    for kind, name in parts
                ),
                start=torch.zeros((), device=stream.device),
            )
        return _replaced(stream, self._there("resid_post"), self._replacements.resid_post)


def _replaced(activation: Tensor, absent: Tensor | None, replacements: Tensor) -> Tensor:
    """Return an activation, replaced where `absent`.

    Shapes (replacements × rows, …), (rows, …) and (replacements, …).
    """
    if absent is None:
        return activation
    apart = activation.view(len(replacements), len(absent), *activation.shape[1:])
    return torch.where(absent[..., None], replacements[:, None].to(activation), apart).view_as(
        activation
    )
