"""Capturing to disk: beside the bare forward passes, and how much memory it takes.

Not among the others: ``python -m benchmarks.large`` takes a quarter of an hour and 2 GB of disk.
Another number of problems may follow.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch

import clusterwidget as cw
from benchmarks.memory import Watched
from benchmarks.timing import print_table

N = 1_000_000
KIND = "attn_out"
PARTS = 10
"""Passes and captures take turns, so that what else the machine does meets both alike."""


def main(n: int) -> None:
    """Print the table."""
    model = cw.addition.load_model()
    folder = Path(tempfile.mkdtemp(prefix="large-"))
    passes = captures = 0.0
    try:
        with Watched() as watch:
            for part in range(PARTS):
                problems = cw.addition.problems(n // PARTS, seed=part)
                explorer = cw.Explorer(model, problems)
                stages = explorer.stages(kinds=KIND)
                size = 14_336 // problems.tokens.shape[1]
                start = time.perf_counter()
                with torch.no_grad():
                    for batch in torch.split(torch.as_tensor(problems.tokens).long(), size):
                        model(batch)
                middle = time.perf_counter()
                explorer.capture(stages, store=folder / f"{part}.zarr", progress=lambda *_: None)
                captures += time.perf_counter() - middle
                passes += middle - start
                shutil.rmtree(folder / f"{part}.zarr")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_table(
        f"{KIND} at every layer and position of {n:,} problems, to disk, float32",
        ["forward passes", "with the capture", "ratio", "most memory, above what was held before"],
        [
            [
                f"{passes:.0f} s",
                f"{captures:.0f} s",
                f"{captures / passes:.2f}×",
                f"{watch.most - watch.before:.0f} MB",
            ]
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else N)
