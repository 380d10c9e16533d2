"""Ablations: many stages, all examples at once, and what the answers lose.

As `ablation`, for tables such as papers print: Wang et al., "Interpretability in the wild" (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from clusterwidget.core.checks import shown
from clusterwidget.core.questions import require_reached
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.ablation import Method, require_zero_fits
from clusterwidget.interventions.runs import Run, start_of
from clusterwidget.interventions.workbench import Workbench, losses
from clusterwidget.model.batch import Batch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Readout = Callable[[npt.NDArray[np.float32]], Any]
"""Takes logits, shape (n, answers, d_vocab), and returns one number for each example."""

_EXAMPLES_AT_ONCE = 512


@dataclass
class _Sums:
    """What came of the runs of one stage, summed over examples and draws."""

    lost: Floats
    kept: Floats
    read: list[Floats]
    runs: int = 0


def ablate_stages(
    bench: Workbench,
    stages: Sequence[Stage],
    rows: Ints,
    method: Method,
    readout: Readout | None,
    seed: int,
    watch: Watch,
) -> pd.DataFrame:
    """Ablate each stage in all these examples: see `Explorer.ablate`.

    A batch of examples is run once as it is, up to each layer; the runs that follow it start there.
    """
    for stage in stages:
        bench.patcher.carrier(stage)
        require_reached(bench.answers, bench.column(stage), stage)
        if method.name == "zero":
            require_zero_fits(stage)
    means = _means(bench, stages, watch) if method.name == "mean" else {}
    found = {
        stage: _Sums(np.zeros(len(bench.answers)), np.zeros(len(bench.answers)), [])
        for stage in stages
    }
    size = min(_EXAMPLES_AT_ONCE, bench.batch_size)
    by_start: dict[int, list[Stage]] = {}
    for stage in stages:
        by_start.setdefault(start_of(stage, bench.patcher.last), []).append(stage)
    draws = method.draws if method.name == "resample" else 1
    donors = _donors(len(bench.examples), rows, draws, seed)
    before_read: list[Floats] = []
    done, total = 0, len(rows) * len(stages) * draws
    with watch.bar(total, "run") as watch:
        for first in range(0, len(rows), size):
            part = slice(first, min(first + size, len(rows)))
            batch = bench.batch(rows[part])
            for start, some in by_start.items():
                before = bench.patcher.run(batch, start)
                if start == next(iter(by_start)) and readout is not None:
                    before_read.append(_read(readout, before, len(batch)))
                for stage in some:
                    for draw in range(draws):
                        values = _values(bench, stage, batch, means, donors[part, draw], method)
                        after = bench.patcher.patched(batch, stage, values, before)
                        _add(found[stage], before, after, readout)
                        done += len(batch)
                        watch.step(done, total)
    return _table(bench, found, before_read)


def _donors(n: int, rows: Ints, draws: int, seed: int) -> Ints:
    """Draw other examples for each row, shape (rows, draws)."""
    rng = np.random.default_rng([seed, 5])
    donors: Ints = (rows[:, None] + rng.integers(1, n, (len(rows), draws))) % n
    return donors


def _means(bench: Workbench, stages: Sequence[Stage], watch: Watch) -> dict[Stage, torch.Tensor]:
    """Return the mean of what each stage's carrier holds over the reference examples."""
    parts = np.array_split(bench.references, -(-len(bench.references) // bench.batch_size))
    sums: dict[Stage, torch.Tensor] = {}
    for part in parts:
        for stage, rows in bench.patcher.vectors_of(bench.batch(part), stages).items():
            added = rows.double().sum(dim=0)
            sums[stage] = sums[stage] + added if stage in sums else added
        watch.check()
    return {stage: (total / len(bench.references)).float() for stage, total in sums.items()}


def _values(
    bench: Workbench,
    stage: Stage,
    batch: Batch,
    means: dict[Stage, torch.Tensor],
    donors: Ints,
    method: Method,
) -> torch.Tensor:
    if method.name == "mean":
        return means[stage].expand(len(batch), -1)
    if method.name == "zero":
        width = bench.stage_set.width(bench.patcher.carrier(stage))
        return torch.zeros(len(batch), width)
    return bench.patcher.vectors(bench.batch(donors), stage)


def _add(sums: _Sums, before: Run, after: Run, readout: Readout | None) -> None:
    said = before.logits.argmax(dim=-1)
    sums.lost += (losses(after.logits, said) - losses(before.logits, said)).sum(axis=0)
    sums.kept += (after.logits.argmax(dim=-1) == said).double().sum(dim=0).cpu().numpy()
    sums.runs += len(said)
    if readout is not None:
        sums.read.append(_read(readout, after, len(said)))


def _read(readout: Readout, run: Run, n: int) -> Floats:
    given = readout(run.logits.cpu().numpy())
    try:
        found = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (n,):
        raise ValueError(
            f"readout takes logits of shape {tuple(run.logits.shape)}, (examples, answers, "
            f"vocabulary), and must return one number for each of the {n:,} examples, not "
            f"{shown(given)}."
        )
    return found


def _table(bench: Workbench, found: dict[Stage, _Sums], before_read: list[Floats]) -> pd.DataFrame:
    rows = []
    for stage, sums in found.items():
        column = bench.column(stage)
        for at, question in enumerate(bench.answers):
            if not question.reached_from(column):
                continue
            row: dict[str, Any] = {
                "stage": str(stage),
                "answer": question.name,
                "title": question.title,
                "loss": float(sums.lost[at] / sums.runs),
                "kept": float(sums.kept[at] / sums.runs),
                "runs": sums.runs,
            }
            if before_read:
                row["readout_before"] = float(np.concatenate(before_read).mean())
                row["readout"] = float(np.concatenate(sums.read).mean())
            rows.append(row)
    return pd.DataFrame(rows)
