"""Time: it is estimated, spent on what matters, and what was left out is said."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from clusterwidget import Explorer, Stage, addition
from clusterwidget.interventions import budgets
from clusterwidget.interventions.attribution import stage_costs
from clusterwidget.interventions.budgets import SwapTestTimes
from clusterwidget.results.kept import Settings

STAGES = [f"L1H{head}.result@S3" for head in range(4)]


@pytest.fixture(scope="module")
def explorer(adder: Any) -> Explorer:
    return Explorer(adder, addition.problems(400, seed=1))


def test_attribution_puts_first_what_swaps_cost_most(explorer: Explorer) -> None:
    stages = explorer.stages(["result", "mlp_out", "attn_out"], positions=["S3", "S2"])
    table = explorer.attribution(stages)
    assert list(table["cost"]) == sorted(table["cost"], reverse=True)
    lost = explorer.ablate(stages, list(range(32)), method="resample", draws=2)
    true = lost.groupby("stage")["loss"].max().reindex(table.index)
    # A first-order estimate: the order is right on the whole.
    ranks = np.corrcoef(table["cost"].rank(), true.rank())[0, 1]
    assert ranks > 0.6


def test_attribution_of_what_is_last_is_what_a_swap_changes(explorer: Explorer) -> None:
    # The last stream is read by the norm and the unembedding alone, in a straight line almost.
    near = Stage.parse("L1.resid_post@S1")
    costs = stage_costs(explorer._setting.bench, [near, Stage.parse("L1.mlp_out@=")])
    assert all(np.isfinite(list(costs.values())))
    assert costs[near] > 0


def test_a_budget_is_spent_on_what_matters_most_and_the_rest_is_said(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list(explorer.attribution(STAGES).index)
    # Each test seems to take 10 s, and two fit; they are made for real.
    monkeypatch.setattr(SwapTestTimes, "of", lambda self, stage: 10.0)
    now = [0.0]
    monkeypatch.setattr(budgets, "Deadline", lambda seconds: _Clock(seconds, now))
    monkeypatch.setattr(SwapTestTimes, "learn", lambda *_: now.append(now[-1] + 10))
    with pytest.warns(UserWarning, match=r"2 of 4 stages were tested: the budget of 25 s"):
        table = explorer.swap_tests(STAGES, pairs=40, budget="25 s")
    assert sorted(table.index) == sorted(order[:2])
    assert sorted(table.attrs["not_tested"]) == sorted(order[2:])
    with pytest.warns(UserWarning, match=r"3 of 4"):
        again = explorer.swap_tests(STAGES, pairs=40, budget=15)
    assert sorted(again.index) == sorted(order[:3])
    all_of_them = explorer.swap_tests(STAGES, pairs=40, budget="1 h")
    assert list(all_of_them.index) == STAGES
    assert all_of_them.attrs["not_tested"] == []


class _Clock:
    def __init__(self, seconds: float, now: list[float]) -> None:
        self._end, self._now = now[-1] + seconds, now

    @property
    def left(self) -> float:
        return self._end - self._now[-1]


def test_a_budget_too_short_for_one_test_says_what_would_do(explorer: Explorer) -> None:
    with pytest.raises(ValueError, match=r"short for one swap test of 400 pairs.*give at least"):
        explorer.swap_tests("L0H0.result@S2", pairs=400, budget=1e-3)
    with pytest.raises(ValueError, match=r"too short for a trace here.*give at least"):
        explorer.trace(5, "S3", seed=3, budget=1e-3)


def test_the_estimate_is_of_the_right_size(explorer: Explorer) -> None:
    stage = Stage.parse("L0.mlp_out@S3")
    expected = SwapTestTimes(explorer._setting, Settings(pairs=300)).of(stage)
    started = time.perf_counter()
    explorer.swap_test(stage, pairs=300)
    taken = time.perf_counter() - started
    assert taken / 8 < expected < taken * 8


def test_a_trace_that_runs_out_of_time_says_what_it_left(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clusterwidget.interventions import trace as module

    left = iter([1.0, 1.0, 0.0, 0.0])

    class Ends:
        def __init__(self, seconds: float | None) -> None:
            pass

        @property
        def left(self) -> float:
            return next(left)

    monkeypatch.setattr(module, "Deadline", Ends)
    trace = explorer.trace(6, "S3", seed=5, budget="1 h")
    assert trace.unexamined == 1
    assert "before the first 1 layers were looked into" in str(trace)
    assert {Stage.parse(stage).layer for stage in trace.edges["target"]} <= {1, None}
    monkeypatch.undo()
    # It was not kept: asked again, the whole of it is made.
    assert explorer.trace(6, "S3", seed=5).unexamined == 0
