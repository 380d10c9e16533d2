"""Attribution: what replacing a part would cost an answer, by a gradient instead of a run each.

What a replacement changes, times the gradient of the answer's log odds there: attribution patching
(Nanda, 2023), of edges as Syed et al., "Attribution patching outperforms automated circuit
discovery" (2023). A first-order estimate: it says in which order to try, never what is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.edges import ATTENTION, ATTENTION_OUT, HEAD, MLP_OUT, RESIDUAL, Edge
from clusterwidget.core.stages import Stage
from clusterwidget.interventions.patching import vector_index
from clusterwidget.interventions.replacements import Replacements
from clusterwidget.interventions.runs import per_head
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.batch import Batch
from clusterwidget.model.hooks import hook_name
from clusterwidget.model.running import evaluating, running

Tensor = torch.Tensor
Float64Array = npt.NDArray[np.float64]

_NAMES = {
    "resid_pre": "hook_resid_pre",
    "resid_mid": "hook_resid_mid",
    "resid_post": "hook_resid_post",
    "attn_out": "hook_attn_out",
    "mlp_out": "hook_mlp_out",
    "z": "attn.hook_z",
    "pattern": "attn.hook_pattern",
    "v": "attn.hook_v",
}


_EXAMPLES = 16
"""How many swaps an estimate is the mean of."""


def log_odds(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return the log odds of tokens, shape (…): unlike log p they never level off.

    Parameters
    ----------
    logits : torch.Tensor, shape (…, d_vocab)
    tokens : torch.Tensor of int64, shape (…)
    """
    own = logits.gather(-1, tokens[..., None])[..., 0]
    others = logits.scatter(-1, tokens[..., None], -torch.inf)
    return own - torch.logsumexp(others, dim=-1)


def gradients(
    bench: Workbench,
    batch: Batch,
    names: Sequence[str],
    readout: Callable[[Tensor], Tensor],
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what hooks hold, and the gradient of a number there: one run forward, one backward.

    Parameters
    ----------
    bench : Workbench
    batch : Batch
    names : sequence of str
        Of hooks.
    readout : function of logits, shape (batch, answers, d_vocab)
        Returns a number.

    Returns
    -------
    dict of str to (activation, gradient)
        Hooks that do not fire are missing; the gradient is 0 where nothing depends on it.
    """
    held: dict[str, tuple[Tensor, Tensor]] = {}

    def leaf(name: str) -> Callable[..., Tensor]:
        def add(activation: Tensor, hook: Any) -> Tensor:
            zero = torch.zeros_like(activation, requires_grad=True)
            held[name] = (activation.detach().clone(), zero)
            return activation + zero

        return add

    model: Any = bench.model
    index = batch.several(bench.patcher.columns)
    hooks = [(name, leaf(name)) for name in names]
    with torch.enable_grad(), running(model), evaluating(model):
        logits = bench.patcher.logits(batch, hooks, index)
        leaves = [zero for _, zero in held.values()]
        if not leaves:
            return {}
        found = torch.autograd.grad(readout(logits), leaves, allow_unused=True)
    return {
        name: (own, torch.zeros_like(own) if gradient is None else gradient)
        for (name, (own, _)), gradient in zip(held.items(), found, strict=True)
    }


class EdgeCosts:
    """What cutting an edge would cost one answer of an example, with each replacement.

    Parameters
    ----------
    bench : Workbench
    replacements : Replacements
    one : Batch
        Of the example.
    at : int
        Index of the answer.
    token : int
        What the model answers.
    """

    def __init__(
        self, bench: Workbench, replacements: Replacements, one: Batch, at: int, token: int
    ) -> None:
        self._bench, self._replacements = bench, replacements
        there = bench.model.hook_dict
        self._names = {
            (layer, short): f"blocks.{layer}.{name}"
            for layer in range(bench.patcher.last + 1)
            for short, name in _NAMES.items()
            if f"blocks.{layer}.{name}" in there
        }
        asked = torch.tensor([token], device=one.tokens.device)
        self._seen: Mapping[str, tuple[Tensor, Tensor]] = gradients(
            bench,
            one,
            list(dict.fromkeys(self._names.values())),
            lambda logits: log_odds(logits[:, at].float(), asked).sum(),
        )
        self._layers: dict[int, dict[str, Tensor]] = {}

    def of(self, edge: Edge) -> Float64Array:
        """Return the log odds that the answer would lose, shape (replacements,)."""
        costs = self._layer(edge.layer)
        column, kind = self._bench.stage_set.column, edge.kind
        at = column(edge.target)
        if kind == ATTENTION:
            found = costs[ATTENTION][:, edge.target.head, at, column(edge.source)]
        elif kind == HEAD:
            found = costs[HEAD][:, at, edge.source.head]
        elif kind in (RESIDUAL, ATTENTION_OUT, MLP_OUT):
            found = costs[kind][:, at]
        else:
            found = costs[f"mlp reads {edge.source.kind == 'attn_out'}"][:, at]
        return found.double().cpu().numpy()

    def _layer(self, layer: int) -> dict[str, Tensor]:
        if layer not in self._layers:
            self._layers[layer] = self._costs(layer)
        return self._layers[layer]

    def _costs(self, layer: int) -> dict[str, Tensor]:
        parts = self._replacements.layer(layer)

        def both(name: str) -> tuple[Tensor, Tensor] | None:
            known = self._seen.get(self._names.get((layer, name), ""))
            return None if known is None else (known[0][0].float(), known[1][0].float())

        def lost(gradient: Tensor, own: Tensor, other: Tensor) -> Tensor:
            return (gradient * (own - other.float())).sum(dim=-1)

        pre, post, z = (both(name) for name in ("resid_pre", "resid_post", "z"))
        attn, mlp, mid = (both(name) for name in ("attn_out", "mlp_out", "resid_mid"))
        assert pre is not None
        assert post is not None
        assert z is not None
        assert attn is not None
        found = {
            RESIDUAL: lost(post[1], pre[0], parts.resid_pre),
            ATTENTION_OUT: lost(post[1], attn[0], parts.attn_out),
            HEAD: lost(z[1], z[0], parts.z),
        }
        pattern, v = both("pattern"), both("v")
        if pattern is not None and v is not None:
            values = per_head(v[0][None], z[0].shape[1])[0]
            flow = torch.einsum("hts,shd->htsd", pattern[0], values)
            found[ATTENTION] = lost(z[1].transpose(0, 1)[:, :, None], flow, parts.flow)
        if mlp is not None:
            found[MLP_OUT] = lost(post[1], mlp[0], parts.mlp_out)
            found["mlp reads False"] = (
                lost(mlp[1], mlp[0], parts.mlp_out)
                if mid is None
                else lost(mid[1], pre[0], parts.resid_pre)
            )
            if mid is not None:
                found["mlp reads True"] = lost(mid[1], attn[0], parts.attn_out)
        return found


def stage_costs(bench: Workbench, stages: Sequence[Stage], seed: int = 0) -> dict[Stage, float]:
    """Return what another example's vector at each stage would cost the answers, estimated.

    Parameters
    ----------
    bench : Workbench
    stages : sequence of Stage
    seed : int
        Of the examples: 16, each with another one's vector.

    Returns
    -------
    dict of Stage to float
        In nats of log odds: the mean over the examples, of the answer that loses most.
    """
    n = len(bench.examples)
    rows = np.random.default_rng([seed, 6]).choice(n, min(n, _EXAMPLES), replace=False)
    batch = bench.batch(rows)
    carriers = {stage: bench.patcher.carrier(stage) for stage in stages}
    names = {
        carrier: hook_name(bench.model, carrier.kind, carrier.layer)
        for carrier in carriers.values()
    }
    asked = [name for name in dict.fromkeys(names.values()) if name is not None]
    found = dict.fromkeys(stages, 0.0)
    for at, question in enumerate(bench.answers):

        def readout(logits: Tensor, at: int = at) -> Tensor:
            own = logits[:, at].float()
            return log_odds(own, own.argmax(dim=-1)).sum()

        seen = gradients(bench, batch, asked, readout)
        for stage, carrier in carriers.items():
            column = bench.column(stage)
            held = seen.get(names[carrier] or "")
            if held is None or not question.reached_from(column):
                continue
            index = vector_index(bench.stage_set, carrier, batch.index(column))
            own, gradient = (tensor[index].float() for tensor in held)
            lost = (gradient * (own - own.roll(1, dims=0))).sum(dim=-1).abs().mean()
            found[stage] = max(found[stage], float(lost))
    return found
