"""Swaps, swap tests and traces of the shipped model, and what traces are worth."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

import clusterwidget as cw
from benchmarks import experiments_page
from benchmarks.timing import print_table
from clusterwidget.interventions.pairs import draw_pairs, draw_receivers
from clusterwidget.results.pairs import CONDITIONS

STAGE = "L1H0.result@S3"
PAIRS = 1000
LOOPED = 150
TRACED = 500
TIMED = 25


def main() -> None:
    """Print how long experiments take, how often traces hold, and what they take on screen."""
    explorer = cw.Explorer(cw.addition.load_model(), cw.addition.problems(10_000, seed=0))
    _swaps(explorer)
    _swap_tests(explorer)
    _traces(explorer)
    experiments_page.main()


def _swaps(explorer: cw.Explorer) -> None:
    explorer.swap(STAGE, 0, 1)
    one = statistics.median(_seconds(lambda: explorer.swap(STAGE, 0, 1)) for _ in range(TIMED))
    fresh = _seconds(lambda: explorer.swap_test(STAGE, progress=_quiet))
    tested = statistics.median(_seconds(partial(_test, explorer, seed)) for seed in (1, 2, 3))
    looped = _loop(explorer) * PAIRS * len(CONDITIONS) / LOOPED
    print_table(
        f"Swap test of {STAGE}, {PAIRS:,} pairs × {len(CONDITIONS)} conditions, 10,000 problems",
        [
            "one swap",
            "test",
            "with the first capture",
            f"a loop of run_with_hooks (from {LOOPED} swaps)",
            "ratio",
        ],
        [
            [
                f"{1e3 * one:.0f} ms",
                f"{tested:.1f} s",
                f"{fresh:.1f} s",
                f"{looped:.0f} s",
                f"{looped / tested:.0f}×",
            ]
        ],
    )


def _test(explorer: cw.Explorer, seed: int) -> None:
    explorer.swap_test(STAGE, seed=seed, progress=_quiet)


def _loop(explorer: cw.Explorer) -> float:
    """Return the seconds that single swaps take, one pair at a time, donor and receiver run."""
    model, examples, stage = explorer.model, explorer.examples, cw.Stage.parse(STAGE)
    assert model is not None
    receivers = draw_receivers(len(examples), LOOPED, 0)
    pairs = draw_pairs(explorer.matrix(STAGE), receivers, None, 0, lambda: None)
    hook, column = f"blocks.{stage.layer}.attn.hook_z", examples.positions.index(stage.position)
    tokens = torch.as_tensor(examples.tokens, dtype=torch.long)

    def run() -> None:
        with torch.no_grad():
            for receiver, donor in zip(receivers, pairs.donors["random"], strict=True):
                _, cache = model.run_with_cache(tokens[donor][None], names_filter=hook)

                def put(z: torch.Tensor, hook: object, given: torch.Tensor = cache[hook]) -> object:
                    z[:, column, stage.head] = given[:, column, stage.head]
                    return z

                model.run_with_hooks(tokens[receiver][None], fwd_hooks=[(hook, put)])

    return _seconds(run)


def _swap_tests(explorer: cw.Explorer) -> None:
    own = cw.Explorer(explorer.model, explorer.examples)
    seconds = _seconds(lambda: own.swap_tests(progress=_quiet))
    table = own.swap_tests(progress=_quiet)
    counts = table["verdict"].value_counts()
    print_table(
        "Swap tests of all result, attn_out and mlp_out stages at answer positions",
        ["stages", "seconds", "aim", *counts.index],
        [[f"{len(table)}", f"{seconds:.0f}", "180", *(str(count) for count in counts)]],
    )


def _traces(explorer: cw.Explorer) -> None:
    rng = np.random.default_rng(0)
    names = list(explorer.examples.answers)
    seconds, sizes, same, other, needed = [], [], [], [], []
    for at, example in enumerate(rng.choice(10_000, TRACED, replace=False).tolist()):
        name = names[at % len(names)]
        start = time.perf_counter()
        trace = explorer.trace(example, name, progress=_quiet)
        seconds.append(time.perf_counter() - start)
        edges = trace.edges[trace.edges["kind"] != "answer"]
        cut = [f"{edge.source} -> {edge.target}" for edge in edges[~edges["kept"]].itertuples()]
        kept = [f"{edge.source} -> {edge.target}" for edge in edges[edges["kept"]].itertuples()]
        sizes.append((len(kept), len(edges)))

        same.append(_stays(explorer, cut, example, name, 8, 0) == 1)
        other.append(_stays(explorer, cut, example, name, 20, 1))
        needed.append(_stays(explorer, kept, example, name, 8, 0) < 1)
    kept_edges, all_edges = np.median(np.array(sizes), axis=0)
    print_table(
        f"Traces of {TRACED} answers, one in five of each digit",
        [
            "seconds, median",
            "p95",
            "edges kept",
            "of",
            "answer stays with the others cut",
            "with 20 fresh examples put in",
            "answer changes with the kept cut",
        ],
        [
            [
                f"{statistics.median(seconds):.2f}",
                f"{np.percentile(seconds, 95):.2f}",
                f"{kept_edges:.0f}",
                f"{all_edges:.0f}",
                f"{np.mean(same):.1%}",
                f"{np.mean(other):.1%}",
                f"{np.mean(needed):.1%}",
            ]
        ],
    )


def _stays(
    explorer: cw.Explorer, cut: list[str], example: int, answer: str, draws: int, seed: int
) -> float:
    """Return with which share of other examples in place of what is cut an answer stays."""
    if not cut:
        return 1.0
    found = explorer.ablate(cut, example, method="resample", draws=draws, seed=seed)
    return float(found["kept"][found["answer"] == answer].iloc[0])


def _quiet(*_: int) -> None:
    """Show no progress."""


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
