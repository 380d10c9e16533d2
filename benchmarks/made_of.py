"""What stages are made of, whether the answer follows, and ablations of many stages."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

import clusterwidget as cw
from benchmarks.timing import print_table
from clusterwidget.core.concepts import partitions
from clusterwidget.meaning.fitting import PartsFinder

STAGE = "L1H0.result@S3"
TIMED = 5
SINGLE = 100


def main() -> None:
    """Print how long parts, swap tests with what follows, and ablations take."""
    _one_stage()
    explorer = cw.Explorer(
        cw.addition.load_model(), cw.addition.problems(10_000, seed=0), memory=4 << 30
    )
    _all_stages(explorer)
    _follows(explorer)
    _tests(explorer)
    _ablations(explorer)


def _one_stage() -> None:
    known = partitions(cw.addition.problems(10_000, seed=0).concepts)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((10_000, 128), dtype=np.float32)
    for name in ("L2", "R2", "carry2"):
        part = known.named(name)
        rows += rng.standard_normal((len(part.groups), 128)).astype(np.float32)[part.codes]
    fresh = statistics.median(
        _seconds(lambda: PartsFinder(known, 10_000).parts(rows)) for _ in range(TIMED)
    )
    finder = PartsFinder(known, 10_000)
    finder.parts(rows)
    again = statistics.median(_seconds(lambda: finder.parts(rows)) for _ in range(TIMED))
    print_table(
        f"Parts of one stage, 10,000 × 128, {len(known.all)} concepts, three of them held",
        ["first", "each further", "aim"],
        [[f"{1e3 * fresh:.0f} ms", f"{1e3 * again:.0f} ms", "300 ms"]],
    )


def _all_stages(explorer: cw.Explorer) -> None:
    seconds = _seconds(lambda: explorer.parts_of(progress=_quiet))
    found = explorer.parts_of(progress=_quiet)
    several = sum(len(parts.concepts) > 1 for parts in found.values())
    rest = float(np.nanmedian([parts.unexplained for parts in found.values()]))
    print_table(
        "Parts of all stages of the adder, 10,000 problems, captures included",
        ["stages", "seconds", "aim", "of several concepts", "unexplained, median"],
        [[f"{len(found):,}", f"{seconds:.0f}", "60", f"{several}", f"{rest:.1%}"]],
    )


def _follows(explorer: cw.Explorer) -> None:
    given = explorer.examples
    bare = cw.Examples(
        given.tokens,
        positions=given.positions,
        concepts=given.concepts,
        answers=[cw.Answer(a.name, a.position, a.tokens) for a in given.answers.values()],
    )
    plain, ruled = cw.Explorer(explorer.model, bare), cw.Explorer(explorer.model, given)
    for each in (plain, ruled):
        each.swap_test(STAGE, concept="carry2", progress=_quiet)
    without, following = (
        statistics.median(_seconds(partial(_test, each, seed)) for seed in range(1, 1 + TIMED))
        for each in (plain, ruled)
    )
    print_table(
        f"Swap test of {STAGE}, 1,000 pairs",
        ["without a rule", "with what follows", "ratio", "aim"],
        [[f"{without:.2f} s", f"{following:.2f} s", f"{following / without:.2f}×", "1.5×"]],
    )


def _test(explorer: cw.Explorer, seed: int) -> None:
    explorer.swap_test(STAGE, concept="carry2", seed=seed, progress=_quiet)


def _tests(explorer: cw.Explorer) -> None:
    own = cw.Explorer(explorer.model, explorer.examples)
    shown = ("embed", "pattern", "result", "attn_out", "mlp_out", "resid_post")
    stages = own.stages(shown)
    reached = [stage for stage in stages if stage.position != "S0"]
    seconds = _seconds(lambda: own.swap_tests(reached, progress=_quiet))
    counts = own.swap_tests(reached, progress=_quiet)["verdict"].value_counts()
    print_table(
        "Swap tests of all stages on the map of the adder, 1,000 pairs",
        ["stages", "seconds", "aim", *counts.index],
        [[f"{len(reached)}", f"{seconds:.0f}", "90", *map(str, counts)]],
    )


def _ablations(explorer: cw.Explorer) -> None:
    positions = [answer.position for answer in explorer.examples.answers.values()]
    stages = explorer.stages(["result", "attn_out", "mlp_out"], positions=positions)
    rows = list(range(1000))
    explorer.ablate(stages[0], 0)
    together = _seconds(lambda: explorer.ablate(stages, rows, progress=_quiet))
    one = _seconds(lambda: [explorer.ablate(stages[0], row) for row in rows[:SINGLE]])
    single = one / SINGLE * len(rows) * len(stages)
    print_table(
        f"Ablation of {len(stages)} stages × {len(rows):,} examples, mean",
        ["in one call", f"one call each (from {SINGLE})", "ratio", "aim"],
        [[f"{together:.1f} s", f"{single:.0f} s", f"{single / together:.0f}×", "10×"]],
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _quiet(done: int, total: int) -> None:
    """Report nothing."""
