"""The map of examples as a figure: each a point, the near ones over the far ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from clusterwidget.meaning.layouts import Layout
from clusterwidget.plot.axes import LITERAL, bare, inches
from clusterwidget.plot.colors import FADED, Theme
from clusterwidget.plot.scene import Scene

_GROUND = "#5c616c"
"""Under the points, as on screen: every color of a palette stands out from it."""
_LARGEST = 6.0
"""Points (1/72 inch) across a point."""
_MOST_VECTORS = 20_000
"""More points than this are saved as pixels."""
_MARGIN = 0.04
"""Of the width or height, around the outermost points."""


def draw_points(ax: Axes, shown: Scene, layout: Layout, theme: Theme) -> None:
    """Draw the map on Axes, and say at its edges what its axes are."""
    n = len(layout.points)
    width, height = inches(ax)
    size = float(np.clip(0.8 * 72 * np.sqrt(width * height / n), 0.4, _LARGEST))
    # Those that are faded lie under all others, and the nearest on top.
    order = shown.order[::-1]
    strength = np.full(n, 1.0)
    if shown.mask is not None:
        order = np.concatenate([order[~shown.mask[order]], order[shown.mask[order]]])
        strength[~shown.mask] = FADED / 255
    colors = np.column_stack([shown.table[shown.indexes] / 255, strength])[order]
    ax.set_facecolor(_GROUND)
    ax.scatter(
        layout.points[order, 0],
        layout.points[order, 1],
        s=size**2,
        c=colors,
        linewidths=0,
        rasterized=n > _MOST_VECTORS,
        label="examples",
    )
    x, y = layout.points[shown.selected]
    for color, line in (("white", 3.2), (theme.accent, 1.6)):
        ax.scatter(
            [x],
            [y],
            s=(size + 4) ** 2,
            facecolors="none",
            edgecolors=color,
            linewidths=line,
            zorder=3,
        )
    _fit(ax, layout.points.min(axis=0), layout.points.max(axis=0), width / height)
    bare(ax, theme)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel(_said(layout, 0), color=theme.ink, fontsize="small", **LITERAL)
    ax.set_ylabel(_said(layout, 1), color=theme.ink, fontsize="small", **LITERAL)
    ax.xaxis.set_label_position("top")


def _fit(
    ax: Axes, least: npt.NDArray[np.float32], most: npt.NDArray[np.float32], aspect: float
) -> None:
    """Set the limits such that both axes have one scale, and all points have room."""
    span = np.maximum(most - least, 1e-12)
    high = max(span[1], span[0] / aspect) * (1 + 2 * _MARGIN)
    middle = (least + most) / 2
    ax.set_xlim(middle[0] - high * aspect / 2, middle[0] + high * aspect / 2)
    ax.set_ylim(middle[1] - high / 2, middle[1] + high / 2)


def _said(layout: Layout, axis: int) -> str:
    if layout.shares is None:
        return "" if axis else "UMAP: only what is close together tells something"
    of = "" if axis else " of the variance"
    return f"component {axis + 1}: {layout.shares[axis]:.0%}{of}"
