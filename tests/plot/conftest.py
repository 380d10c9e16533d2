"""Explorations to draw, and what a figure shows at a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import clusterwidget as cw

N = 90


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


@pytest.fixture(scope="session")
def given() -> cw.Explorer:
    """Return an exploration of given activations: two concepts, one of them missing at times."""
    rng = np.random.default_rng(0)
    tens, units = np.arange(N) // 10, pd.array(np.arange(N) % 3, dtype="Int64")
    units[np.array([4, 50])] = pd.NA
    concepts = {
        "tens": tens,
        "units": units,
        "word": [f"w{index % 5}" for index in range(N)],
        "many": np.arange(N) // 2,
    }
    examples = cw.Examples(
        np.stack([tens, np.arange(N) % 10], axis=1),
        labels=[f"example {index}" for index in range(N)],
        concepts=pd.DataFrame(concepts),
        axes={"0": ("tens", "word")},
    )
    vectors = rng.normal(size=(N, 4)).astype(np.float32)
    vectors[:, 0] += 6 * tens
    return cw.Explorer(examples=examples, activations={"embed@0": vectors, "embed@1": -vectors})


def color_at(ax: Axes, x: float, y: float) -> tuple[int, ...]:
    """Return the color of a figure's pixel at a place in the data of its Axes."""
    canvas: Any = ax.figure.canvas
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    across, up = ax.transData.transform((x, y))
    red, green, blue = pixels[len(pixels) - 1 - int(up), int(across), :3].tolist()
    return red, green, blue
