"""Budgets: how long swap tests will take, from a timed run, and which of them to spend time on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from clusterwidget.core.budget import Deadline, duration_text
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.attribution import stage_costs
from clusterwidget.interventions.runs import start_of
from clusterwidget.interventions.setting import Setting
from clusterwidget.results.kept import Settings
from clusterwidget.results.pairs import CONDITIONS

_PROBED = 8
"""Examples in the timed run."""

_PER_PAIR = 5e-4
"""Seconds for the donors of a pair and the table, whatever the model."""


class SwapTestTimes:
    """How many seconds swap tests take here: estimated from one timed run of a few examples.

    Parameters
    ----------
    setting : Setting
    settings : Settings
        Of the tests.
    """

    def __init__(self, setting: Setting, settings: Settings) -> None:
        self._setting, bench = setting, setting.bench
        self._pairs = min(settings.pairs, len(setting.examples))
        rows = np.arange(min(_PROBED, len(setting.examples)))
        batch = bench.batch(rows)
        # The first run of a model is slower than those that follow.
        bench.patcher.run(batch)
        started = time.perf_counter()
        bench.patcher.hooked(batch, [])
        seconds = time.perf_counter() - started
        self._layers = bench.patcher.last + 1
        self._layer = seconds / len(rows) / self._layers
        self._scale = 1.0

    def of(self, stage: Stage) -> float:
        """Return the seconds that the test of a stage takes, its capture included."""
        setting, bench = self._setting, self._setting.bench
        layer = start_of(stage, bench.patcher.last)
        inputs = setting.examples.inputs
        share = 1.0
        if bench.patcher.skips_tokens:
            share -= max(0, int(inputs.at(bench.column(stage)).min())) / inputs.width
        runs = self._layers + (len(CONDITIONS) + 1) * (self._layers - layer) * share
        seconds = self._pairs * (runs * self._layer + _PER_PAIR)
        if not setting.activations.at_hand(stage):
            seconds += len(setting.examples) * (layer + 1) * self._layer
        return self._scale * seconds

    def learn(self, expected: float, taken: float) -> None:
        """Correct the estimates by how long a test really took."""
        self._scale *= min(4.0, max(0.25, taken / max(expected, 1e-6)))


def by_importance(setting: Setting, stages: Sequence[Stage]) -> list[Stage]:
    """Return stages in the order of what other examples' vectors would cost there, most first."""
    costs = stage_costs(setting.bench, stages)
    return sorted(stages, key=lambda stage: -costs[stage])


def spend(
    setting: Setting,
    stages: Sequence[Stage],
    settings: Settings,
    budget: float,
    test: Callable[[Stage], None],
    watch: Watch,
) -> list[Stage]:
    """Test stages while the time lasts, those that matter most first; return those left out.

    Raises
    ------
    ValueError
        Where the time is too short for one test.
    """
    deadline = Deadline(budget)
    order = by_importance(setting, stages)
    times = SwapTestTimes(setting, settings)
    least = min(times.of(stage) for stage in order)
    if times.of(order[0]) > deadline.left:
        spent = budget - deadline.left
        needed = duration_text(spent + 1.2 * max(least, times.of(order[0])))
        raise ValueError(
            f"a budget of {budget!r} s is too short for one swap test of "
            f"{settings.pairs:,} pairs, which takes about {duration_text(times.of(order[0]))} here "
            f"after {duration_text(spent)} to find out where to begin: give at least {needed!r}, "
            "or ask for fewer pairs."
        )
    left_out: list[Stage] = []
    for done, stage in enumerate(order):
        watch.step(done, len(order))
        expected = times.of(stage)
        if expected > deadline.left:
            left_out.append(stage)
            continue
        started = time.perf_counter()
        test(stage)
        times.learn(expected, time.perf_counter() - started)
    return left_out
