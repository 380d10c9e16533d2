"""A million examples with vectors of your own: the first picture, and what is asked next."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import clusterwidget as cw
from benchmarks.timing import print_table
from clusterwidget.core.watch import Watch
from clusterwidget.wire.replies import reply

N = 1_000_000
WIDTH = 128
STAGE = "L3.resid_post@S3"
FIRST = ("hello", "labels", "tokens", "distances", "concepts")
"""What a page asks for before its first picture."""


def main() -> None:
    """Measure each case in a process of its own, which has imported nothing and cached nothing."""
    rows = []
    for case in CASES:
        command = [sys.executable, "-m", "benchmarks.million", case]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append([case, *output.split()])
    print_table(
        f"{N:,} × {WIDTH} of your own, CPU seconds",
        ["examples", "to the first picture", "meaning", "map", "what chosen ones share"],
        rows,
    )


def _table() -> cw.Examples:
    """Return examples with labels and four concepts."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 10, (N, 4))
    words = np.array([f"word {i}" for i in range(50)])
    concepts = pd.DataFrame(
        {
            "first": tokens[:, 0],
            "second": tokens[:, 1],
            "word": words[rng.integers(0, 50, N)],
            "large": tokens[:, 2] > 5,
        }
    )
    labels = [f"example {i}" for i in range(N)]
    return cw.Examples(tokens, labels=labels, concepts=concepts, positions=["S3", "b", "c", "d"])


def _problems() -> cw.Examples:
    """Return additions: 15 tokens, 33 concepts, five answers, and no labels."""
    known = cw.addition.problems(N, seed=0)
    return cw.Examples(
        known.tokens,
        positions=known.positions,
        concepts=known.concepts,
        answers=known.answers.values(),
        vocabulary=known.vocabulary,
        axes=known.axes,
        families=known.families,
    )


CASES: dict[str, Callable[[], cw.Examples]] = {
    "labels and 4 concepts": _table,
    "additions with 33 concepts, labels made": _problems,
}


def _measure(case: str) -> None:
    # Once to have the arrays; what is measured begins with them.
    given = CASES[case]()
    matrix = np.random.default_rng(1).standard_normal((N, WIDTH), dtype=np.float32)
    first = given.concepts.iloc[:, 0].to_numpy()
    matrix[np.arange(N), first.astype(int) % 10] += 3
    labels = given.labels if case.startswith("labels") else None
    taken = []

    def timed(work: Callable[[], object]) -> None:
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)

    built: list[cw.Explorer] = []

    def to_the_first_picture() -> None:
        examples = cw.Examples(
            given.tokens,
            labels=labels,
            positions=given.positions,
            concepts=given.concepts,
            answers=given.answers.values(),
            vocabulary=given.vocabulary,
        )
        explorer = cw.Explorer(examples=examples, activations={STAGE: matrix})
        widget = cw.ClusterWidget(explorer)
        widget._repr_mimebundle_()
        fields = {
            "stage": STAGE,
            "without": [],
            "metric": "l2",
            "row": 0,
            "names": list(given.concepts)[:2],
        }
        for what in FIRST:
            reply(explorer, {"what": what, **fields}, Watch())
        built.append(explorer)

    timed(to_the_first_picture)
    (explorer,) = built
    timed(lambda: explorer.meaning(STAGE))
    timed(lambda: explorer.layout(STAGE))
    timed(lambda: explorer.shared_by(np.arange(0, N, 3)))
    print(*(f"{seconds:.1f}" for seconds in taken))


if __name__ == "__main__":
    _measure(sys.argv[1])
