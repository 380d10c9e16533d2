"""What a user waits for before anything is on screen, and how much travels to the page."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import sys
import time
from pathlib import Path

import clusterwidget
from benchmarks.timing import print_table

ROUNDS = 3


def main() -> None:
    """Time whole processes, so that everything that is imported counts."""
    static = Path(clusterwidget.__file__).parent / "static"
    bundle = sum(len(gzip.compress(path.read_bytes(), 9)) for path in static.glob("widget.*"))
    empty = _seconds("pass")
    print_table(
        "Starting",
        ["what", "takes"],
        [
            ["import clusterwidget", f"{_seconds('import clusterwidget') - empty:.2f} s"],
            ["import transformer_lens", f"{_seconds('import transformer_lens') - empty:.2f} s"],
            ["bundle, gzipped", f"{bundle / 1000:.1f} kB"],
        ],
    )


def _seconds(code: str) -> float:
    """Return the median time of a Python process that runs this code."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
