"""The pictures of the documentation, drawn anew: ``python docs/pictures.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import clusterwidget as cw

FOLDER = Path(__file__).with_name("pictures")


def main() -> None:
    """Draw them."""
    FOLDER.mkdir(exist_ok=True)
    ex = cw.Explorer(cw.addition.load_model("cpu"), cw.addition.problems(2000, seed=0))
    drawn = {
        "grid": cw.plot.grid(ex, "L0H2.result@=", 42),
        "atlas": cw.plot.atlas(ex),
        "trace": cw.plot.trace(ex, 42, "S3"),
    }
    for name, ax in drawn.items():
        ax.figure.savefig(FOLDER / f"{name}.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
