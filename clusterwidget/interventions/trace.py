"""Trace: prune the edges that an answer does not need, from the last layer down.

Edges that can be cut without changing the answer are cut together, as many as possible, until each
that is left matters. This is automated circuit discovery (Conmy et al., 2023) for a single example.
A cut edge carries what it carries in another example, the same one for all edges that are cut in a
run, and the answer must stay with each of these examples: a mean could keep an answer by favoring
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from clusterwidget.core.edges import HEAD, Edge, entering
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.cuts import Cuts, Item, require_edges, run_cut
from clusterwidget.interventions.replacements import Replacements, other_examples
from clusterwidget.interventions.setting import Setting
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.hooks import hook_name
from clusterwidget.results.pairs import NOBODY
from clusterwidget.results.trace import LEAST, THRESHOLD, Trace


class Effect(NamedTuple):
    """Loss and probability of the answer, means over replacements; `first` if so with each."""

    loss: float
    probability: float
    first: bool


def traced(
    setting: Setting,
    example: int,
    at: int,
    *,
    draws: int | None,
    threshold: float,
    least: float,
    seed: int,
    watch: Watch,
) -> Trace:
    """Trace an answer with replacements from `draws` random examples; None for their mean."""
    require_edges(setting.bench.model)
    bench, replacements = setting.bench_of(example)
    bench.get_ready(watch.quiet())
    if draws is not None:
        others = other_examples(len(setting.examples), example, draws, seed)
        replacements = Replacements(bench, others, averaged=False)
    replacements.layer(bench.patcher.last, watch.quiet() if draws is not None else watch)
    return trace(bench, replacements, example, at, watch, threshold=threshold, least=least)


def trace(
    bench: Workbench,
    replacements: Replacements,
    example: int,
    at: int,
    watch: Watch,
    *,
    threshold: float = THRESHOLD,
    least: float = LEAST,
) -> Trace:
    """Trace an answer of one example.

    Parameters
    ----------
    bench : Workbench
    replacements : Replacements
        What is put in for what is cut; the answer must stay as it was with each.
    example : int
    at : int
        Index of the answer.
    watch : Watch
        Told between runs how many layers are done.
    threshold : float
        Attention above which a head looks at a position: fainter edges are left as they are.
    least : float
        Share of its probability that the answer must keep.
    """
    tracer = _Tracer(bench, replacements, example, at, watch, least)
    columns = [bench.answers[at].column]
    position = {name: index for index, name in enumerate(bench.examples.positions)}
    for layer in range(bench.patcher.last, -1, -1):
        tracer.prune(tracer.edges_into(layer, columns))
        # Attention is only traced in heads that the answer needs.
        tracer.prune(tracer.attention_in(layer, threshold))
        columns = sorted(
            {
                position[edge.source.position]
                for edge in tracer.kept
                if edge.layer == layer and edge.source == entering(layer, edge.source.position)
            }
        )
        tracer.layers_done += 1
        if not columns:
            break
    tracer.prune_again()
    return tracer.trace()


class _Tracer:
    def __init__(
        self,
        bench: Workbench,
        replacements: Replacements,
        example: int,
        at: int,
        watch: Watch,
        least: float,
    ) -> None:
        self.kept: list[Edge] = []
        self.layers_done = 0
        self._bench, self._replacements, self._watch = bench, replacements, watch
        self._example, self._at = example, at
        self._pruned: list[Edge] = []
        self._alone: dict[Item, Effect] = {}
        self._attention: dict[Edge, float] = {}
        self._one = bench.one(example)
        without = bench.patcher.run(self._one).logits[0, at]
        self._token = int(without.argmax())
        self._probability = float(torch.softmax(without.double(), dim=-1)[self._token])
        self._least = least * self._probability
        self._patterns, self._streams = self._seen()

    def edges_into(self, layer: int, columns: Sequence[int]) -> list[Edge]:
        """Return the edges of a layer that end at some positions, less those of attention."""
        bench = self._bench
        has_mlp = hook_name(bench.model, "mlp_out", layer) is not None
        mlp_reads_attention = hook_name(bench.model, "resid_mid", layer) is not None
        edges = []
        for position in (bench.examples.positions[column] for column in columns):
            pre, post = entering(layer, position), Stage("resid_post", layer, position=position)
            attn_out = Stage("attn_out", layer, position=position)
            edges += [Edge(pre, post), Edge(attn_out, post)]
            if has_mlp:
                mlp_out = Stage("mlp_out", layer, position=position)
                edges += [Edge(mlp_out, post), Edge(pre, mlp_out)]
                if mlp_reads_attention:
                    edges.append(Edge(attn_out, mlp_out))
            heads = range(int(bench.model.cfg.n_heads))
            edges += [Edge(Stage("result", layer, head, position), attn_out) for head in heads]
        return edges

    def attention_in(self, layer: int, threshold: float) -> list[Edge]:
        """Return the edges to the heads that were kept from the positions that they look at."""
        names = self._bench.examples.positions
        edges = []
        for head in [e.source for e in self.kept if e.layer == layer and e.kind == HEAD]:
            weights = self._patterns[layer][head.head, self._bench.stage_set.column(head)]
            for source in np.flatnonzero(weights > threshold).tolist():
                edge = Edge(entering(layer, names[source]), head)
                self._attention[edge] = float(weights[source])
                edges.append(edge)
        return edges

    def prune(self, edges: Sequence[Edge]) -> None:
        """Cut the edges that the answer does not need, beside those that are cut; keep the rest."""
        self._alone |= dict(zip(edges, self._one_by_one(edges, ()), strict=True))
        self.kept += self._needed(edges)

    def prune_again(self) -> None:
        """Prune the kept edges once more: cuts below can have left one with nothing to carry."""
        self.kept = self._needed(self.kept)

    def _needed(self, edges: Sequence[Edge]) -> list[Edge]:
        left = list(edges)
        while left:
            effects = self._one_by_one(left, self._pruned)
            order = np.argsort([effect.loss for effect in effects], kind="stable").tolist()
            bearable = [left[index] for index in order if self._is_kept(effects[index])]
            if not bearable:
                break
            count = self._longest(bearable)
            self._pruned += bearable[:count]
            left = [edge for edge in left if edge not in set(bearable[:count])]
        return left

    def trace(self) -> Trace:
        """Return the nodes and edges, kept or pruned, with what each alone is worth."""
        bench = self._bench
        question = bench.answers[self._at]
        position = bench.examples.positions[question.column]
        end = Stage("logits", position=position)
        last = Stage("resid_post", bench.patcher.last, position=position)
        both = [*((edge, True) for edge in self.kept), *((edge, False) for edge in self._pruned)]
        stages = dict.fromkeys(
            [stage for edge, _ in both for stage in (edge.source, edge.target)] + [last]
        )
        alone = dict(zip(stages, self._one_by_one(list(stages), ()), strict=True))
        on_it = {stage for edge in self.kept for stage in (edge.source, edge.target)} | {last, end}
        rows = [self._edge_row(edge, kept, self._alone[edge]) for edge, kept in both]
        rows.append(self._edge_row(Edge(last, end), True, alone[last]))
        nodes = [
            {
                "stage": str(stage),
                "loss": effect.loss,
                "probability": effect.probability,
                "kept": stage in on_it,
            }
            for stage, effect in alone.items()
        ]
        nodes.append({"stage": str(end), "loss": np.nan, "probability": np.nan, "kept": True})
        (together,) = self._run(self._cuts(1, self._pruned), 1)
        return Trace(
            example=self._example,
            answer=question.name,
            text=bench.examples.token_text(self._token),
            probability=self._probability,
            kept_probability=together.probability,
            unusual=self._unusual(),
            nodes=pd.DataFrame(nodes).set_index("stage"),
            edges=pd.DataFrame(rows),
        )

    def _unusual(self) -> float:
        """Return `Workbench.unusual` with all pruned edges cut, the median over replacements."""
        made_of, cuts = self._replacements, self._cuts(1, self._pruned)
        run = run_cut(self._bench, made_of, self._one, cuts, self._streams)
        donors = np.full(1, NOBODY) if made_of.averaged else made_of.examples
        apart = np.stack([np.full(len(donors), self._example), donors], axis=1)
        column = self._bench.answers[self._at].column
        return float(np.median(self._bench.unusual(run, apart, column)[:, self._at]))

    def _edge_row(self, edge: Edge, kept: bool, alone: Effect) -> dict[str, Any]:
        return {
            "source": str(edge.source),
            "target": str(edge.target),
            "kind": edge.kind,
            "attention": self._attention.get(edge, np.nan),
            "loss": alone.loss,
            "probability": alone.probability,
            "kept": kept,
        }

    def _is_kept(self, effect: Effect) -> bool:
        return effect.first and effect.probability >= self._least

    def _longest(self, bearable: Sequence[Edge]) -> int:
        """Return how many of the edges, from the first, can be cut together."""
        size = self._rows_at_once()
        counts = np.unique(np.linspace(1, len(bearable), min(size, len(bearable))).astype(int))
        cuts = self._cuts(len(counts), self._pruned)
        for index, edge in enumerate(bearable):
            cuts.cut(slice(int(np.searchsorted(counts, index + 1)), None), edge)
        kept = [self._is_kept(effect) for effect in self._run(cuts, len(counts))]
        # The first was bearable alone, even where rounding in another batch says otherwise.
        return int(counts[np.flatnonzero(kept)].max(initial=1))

    def _one_by_one(self, items: Sequence[Item], beside: Iterable[Item]) -> list[Effect]:
        """Return the effect of cutting each item, beside others."""
        effects: list[Effect] = []
        size = self._rows_at_once()
        beside = list(beside)
        for start in range(0, len(items), size):
            part = items[start : start + size]
            cuts = self._cuts(len(part), beside)
            for index, item in enumerate(part):
                cuts.cut(slice(index, index + 1), item)
            effects += self._run(cuts, len(part))
        return effects

    def _rows_at_once(self) -> int:
        return max(1, self._bench.batch_size // self._replacements.count)

    def _cuts(self, rows: int, beside: Iterable[Item]) -> Cuts:
        cuts = Cuts(self._bench, rows)
        for item in beside:
            cuts.cut(slice(None), item)
        return cuts

    def _run(self, cuts: Cuts, rows: int) -> list[Effect]:
        """Return the effect on the answer in each row."""
        self._watch.step(self.layers_done, self._bench.patcher.last + 1)
        run = run_cut(self._bench, self._replacements, self._one, cuts, self._streams)
        logits = run.logits[:, self._at].double()
        logits = logits.view(self._replacements.count, rows, -1)
        chances = torch.softmax(logits, dim=-1)[..., self._token].cpu().numpy()
        first = (logits.argmax(dim=-1) == self._token).all(dim=0).tolist()
        losses = np.log(self._probability) - np.log(np.maximum(chances, 1e-30)).mean(axis=0)
        return [
            Effect(float(loss), float(chance), bool(stays))
            for loss, chance, stays in zip(losses, chances.mean(axis=0), first, strict=True)
        ]

    def _seen(self) -> tuple[list[npt.NDArray[np.float32]], list[torch.Tensor]]:
        """Return the attention patterns of all layers, and the stream that enters each."""
        patterns: list[torch.Tensor] = []
        streams: list[torch.Tensor] = []

        def keep(kept: list[torch.Tensor]) -> Callable[..., None]:
            def write(activation: torch.Tensor, hook: Any) -> None:
                kept.append(activation.clone())

            return write

        patcher = self._bench.patcher
        hooks = [
            (f"blocks.{layer}.{name}", keep(kept))
            for layer in range(patcher.last + 1)
            for name, kept in (("attn.hook_pattern", patterns), ("hook_resid_pre", streams))
        ]
        patcher.hooked(self._one, hooks)
        if not patcher.can_resume(self._one):
            streams = []
        return [pattern[0].float().cpu().numpy() for pattern in patterns], streams
