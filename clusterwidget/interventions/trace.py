"""Trace: prune the edges that an answer does not need, from the last layer down.

Edges that can be cut without changing the answer are cut together, as many as possible, until each
that is left matters. This is automated circuit discovery (Conmy et al., 2023) for a single example.
A cut edge carries what it carries in another example, the same one for all edges that are cut in a
run, and the answer must stay with each of these examples: a mean could keep an answer by favoring
it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from clusterwidget.core.budget import Deadline, duration_text
from clusterwidget.core.edges import HEAD, Edge, entering
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.attribution import EdgeCosts
from clusterwidget.interventions.cuts import Before, Cuts, Item, require_edges, run_cut
from clusterwidget.interventions.replacements import Replacements, other_examples
from clusterwidget.interventions.runner import REFUSALS
from clusterwidget.interventions.runs import Run
from clusterwidget.interventions.setting import Setting
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.hooks import hook_name
from clusterwidget.results.pairs import NOBODY
from clusterwidget.results.trace import Trace


class Effect(NamedTuple):
    """Loss and probability of the answer, means over replacements; `first` if so with each."""

    loss: float
    probability: float
    first: bool


_UNKNOWN = Effect(np.nan, np.nan, first=False)

_COUNTS = 8
"""So many numbers of edges are tried in one run."""


_FEWEST_RUNS = 6
"""So many runs the last layer takes at least."""


def traced(
    setting: Setting,
    example: int,
    at: int,
    *,
    draws: int | None,
    threshold: float,
    least: float,
    seed: int,
    budget: float | None,
    watch: Watch,
) -> Trace:
    """Trace an answer with replacements from `draws` random examples; None for their mean."""
    require_edges(setting.bench.model)
    deadline = Deadline(budget)
    bench, replacements = setting.bench_of(example)
    if draws is not None:
        others = other_examples(len(setting.examples), example, draws, seed)
        replacements = Replacements(bench, others, averaged=False)
    replacements.layer(bench.patcher.last, watch.quiet() if draws is not None else watch)
    tracer = _Tracer(bench, replacements, example, at, watch, least)
    if budget is not None and deadline.left < tracer.seconds:
        needed = 1.2 * (budget - deadline.left) + _FEWEST_RUNS * tracer.seconds
        raise ValueError(
            f"a budget of {budget!r} s is too short for a trace here, which takes "
            f"{duration_text(needed)} before the first layer is done: give at least "
            f"{duration_text(needed)!r}."
        )
    return _trace(tracer, threshold, deadline)


def _trace(tracer: _Tracer, threshold: float, deadline: Deadline) -> Trace:
    """Go down the layers from the answer.

    Parameters
    ----------
    tracer : _Tracer
    threshold : float
        Attention above which a head looks at a position: fainter edges are left as they are.
    deadline : Deadline
        Layers that are not reached by then stay as they are.
    """
    columns = [tracer.column]
    unexamined = 0
    for layer in range(tracer.last, -1, -1):
        if deadline.left <= 0:
            unexamined = layer + 1
            break
        tracer.prune(tracer.edges_into(layer, columns))
        # Attention is only traced in heads that the answer needs.
        tracer.prune(tracer.attention_in(layer, threshold))
        columns = tracer.columns_below(layer)
        tracer.layers_done += 1
        if not columns:
            break
    if deadline.left > 0:
        tracer.prune_again()
    return tracer.trace(unexamined)


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
        self.last = bench.patcher.last
        self._bench, self._replacements, self._watch = bench, replacements, watch
        self._example, self._at = example, at
        self._pruned: list[Edge] = []
        self._tried = False
        self._attention: dict[Edge, float] = {}
        self._one = bench.one(example)
        without = bench.patcher.run(self._one)
        logits = without.logits[0, at]
        self._token = int(logits.argmax())
        self._probability = float(torch.softmax(logits.double(), dim=-1)[self._token])
        self._least = least * self._probability
        started = time.perf_counter()
        self._patterns, self._before = self._seen(without)
        self.seconds = time.perf_counter() - started
        """What one run takes."""
        self._costs = EdgeCosts(bench, replacements, self._one, at, self._token)
        self._draws = list(range(replacements.count))

    @property
    def column(self) -> int:
        """Index of the answer's position."""
        return self._bench.answers[self._at].column

    def columns_below(self, layer: int) -> list[int]:
        """Return the positions whose stream a kept edge reads as it enters a layer."""
        return sorted(
            {
                self._bench.stage_set.column(edge.source)
                for edge in self.kept
                if edge.layer == layer and edge.source == entering(layer, edge.source.position)
            }
        )

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
        """Cut the edges that the answer does not need, beside those that are cut; keep the rest.

        In the order of what attribution says that they cost; what that leaves, one by one.
        """
        cost = {edge: float(self._costs.of(edge).mean()) for edge in edges}
        order = sorted(edges, key=cost.__getitem__)
        count = self._longest(order)
        self._pruned += order[:count]
        self.kept += self._needed(order[count:])

    def prune_again(self) -> None:
        """Prune the kept edges once more: cuts below can have left one with nothing to carry."""
        pruned = -1
        while pruned < len(self._pruned):
            pruned = len(self._pruned)
            self.kept = self._needed(self.kept)
            if not self._bench.is_small:
                break

    def _needed(self, edges: Sequence[Edge]) -> list[Edge]:
        """Cut what can be cut, and return the others.

        What cannot be cut at one time is not tried again: beside more cuts it cannot be cut either.
        """
        left, needed = list(edges), []
        while left:
            bearable, others = self._bearable(left)
            needed += others
            count = self._longest(bearable)
            if bearable and not count:
                # The hardest replacement bears it, and another one does not.
                needed.append(bearable[0])
            self._pruned += bearable[:count]
            left = bearable[max(count, 1) :]
        return needed

    def _bearable(self, edges: Sequence[Edge]) -> tuple[list[Edge], list[Edge]]:
        """Return the edges that can each be cut as well, in the order of their loss; and others."""
        effects = self._one_by_one(edges, self._pruned, self._in_turn()[0])
        found = [(effect.loss, at) for at, effect in enumerate(effects) if self._is_kept(effect)]
        bearable = [edges[at] for _, at in sorted(found)]
        there = set(bearable)
        return bearable, [edge for edge in edges if edge not in there]

    def trace(self, unexamined: int) -> Trace:
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
        items: list[Item] = [*stages, *(edge for edge, _ in both)]
        alone = self._alone(items)
        on_it = {stage for edge in self.kept for stage in (edge.source, edge.target)} | {last, end}
        rows = [self._edge_row(edge, kept, alone[edge]) for edge, kept in both]
        rows.append(self._edge_row(Edge(last, end), True, alone[last]))
        nodes = [
            {
                "stage": str(stage),
                "loss": alone[stage].loss,
                "probability": alone[stage].probability,
                "kept": stage in on_it,
            }
            for stage in stages
        ]
        nodes.append({"stage": str(end), "loss": np.nan, "probability": np.nan, "kept": True})
        together = self._run(self._cuts(1, self._pruned), 1, self._draws)[:, 0]
        return Trace(
            example=self._example,
            answer=question.name,
            text=bench.examples.token_text(self._token),
            probability=self._probability,
            kept_probability=self._effect(together).probability,
            unusual=self._unusual(),
            nodes=pd.DataFrame(nodes).set_index("stage"),
            edges=pd.DataFrame(rows),
            unexamined=unexamined,
        )

    def _alone(self, items: Sequence[Item]) -> dict[Item, Effect]:
        """Return what each costs alone; not known where a model is too large to cut one by one."""
        if not self._bench.is_small:
            return dict.fromkeys(items, _UNKNOWN)
        return dict(zip(items, self._one_by_one(items, (), self._draws), strict=True))

    def _unusual(self) -> float:
        """Return `Workbench.unusual` with all pruned edges cut, the median over replacements."""
        made_of, cuts = self._replacements, self._cuts(1, self._pruned)
        run = self._cut(cuts)
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

    def _longest(self, edges: Sequence[Edge]) -> int:
        """Return how many of the edges, from the first, can be cut together.

        Several counts are tried with the replacement that is hardest to bear, and the largest that
        it bears with all the others.
        """
        if not edges:
            return 0
        first, rest = self._in_turn()
        rows = min(self._rows_at_once(len(first)), len(edges), _COUNTS if rest else len(edges))
        counts = np.unique(np.linspace(len(edges) / rows, len(edges), rows).round().astype(int))
        tried = self._run(self._prefixes(edges, counts), len(counts), first)
        for at in reversed(range(len(counts))):
            if not self._may_stay(tried[:, at]):
                continue
            chances = tried[:, at]
            if rest:
                cuts = self._prefixes(edges, counts[at : at + 1])
                chances = np.concatenate([chances, self._run(cuts, 1, rest)[:, 0]])
            order = np.argsort(chances, kind="stable").tolist()
            self._draws = [self._draws[draw] for draw in order]
            if self._is_kept(self._effect(chances)):
                return int(counts[at])
        return 0

    def _prefixes(self, edges: Sequence[Edge], counts: npt.NDArray[np.int64]) -> Cuts:
        """Return cuts of the first edges, so many in each row, beside those that are cut."""
        cuts = self._cuts(len(counts), self._pruned)
        for index, edge in enumerate(edges):
            cuts.cut(slice(int(np.searchsorted(counts, index + 1)), None), edge)
        return cuts

    def _one_by_one(
        self, items: Sequence[Item], beside: Iterable[Item], draws: Sequence[int]
    ) -> list[Effect]:
        """Return the effect of cutting each item, beside others, with some replacements."""
        effects: list[Effect] = []
        size = self._rows_at_once(len(draws))
        beside = list(beside)
        for start in range(0, len(items), size):
            part = items[start : start + size]
            cuts = self._cuts(len(part), beside)
            for index, item in enumerate(part):
                cuts.cut(slice(index, index + 1), item)
            effects += map(self._effect, self._run(cuts, len(part), draws).T)
        return effects

    def _in_turn(self) -> tuple[list[int], list[int]]:
        """Return the replacements to try first, and the others.

        The one that is hardest to bear; in a small model all, where a run takes hardly longer.
        """
        first = len(self._draws) if self._bench.is_small else 1
        return self._draws[:first], self._draws[first:]

    def _may_stay(self, chances: npt.NDArray[np.float64]) -> bool:
        """Whether the answer can still be as it was, with these replacements seen so far."""
        rest = len(self._draws) - len(chances)
        return bool((chances > 0).all()) and chances.sum() + rest >= self._least * len(self._draws)

    def _effect(self, chances: npt.NDArray[np.float64]) -> Effect:
        """Return the mean effect; `chances` is below 0 where another answer came first."""
        known = np.abs(chances)
        loss = np.log(self._probability) - float(np.log(np.maximum(known, 1e-30)).mean())
        return Effect(loss, float(known.mean()), bool((chances > 0).all()))

    def _rows_at_once(self, draws: int) -> int:
        fitting = self._bench.patcher.batch_size(self._bench.examples.inputs.width)
        return max(1, fitting // draws)

    def _cuts(self, rows: int, beside: Iterable[Item]) -> Cuts:
        cuts = Cuts(self._bench, rows)
        for item in beside:
            cuts.cut(slice(None), item)
        return cuts

    def _run(self, cuts: Cuts, rows: int, draws: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return the answer's probability, (draws, rows); below 0 where another comes first."""
        self._watch.step(self.layers_done, self._bench.patcher.last + 1)
        run = self._cut(cuts, draws)
        logits = run.logits[:, self._at].double()
        logits = logits.view(len(draws), rows, -1)
        chances = torch.softmax(logits, dim=-1)[..., self._token].clamp(min=1e-300)
        first = logits.argmax(dim=-1) == self._token
        found: npt.NDArray[np.float64] = torch.where(first, chances, -chances).cpu().numpy()
        return found

    def _cut(self, cuts: Cuts, draws: Sequence[int] | None = None) -> Run:
        bench, made_of = self._bench, self._replacements
        before = self._before
        if before is not None and before.prefix is not None and not self._tried and cuts.first:
            # Whether the tokens before the first cut can be left out is tried with the first cuts.
            self._tried = True
            whole = replace(before, prefix=None)
            expected = run_cut(bench, made_of, self._one, cuts, whole, draws)
            try:
                found = run_cut(bench, made_of, self._one, cuts, before, draws)
            except REFUSALS:
                self._before = whole
                return expected
            if not bench.patcher.agree(expected, found):
                self._before = whole
            return expected
        return run_cut(bench, made_of, self._one, cuts, before, draws)

    def _seen(self, run: Run) -> tuple[list[npt.NDArray[np.float32]], Before | None]:
        """Return the attention patterns of all layers, and where runs with cuts can start."""
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
        before = None
        if patcher.can_resume(self._one):
            prefix = None if run.start is None else run.start.prefix
            before = Before(run, streams, prefix)
        return [pattern[0].float().cpu().numpy() for pattern in patterns], before
