"""Running swap tests: pairs through the model, in parts, so that what was done is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.interventions.pairs import NOBODY, Pairs
from clusterwidget.interventions.patching import Run, start_of
from clusterwidget.results.swaptest import WITHOUT, Outcomes
from clusterwidget.interventions.workbench import Workbench, losses
from clusterwidget.core.stages import Stage

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_AT_ONCE = 256
"""Pairs between two looks at whether to stop."""

MEASURED = 256
"""Pairs of which it is told how far out they are: a median needs no more, and it takes time."""


def run_pairs(
    bench: Workbench,
    stage: Stage,
    vectors: Float32Array,
    pairs: Pairs,
    outcomes: Outcomes,
    tick: Callable[[int], None],
    *,
    free: bool,
) -> None:
    """Run the pairs that `outcomes` lacks, and fill it in as they are done.

    Parameters
    ----------
    bench : Workbench
    stage : Stage
    vectors : numpy.ndarray, shape (N, d)
        What the stage's carrier holds (see `Patcher.carrier`), of all examples.
    pairs : Pairs
    outcomes : Outcomes
    tick : function of how many runs were done since the last call
        May raise to call the test off; pairs that were completed stay in `outcomes`.
    free : bool
    """
    size = min(MOST_AT_ONCE, bench.patcher.batch_size(bench.examples.tokens.shape[1]))
    mean = torch.as_tensor(vectors.mean(axis=0, dtype=np.float64).astype(np.float32))[None]
    while outcomes.done < len(pairs.receivers):
        part = slice(outcomes.done, min(outcomes.done + size, len(pairs.receivers)))
        _run_part(bench, stage, vectors, mean, pairs, part, outcomes, tick, free=free)
        outcomes.done = part.stop


def _run_part(
    bench: Workbench,
    stage: Stage,
    vectors: Float32Array,
    mean: torch.Tensor,
    pairs: Pairs,
    part: slice,
    outcomes: Outcomes,
    tick: Callable[[int], None],
    *,
    free: bool,
) -> None:
    patcher, column = bench.patcher, bench.column(stage)
    start = start_of(stage, patcher.last)
    receivers = pairs.receivers[part]
    tokens = patcher.tensor(bench.examples.tokens[receivers])
    forced = patcher.run(tokens, start)
    right = bench.right_tokens(receivers, forced)
    outcomes.right_tokens[part] = right.cpu().numpy()
    without = bench.answered(tokens, patcher.run, free=True) if free else forced
    _record(outcomes, WITHOUT, part, without, right, np.full(len(receivers), fill_value=True))
    tick(len(receivers))
    for condition in (*pairs.donors, "mean"):
        donors = pairs.donors.get(condition, np.full(len(pairs.receivers), NOBODY))[part]
        there = (donors != NOBODY) | (condition == "mean")
        values = mean.expand(len(receivers), -1)
        if condition != "mean":
            values = torch.as_tensor(vectors[np.where(there, donors, receivers)])

        def swapped(batch: torch.Tensor, values: torch.Tensor = values) -> Run:
            entering = patcher.run(batch, start).entering if free else forced.entering
            return patcher.patched(batch, stage, values, entering)

        found = bench.answered(tokens, swapped, free=free)
        _record(outcomes, condition, part, found, right, there)
        if part.start < MEASURED:
            apart = np.stack([receivers, donors], axis=1)
            ratios = bench.unusual(found, apart, column)
            outcomes.unusual[condition][part] = np.where(there[:, None], ratios, np.nan)
        tick(len(receivers))


def _record(
    outcomes: Outcomes,
    condition: str,
    part: slice,
    found: Run,
    right: torch.Tensor,
    there: npt.NDArray[np.bool_],
) -> None:
    loss = losses(found.logits, right)
    is_right = (found.logits.argmax(dim=-1) == right).double().cpu().numpy()
    outcomes.loss[condition][part] = np.where(there[:, None], loss, np.nan)
    outcomes.right[condition][part] = np.where(there[:, None], is_right, np.nan)
