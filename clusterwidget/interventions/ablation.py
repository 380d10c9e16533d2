"""Ablation: what an answer loses when a stage or edges no longer depend on the example.

Mean and resample ablation as in Wang et al., "Interpretability in the wild" (2022) and Chan et al.,
"Causal scrubbing" (2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from clusterwidget.core.checks import MOST_DRAWS, choice, flag, several, shown, whole
from clusterwidget.core.edges import ATTENTION, Edge, checked_edge
from clusterwidget.core.questions import require_reached
from clusterwidget.core.stages import ATTENTION_KINDS, Stage, StageSet
from clusterwidget.interventions.cuts import Cuts, require_edges, run_cut
from clusterwidget.interventions.replacements import Nothing, Replacements, other_examples
from clusterwidget.interventions.runs import Run, keep, start_of
from clusterwidget.interventions.unrolled import Unrolled
from clusterwidget.interventions.workbench import Workbench, losses
from clusterwidget.model.batch import Batch

_METHODS = ("mean", "resample", "zero", "drop")


def require_zero_fits(stage: Stage) -> None:
    """Raise ValueError where zeros are nothing that a stage could hold."""
    if stage.kind in ATTENTION_KINDS:
        raise ValueError(
            f'{stage} comes after a softmax, whose weights sum to 1: method="zero" would put in '
            'what no input leads to. Use "mean" or "resample", or ablate '
            f"L{stage.layer}H{stage.head}.z@{stage.position} instead."
        )


@dataclass(frozen=True)
class Method:
    """How something is ablated: see `Explorer.ablate`."""

    name: str
    draws: int
    renormalize: bool


def checked_items(
    what: Stage | Edge | str | Sequence[Stage | Edge | str],
    stage_set: StageSet,
    *,
    causal: bool = True,
    unrolled: Unrolled | None = None,
) -> Stage | list[Stage] | list[Edge]:
    """Return the stage, stages or edges that an ablation is of; raise where they are not there.

    Edges are between the tokens of `unrolled`, where positions are other tokens in each example.
    """
    if isinstance(what, Stage) or (isinstance(what, str) and "->" not in what):
        stage = Stage.of(what)
        stage_set.width(stage)
        return stage
    given = [what] if isinstance(what, (Edge, str)) else what
    if not several(given):
        raise TypeError(
            f"what is ablated is a stage or edges, or their addresses, not {shown(what)}."
        )
    is_stage = [
        isinstance(item, Stage) or (isinstance(item, str) and "->" not in item) for item in given
    ]
    if len(is_stage) and all(is_stage):
        stages = [Stage.of(item) for item in given]  # type: ignore[arg-type]
        for stage in stages:
            stage_set.width(stage)
        return list(dict.fromkeys(stages))
    if any(is_stage):
        raise ValueError(
            f"{shown(given[is_stage.index(True)])} is a stage, and there are edges beside it: "
            "ablate stages and edges in calls of their own."
        )
    if unrolled is not None:
        stage_set = unrolled.stage_set
        given = [
            unrolled.own(edge if isinstance(edge, Edge) else Edge.parse(edge))  # type: ignore[arg-type]
            for edge in given
        ]
    edges = [checked_edge(edge, stage_set, causal=causal) for edge in given]  # type: ignore[arg-type]
    if not edges:
        raise ValueError(f"no edge is given, {shown(what)}: name at least one to cut.")
    return edges


def checked_method(
    items: Sequence[Stage | Edge], name: str, draws: int, *, renormalize: bool
) -> Method:
    """Return the method, or raise ValueError where it does not suit what is ablated."""
    choice("method", name, _METHODS)
    draws = whole("draws", draws, 1, MOST_DRAWS)
    renormalize = flag("renormalize", renormalize)
    is_attention = [isinstance(item, Edge) and item.kind == ATTENTION for item in items]
    if name == "drop" and is_attention != [True]:
        raise ValueError(
            f"{items[0]} is not one attention edge: only such an edge has a weight to drop."
        )
    if name == "zero" and any(isinstance(item, Edge) for item in items):
        raise ValueError(
            f'{items[0]} is an edge: method="zero" is of stages. Use "mean" or "resample", or '
            '"drop" for an attention edge.'
        )
    if renormalize and name != "drop":
        raise ValueError(
            f'renormalize=True goes with method="drop"; with {name!r} no attention weight changes.'
        )
    return Method(name, draws if name == "resample" else 1, renormalize)


def ablate_stage(
    bench: Workbench, stage: Stage, example: int, method: Method, seed: int
) -> pd.DataFrame:
    """Ablate a stage in one example."""
    patcher, column = bench.patcher, bench.column(stage)
    carrier = patcher.carrier(stage)
    require_reached(bench.answers, column, stage)
    if method.name == "zero":
        require_zero_fits(stage)
    chosen = (
        other_examples(len(bench.examples), example, method.draws, seed)
        if method.name == "resample"
        else bench.references
    )
    size = bench.batch_size
    if method.name == "zero":
        vectors = torch.zeros(1, bench.stage_set.width(carrier))
    else:
        vectors = torch.cat(
            [
                patcher.vectors(bench.batch(part), carrier)
                for part in np.array_split(chosen, -(-len(chosen) // size))
            ]
        )
    if method.name == "mean":
        vectors = vectors.mean(dim=0, dtype=torch.float64).float()[None]
    one = bench.one(example)
    start = start_of(stage, patcher.last)
    runs = []
    for part in torch.split(vectors, size):
        batch = one.expand(len(part))
        runs.append(patcher.patched(batch, stage, part, patcher.run(batch, start)))
    donors = chosen if method.name == "resample" else np.full(1, example)
    return _table(bench, example, column, patcher.run(one), runs, donors)


def ablate_edges(
    bench: Workbench,
    means: Replacements,
    edges: Sequence[Edge],
    example: int,
    method: Method,
    seed: int,
) -> pd.DataFrame:
    """Ablate edges together in one example."""
    require_edges(bench.model)
    first = min(edges, key=lambda edge: bench.column(edge.target)).target
    require_reached(bench.answers, bench.column(first), first)
    one = bench.one(example)
    donors = np.full(1, example)
    if method.name == "drop":
        runs = [_dropped(bench, edges[0], one, renormalize=method.renormalize)]
    elif method.name == "mean":
        runs = [_cut(bench, means, edges, one)]
    else:
        donors = other_examples(len(bench.donors), example, method.draws, seed)
        runs = [_cut(bench, Replacements(bench, donors, averaged=False), edges, one)]
    return _table(bench, example, bench.column(first), bench.patcher.run(one), runs, donors)


def _cut(bench: Workbench, replacements: Replacements, edges: Sequence[Edge], one: Batch) -> Run:
    cuts = Cuts(bench, 1)
    for edge in edges:
        cuts.cut(slice(None), edge)
    return run_cut(bench, replacements, one, cuts)


def _dropped(bench: Workbench, edge: Edge, one: Batch, *, renormalize: bool) -> Run:
    if renormalize:
        _require_attention_left(bench, edge, one)
    cuts = Cuts(bench, 1, renormalize=renormalize)
    cuts.cut(slice(None), edge)
    return run_cut(bench, Nothing(bench), one, cuts)


def _require_attention_left(bench: Workbench, edge: Edge, one: Batch) -> None:
    patterns: list[torch.Tensor] = []
    bench.patcher.hooked(one, [(f"blocks.{edge.layer}.attn.hook_pattern", keep(patterns))])
    weight = patterns[0][:, edge.target.head, bench.column(edge.target), bench.column(edge.source)]
    if float((1 - weight).min()) < 1e-6:
        raise ValueError(
            f"all attention of {edge.target} is on {edge.source.position!r}: without it there "
            "is nothing to renormalize. Use renormalize=False."
        )


def _table(
    bench: Workbench,
    example: int,
    column: int,
    before: Run,
    runs: list[Run],
    donors: npt.NDArray[np.int64],
) -> pd.DataFrame:
    after = Run(torch.cat([r.logits for r in runs]), torch.cat([r.final for r in runs]))
    said = before.logits.argmax(dim=-1)
    lost = losses(after.logits, said.expand(len(after.logits), -1)) - losses(before.logits, said)
    chances = torch.softmax(before.logits.double(), dim=-1).amax(dim=-1)[0].cpu().numpy()
    tokens = after.logits.argmax(dim=-1).cpu().numpy()
    apart = np.stack([np.full(len(donors), example), donors], axis=1)
    ratios = bench.unusual(after, apart, column)
    rows = []
    for at, question in enumerate(bench.answers):
        different, counts = np.unique(tokens[:, at], return_counts=True)
        token = int(said[0, at])
        known = ratios[:, at][np.isfinite(ratios[:, at])]
        rows.append(
            {
                "answer": question.name,
                "title": question.title,
                "before": bench.examples.token_text(token),
                "probability": float(chances[at]),
                "after": bench.examples.token_text(int(different[counts.argmax()])),
                "kept": float((tokens[:, at] == token).mean()),
                "kept_probability": float((chances[at] * np.exp(-lost[:, at])).mean()),
                "loss": float(lost[:, at].mean()),
                "unusual": float(np.median(known)) if len(known) else float("nan"),
            }
        )
    return pd.DataFrame(rows)
