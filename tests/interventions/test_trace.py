"""Traces: what they keep is needed, what they cut is not, and all of it leads to the answer."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np
import pytest
import torch

from clusterwidget import Examples, Explorer, Stage, addition
from clusterwidget.core.edges import ANSWER, ATTENTION, Edge
from clusterwidget.core.questions import question_named, questions
from clusterwidget.core.watch import CaptureCancelledError
from clusterwidget.interventions.cuts import Cuts, run_cut
from clusterwidget.interventions.replacements import Replacements, other_examples
from clusterwidget.results.trace import DRAWS, LEAST, THRESHOLD, Trace
from tests.conftest import make_native

TRACED = [(example, answer) for example in range(10) for answer in ("S3", "S1")]


@pytest.fixture(scope="module")
def explorer(adder: Any) -> Explorer:
    return Explorer(adder, addition.problems(400, seed=1))


@pytest.fixture(scope="module")
def traces(explorer: Explorer) -> dict[tuple[int, str], Trace]:
    return {asked: explorer.trace(*asked) for asked in TRACED}


def edges_of(trace: Trace, *, kept: bool) -> list[Edge]:
    rows = trace.edges[(trace.edges["kept"] == kept) & (trace.edges["kind"] != ANSWER)]
    pairs = zip(rows["source"].map(Stage.parse), rows["target"].map(Stage.parse), strict=True)
    return [Edge(source, target) for source, target in pairs]


class Cutter:
    """Cuts edges of a traced example, several sets at once, by the replacements of its trace."""

    def __init__(self, explorer: Explorer, trace: Trace) -> None:
        self.bench = explorer._setting.bench
        self.trace = trace
        drawn = other_examples(len(explorer.examples), trace.example, DRAWS, 0)
        self.instead = Replacements(self.bench, drawn, averaged=False)
        self.one = self.bench.batch(np.array([trace.example]))
        self.at = question_named(questions(explorer.examples), trace.answer)
        self.token = int(self.bench.patcher.run(self.one).logits[0, self.at].argmax())

    def chances(self, sets: list[list[Edge]]) -> tuple[list[bool], list[float]]:
        """Return whether the answer stays with each replacement, and its mean probability."""
        cuts = Cuts(self.bench, len(sets))
        for row, edges in enumerate(sets):
            for edge in edges:
                cuts.cut(slice(row, row + 1), edge)
        logits = run_cut(self.bench, self.instead, self.one, cuts).logits[:, self.at].double()
        logits = logits.view(DRAWS, len(sets), -1)
        first = (logits.argmax(dim=-1) == self.token).all(dim=0)
        return first.tolist(), torch.softmax(logits, dim=-1)[..., self.token].mean(dim=0).tolist()


def test_all_that_was_cut_can_be_cut_together(
    explorer: Explorer, traces: dict[tuple[int, str], Trace]
) -> None:
    for trace in traces.values():
        cut = edges_of(trace, kept=False)
        (first,), (chance,) = Cutter(explorer, trace).chances([cut])
        assert first
        assert chance >= LEAST * trace.probability
        assert chance == pytest.approx(trace.kept_probability, abs=1e-5)
        assert trace.text == explorer.examples.token_text(Cutter(explorer, trace).token)


def test_each_edge_that_is_kept_is_needed_once_the_others_are_cut(
    explorer: Explorer, traces: dict[tuple[int, str], Trace]
) -> None:
    for trace in traces.values():
        kept, cut = edges_of(trace, kept=True), edges_of(trace, kept=False)
        first, chances = Cutter(explorer, trace).chances([[*cut, edge] for edge in kept])
        spare = [
            str(edge)
            for edge, stays, chance in zip(kept, first, chances, strict=True)
            if stays and chance >= LEAST * trace.probability
        ]
        assert spare == [], trace


def test_what_an_edge_alone_costs_is_what_its_ablation_says(
    explorer: Explorer, traces: dict[tuple[int, str], Trace]
) -> None:
    trace = traces[2, "S3"]
    for row in trace.edges[trace.edges["kind"] != ANSWER].iloc[::9].itertuples():
        edge = f"{row.source} -> {row.target}"
        table = explorer.ablate(edge, 2, method="resample", draws=DRAWS).set_index("answer")
        assert table.loc["S3", "loss"] == pytest.approx(row.loss, abs=2e-5)
    for stage, node in trace.nodes[trace.nodes["loss"].notna()].iloc[::5].iterrows():
        table = explorer.ablate(str(stage), 2, method="resample", draws=DRAWS).set_index("answer")
        assert table.loc["S3", "loss"] == pytest.approx(node["loss"], abs=2e-5)
        assert table.loc["S3", "kept_probability"] == pytest.approx(node["probability"], abs=1e-5)


def test_attention_is_that_of_the_example_and_above_the_threshold(
    explorer: Explorer, traces: dict[tuple[int, str], Trace]
) -> None:
    positions = list(explorer.examples.positions)
    for trace in traces.values():
        looks = trace.edges[trace.edges["kind"] == ATTENTION]
        assert (looks["attention"] > THRESHOLD).all()
        assert len(looks)
        for row in looks.itertuples():
            source, target = Stage.parse(str(row.source)), Stage.parse(str(row.target))
            pattern = explorer.matrix(f"L{target.layer}H{target.head}.pattern@{target.position}")
            weight = pattern[trace.example, positions.index(source.position)]
            assert row.attention == pytest.approx(weight, abs=1e-5)
        assert trace.edges.loc[trace.edges["kind"] != ATTENTION, "attention"].isna().all()


def test_the_graph_leads_to_the_answer_without_a_circle(
    traces: dict[tuple[int, str], Trace],
) -> None:
    for trace in traces.values():
        graph, whole = trace.graph(), trace.graph(pruned=True)
        position = {"S3": "S4", "S1": "S2"}[trace.answer]
        end = f"logits@{position}"
        assert networkx.is_directed_acyclic_graph(whole)
        assert set(graph) == {end, *networkx.ancestors(graph, end)}
        assert set(graph) == set(trace.nodes.index[trace.nodes["kept"]])
        assert graph.number_of_edges() == trace.edges["kept"].sum()
        assert whole.number_of_edges() == len(trace.edges)
        assert set(whole) == set(trace.nodes.index)
        assert set(whole) == {*trace.edges["source"], *trace.edges["target"]}
        for _, _, known in whole.edges(data=True):
            assert set(known) == {"kind", "attention", "loss", "probability", "kept"}
        assert f"{int(trace.edges['kept'].sum())} of {len(trace.edges)} edges" in str(trace)


def test_a_mean_stands_in_once_and_needs_no_draws(adder: Any) -> None:
    explorer = Explorer(adder, addition.problems(200, seed=2))
    trace = explorer.trace(3, "S2", method="mean")
    table = explorer.ablate(edges_of(trace, kept=False), 3).set_index("answer")
    row = table.loc["S2"]
    assert (row["before"], row["after"]) == (trace.text, trace.text)
    assert table.loc["S2", "kept_probability"] == pytest.approx(trace.kept_probability, abs=1e-5)
    again = explorer.trace(3, "S2", method="mean", draws=3, seed=5)
    assert again.edges.equals(trace.edges)


def test_the_same_seed_gives_the_same_trace(explorer: Explorer) -> None:
    one, two = explorer.trace(4, "S3", seed=7, draws=3), explorer.trace(4, "S3", seed=7, draws=3)
    assert one.edges.equals(two.edges)
    assert one.nodes.equals(two.nodes)


def test_a_trace_of_every_kind_of_model_can_be_cut_down(
    examples: Examples, native_model: Any, gpt2: Any, llama: Any, neox: Any
) -> None:
    # In untrained models all that matters is the token itself, and next to nothing is sure.
    for model in (native_model, gpt2, llama, neox, make_native(attn_only=True, n_layers=1)):
        explorer = Explorer(model, examples)
        trace = explorer.trace(1, "next", draws=4)
        kinds = set(trace.edges["kind"])
        assert ("mlp in" in kinds) == hasattr(model.blocks[0], "mlp")
        cut = edges_of(trace, kept=False)
        assert cut
        table = explorer.ablate(cut, 1, method="resample", draws=4).iloc[0]
        assert table["kept"] == 1
        assert table["kept_probability"] == pytest.approx(trace.kept_probability, rel=1e-3)


def test_a_trace_can_be_called_off(explorer: Explorer) -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(CaptureCancelledError):
        explorer.trace(
            0,
            "S3",
            seed=11,
            progress=lambda done, total: seen.append((done, total)),
            cancelled=lambda: len(seen) >= 4,
        )
    assert len(seen) == 4
    assert all(0 <= done <= total for done, total in seen)
