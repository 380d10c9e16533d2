"""How long figures take, and the picture that a notebook's output holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

import clusterwidget as cw
from benchmarks.timing import medians, print_table
from clusterwidget.plot.scene import scene
from clusterwidget.plot.still import still

STAGE = "embed@L0"
SIZES = (10_000, 100_000, 1_000_000)


def main() -> None:
    """Print the times of the grid as a figure and as a notebook's picture, by examples."""
    mpl.use("agg")
    rows = []
    for n in SIZES:
        explorer = _explored(n)
        runs: dict[str, Callable[[], object]] = {
            "figure": partial(_figure, explorer),
            "picture": partial(_picture, explorer),
        }
        taken = medians(runs, rounds=5)
        weight = len(_picture(explorer)) / 1000
        rows.append(
            [f"{n:,}", *(f"{1e3 * taken[name]:.0f} ms" for name in runs), f"{weight:.0f} kB"]
        )
    print_table(
        "`cw.plot.grid`, and the picture in a notebook's output; unrelated vectors, width 128",
        ["examples", "`plot.grid`", "picture", "its size"],
        rows,
    )


def _explored(n: int) -> cw.Explorer:
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 10, (n, 2))
    examples = cw.Examples(
        digits,
        positions=["L0", "R0"],
        concepts=pd.DataFrame(digits, columns=["L0", "R0"]),
        axes={"L0": ("L0", "R0")},
    )
    vectors = rng.standard_normal((n, 128), dtype=np.float32)
    return cw.Explorer(examples=examples, activations={STAGE: vectors})


def _figure(explorer: cw.Explorer) -> None:
    cw.plot.grid(explorer, STAGE, 0)
    plt.close("all")


def _picture(explorer: cw.Explorer) -> bytes:
    return still(scene(explorer, STAGE, 0)).png


if __name__ == "__main__":
    main()
