"""A picture of the atlas: a cell for each stage, in the color of the concept that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from clusterwidget.core.stages import row_name
from clusterwidget.meaning.atlas import NOTHING, SAME, Atlas
from clusterwidget.meaning.hues import Hue, hues_of
from clusterwidget.meaning.shares import Float64Array

_NEUTRAL = "#e9ecef"
_SAME = "#ffffff"


def draw_atlas(
    atlas: Atlas, positions: tuple[str, ...], families: Mapping[str, str], path: Path
) -> None:
    """Draw the atlas and write it to a file; the ending of its name decides the format.

    Parameters
    ----------
    atlas : Atlas
    positions : tuple of str
        Columns of the picture.
    families : mapping of concept to family
        Concepts of a family share a hue; a concept without a family has its own. The strength of
        the color is the explained share.
    path : Path
    """
    rows = list(dict.fromkeys((stage.kind, stage.layer, stage.head) for stage in atlas.stages))
    cells = np.ones((len(rows), len(positions), 3))
    all_hues, hue_of = hues_of(atlas.partitions, families)
    hues = [all_hues[index] for index in hue_of]
    for stage, best, shares in zip(atlas.stages, atlas.best(), atlas.shares, strict=True):
        place = rows.index((stage.kind, stage.layer, stage.head)), positions.index(stage.position)
        cells[place] = _color(best, shares, hues)
    figure = Figure(figsize=(2.2 + 0.45 * len(positions), 1.2 + 0.2 * len(rows)))
    axes = figure.subplots()
    axes.imshow(cells, aspect="auto")
    axes.set_xticks(range(len(positions)), positions)
    axes.set_yticks(range(len(rows)), [row_name(*row) for row in rows], fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(positions)) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    patches = [Patch(color=hue.color, label=hue.name) for hue in all_hues]
    patches.append(Patch(color=_NEUTRAL, label="nothing that was named"))
    figure.legend(handles=patches, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def _color(best: int, shares: Float64Array, hues: list[Hue]) -> tuple[float, ...]:
    if best == SAME:
        return to_rgb(_SAME)
    neutral = np.array(to_rgb(_NEUTRAL))
    if best == NOTHING:
        return tuple(neutral)
    strength = float(np.clip(shares[best], 0, 1))
    return tuple(neutral + strength * (np.array(to_rgb(hues[best].color)) - neutral))
