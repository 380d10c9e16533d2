"""Draws the README's figure with `clusterwidget.plot`; ``make picture`` runs it."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

import clusterwidget as cw

FIGURE = Path(__file__).parents[2] / "notebooks" / "figure.png"


def main() -> None:
    """Draw three views of the worked example side by side."""
    mpl.use("agg")
    ex = cw.Explorer(cw.addition.load_model(), cw.addition.problems(10_000, seed=0))
    example = ex.add("1234+5678")
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 5.4), layout="constrained")
    cw.plot.grid(ex, "L0H2.result@=", example, ax=left)
    cw.plot.atlas(ex, ax=middle)
    cw.plot.trace(ex, example, "S1", ax=right)
    figure.savefig(FIGURE, dpi=96)
    print(f"Wrote {FIGURE}.")


if __name__ == "__main__":
    main()
