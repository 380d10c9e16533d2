"""Questions of meaning: the atlas beside a loop, the meaning of a stage, shared concepts."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import clusterwidget as cw
from benchmarks.timing import print_table

LOOPED = 40
BIG = 1_000_000


def main() -> None:
    """Print the atlas of the shipped model, the meaning of a stage, and what neighbors share."""
    _atlas()
    _meaning()
    _questions()


def _atlas() -> None:
    explorer = cw.Explorer(
        cw.addition.load_model(), cw.addition.problems(10_000, seed=0), memory=4 << 30
    )
    explorer.capture(progress=_quiet)
    stages = explorer.stages()
    once = _median(lambda: explorer.atlas(progress=_quiet))
    chosen = np.random.default_rng(0).permutation(len(stages))[:LOOPED]
    looped = _loop(explorer, [stages[index] for index in chosen]) * len(stages) / LOOPED
    many = cw.Explorer(explorer.model, cw.addition.problems(100_000, seed=0))
    forward = _seconds(lambda: many.matrix("logits@S1", progress=_quiet))
    before = _peak()
    streamed = _seconds(lambda: many.atlas(progress=_quiet))
    concepts = len(explorer.partitions().all)
    print_table(
        f"Atlas: {len(stages):,} stages × {concepts} concepts",
        [
            "10,000 problems, captured",
            f"a pandas loop (from {LOOPED} stages)",
            "ratio",
            "100,000 problems, with the forward passes",
            "less the forward passes, against 10,000",
            "added to peak memory",
        ],
        [
            [
                f"{once:.1f} s",
                f"{looped:.0f} s",
                f"{looped / once:.0f}×",
                f"{streamed:.0f} s, of it {forward:.0f} s forward",
                f"{(streamed - forward) / once:.1f}×",
                f"{_peak() - before:.0f} MB",
            ]
        ],
    )


def _loop(explorer: cw.Explorer, stages: list[cw.Stage]) -> float:
    """Return the seconds that grouping by each concept at each stage takes."""

    def run() -> None:
        for stage in stages:
            frame = pd.DataFrame(explorer.matrix(stage))
            total = float(((frame - frame.mean()) ** 2).to_numpy().sum())
            for partition in explorer.partitions().all:
                groups = frame.groupby(partition.codes)
                within = float(((frame - groups.transform("mean")) ** 2).to_numpy().sum())
                assert within <= total * 1.001

    return _seconds(run)


def _meaning() -> None:
    explorer = _planted(128)
    partitions = _seconds(explorer.partitions)
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    found = explorer.meaning("embed@=")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert found.concept == "S2"
    print_table(
        f"Meaning of one stage, {BIG:,} × 128, {len(explorer.partitions().all)} concepts",
        ["concepts, once", "meaning", "of it CPU", "aim", "added to peak memory"],
        [
            [
                f"{partitions:.1f} s",
                f"{wall:.1f} s",
                f"{cpu:.1f} s",
                "10 s",
                f"{_peak() - before:.0f} MB",
            ]
        ],
    )


def _questions() -> None:
    explorer = _planted(32)
    explorer.shared("embed@=", 0)
    neighbors = _median(lambda: explorer.neighbors("embed@=", 7))
    shared = _median(lambda: explorer.shared("embed@=", 7))
    print_table(
        f"One example among {BIG:,} × 32, {explorer.examples.concepts.shape[1]} concepts (ms)",
        ["neighbors", "shared", "aim, each"],
        [[f"{1e3 * neighbors:.0f}", f"{1e3 * shared:.0f}", "250"]],
    )


def _planted(dimensions: int) -> cw.Explorer:
    """Return a million problems at one stage of noise that holds one digit of the answer."""
    problems = cw.addition.problems(BIG, seed=0)
    rows = np.random.default_rng(0).standard_normal((BIG, dimensions), dtype=np.float32)
    rows[:, :10] += 4 * np.eye(10, dtype=np.float32)[problems.concepts["S2"].to_numpy()]
    return cw.Explorer(examples=problems, activations={"embed@=": rows})


def _quiet(*_: int) -> None:
    """Show no progress."""


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _median(run: Callable[[], object], rounds: int = 3) -> float:
    return statistics.median(_seconds(run) for _ in range(rounds))
