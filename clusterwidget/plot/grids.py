"""The grid of examples as a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle

from clusterwidget.core.checks import flag
from clusterwidget.core.stages import Stage
from clusterwidget.explorer import Explorer
from clusterwidget.plot.axes import (
    CHARACTER,
    LITERAL,
    bare,
    inches,
    key,
    prepared,
    required,
    ticks,
    titled,
)
from clusterwidget.plot.colors import FADED as OPACITY
from clusterwidget.plot.colors import Theme, ramp_colors, value_colors
from clusterwidget.plot.lattice import FADED, Lattice
from clusterwidget.plot.points import draw_points
from clusterwidget.plot.scene import DISTANCE, Coded, Scene, scene
from clusterwidget.plot.words import distance_text, plain, value_text

_DPI = 192
"""Pixels of an inch: two to each of a screen's 96."""
_MOST_DOTS = 2000
_LEAST_CELL_FOR_DOTS = 3
_BINS = 72
_MOST_SWATCHES = 16
_LINE = 0.14
"""Inches that a line of text takes up."""


def grid(
    ex: Explorer,
    stage: Stage | str,
    example: int,
    *,
    color_by: str = DISTANCE,
    arrange: str = "lattice",
    arrange_by: Sequence[str] | str | None = None,
    without: str | Sequence[str] = (),
    metric: str = "l2",
    filter: str = "",  # noqa: A002 - as the widget's trait
    scale: str = "linear",
    palette: str = "viridis",
    near: str = "bright",
    k: int | None = None,
    legend: bool = True,
    ax: Axes | None = None,
    dark: bool | None = None,
) -> Axes:
    """Draw the grid: one cell for each example, colored by its distance to one of them.

    The same picture as the widget's: two concepts are the rows and columns, and a block holds the
    examples with one pair of values, nearest first. The selected example is framed, the nearest
    have a dot.

    Parameters
    ----------
    ex : Explorer
    stage : Stage or address
    example : int
        Index of the selected example.
    color_by : str
        ``"distance"``, ``"cluster"``, or the name of a concept.
    arrange : str
        ``"lattice"``; ``"map"``, where each example is a point on the two leading principal
        components; or ``"umap"``. See `Explorer.layout`.
    arrange_by : two str, or "plain", optional
        Concepts that are the rows and the columns; ``"plain"`` for the examples' own order. By
        default the pair that suits the stage.
    without : str or iterable of str, optional
        Concepts that are set aside.
    metric : str
        What the distances are: see `Explorer.matrix`.
    filter : str
        Fades all examples but those that it lets through: see `Examples.where`.
    scale : str
        How colors go with distance: ``"linear"``, ``"rank"`` or ``"log"``.
    palette : str
        ``"viridis"``, ``"cividis"`` or ``"gray"``.
    near : str
        Whether near examples are ``"bright"`` or ``"dark"``.
    k : int, optional
        How many of the nearest have a dot; as in `Explorer.neighbors` by default.
    legend : bool
        Whether it is said under the grid what the colors mean.
    ax : matplotlib.axes.Axes, optional
        Those of a new figure by default; its text is saved as text.
    dark : bool, optional
        By default as the background is, which follows matplotlib's style.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError, IndexError
        For an example, a stage or a concept that there is not, before anything is drawn.

    See Also
    --------
    ClusterWidget : the same to click.

    Examples
    --------
    >>> ax = cw.plot.grid(ex, "L1H0.result@S3", 42)
    >>> ax.get_title(loc="left")
    '2688+9707=12395 at L1H0.result@S3'
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('R1', 'L1')
    >>> ax.figure.savefig(folder / "grid.pdf")
    """
    flag("legend", legend)
    shown = scene(
        required(ex),
        stage,
        example,
        color_by=color_by,
        arrange=arrange,
        arrange_by=arrange_by,
        without=without,
        metric=metric,
        filter=filter,
        scale=scale,
        palette=palette,
        near=near,
        k=k,
    )
    ax, theme = prepared(ax, dark, (5.6, 5.6))
    if shown.layout is None:
        lattice = _lattice(ax, shown)
        _cells(ax, shown, lattice)
        _marks(ax, shown, lattice, theme)
        _edges(ax, shown, lattice, theme)
    else:
        draw_points(ax, shown, shown.layout, theme)
    titled(ax, f"{plain(shown.label)} at {shown.stage}", theme)
    if legend and shown.concept is not None:
        _values(ax, shown.concept, shown.palette, theme)
    elif legend:
        _distances(ax, shown, theme)
    return ax


def _lattice(ax: Axes, shown: Scene) -> Lattice:
    """Return the lattice that fills the Axes, at two pixels to each of a screen."""
    arrangement = shown.arrangement
    width, height = (int(min(20, side) * _DPI) for side in inches(ax))
    gap = 2 if arrangement.across > 12 or width < 2 * 320 else 4
    return Lattice.fit(
        width, height, arrangement.across, arrangement.down, arrangement.capacity, gap
    )


def _cells(ax: Axes, shown: Scene, lattice: Lattice) -> None:
    places = lattice.paint(shown.arrangement, shown.indexes, shown.mask)
    # What is faded comes after what is not, and the gap, -1, is the last.
    table = np.zeros((2 * FADED + 1, 4), np.uint8)
    table[:FADED, :3] = table[FADED : 2 * FADED, :3] = shown.table
    table[:FADED, 3], table[FADED : 2 * FADED, 3] = 255, OPACITY
    pixels = table[places]
    ax.imshow(
        pixels, interpolation="none", extent=(0, lattice.width, lattice.height, 0), aspect="equal"
    )
    ax.set_autoscale_on(False)


def _marks(ax: Axes, shown: Scene, lattice: Lattice, theme: Theme) -> None:
    """Frame the selected example's cell, and put a dot on the nearest ones'."""
    wide, high = lattice.cell_width, lattice.cell_height
    cell = min(wide, high)
    if lattice.per_cell == 1 and cell >= _LEAST_CELL_FOR_DOTS:
        dot = max(1, round(cell / 3))
        corners = lattice.corners(shown.arrangement, shown.near[:_MOST_DOTS])
        corners += np.array([(wide - dot) // 2, (high - dot) // 2])
        square = dot * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        ax.add_collection(
            PolyCollection(
                corners[:, None] + square, color=theme.accent, linewidth=0, label="nearest"
            ),
            autolim=False,
        )
    corner = lattice.corners(shown.arrangement, np.array([shown.selected]))[0]
    for color, line in (("white", 3.2), (theme.accent, 1.6)):
        ax.add_patch(
            Rectangle(
                (float(corner[0]), float(corner[1])),
                wide,
                high,
                fill=False,
                edgecolor=color,
                linewidth=line,
                clip_on=False,
                zorder=3,
            )
        )


def _edges(ax: Axes, shown: Scene, lattice: Lattice, theme: Theme) -> None:
    """Write at the edges what the rows and columns of blocks stand for."""
    bare(ax, theme)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    arrangement, (width, height) = shown.arrangement, inches(ax)
    if arrangement.rows is None or arrangement.columns is None:
        ax.set_xticks([])
        ax.set_yticks([])
        return
    block = np.array([lattice.columns * lattice.cell_width, lattice.rows * lattice.cell_height]) / 2
    widest = max(len(plain(label)) for label in arrangement.columns.labels)
    for side, axis, pitch, middle, room in (
        ("x", arrangement.columns, lattice.pitch_x, block[0], width / (CHARACTER * (widest + 1))),
        ("y", arrangement.rows, lattice.pitch_y, block[1], height / _LINE),
    ):
        every = max(1, int(np.ceil(len(axis.labels) / max(room, 1))))
        at = [pitch * place + middle for place in range(0, len(axis.labels), every)]
        ticks(ax, side, at, axis.labels[::every])
        name = ax.set_xlabel if side == "x" else ax.set_ylabel
        name(plain(axis.name), color=theme.ink, fontweight="bold", fontsize="small", **LITERAL)


def _below(ax: Axes, high: float) -> Axes:
    """Return Axes under the grid, as wide as it, so many inches high."""
    share = high / inches(ax)[1]
    return ax.inset_axes((0, -share - 0.04 / inches(ax)[1], 1, share))


def _distances(ax: Axes, shown: Scene, theme: Theme) -> None:
    """Draw how many examples lie at each distance, over what its color is."""
    scale = shown.scale
    under = _below(ax, 0.5)
    under.set_facecolor("none")
    counts = np.sqrt(scale.histogram(shown.distances, shown.selected, _BINS))
    heights = counts / max(1.0, counts.max())
    lefts, wide = np.arange(_BINS) / _BINS, 0.86 / _BINS
    # One collection: as many patches as bars would take half the time of all the figure.
    corners = [(lefts, 0 * heights), (lefts, heights), (lefts + wide, heights), (lefts + wide, 0)]
    bars = np.stack([np.stack(np.broadcast_arrays(*corner), axis=1) for corner in corners], axis=1)
    under.add_collection(PolyCollection(list(bars), color=theme.bars, linewidth=0), autolim=False)
    across = scale.at(np.linspace(0, 1, 512))
    ramp = shown.table[scale.indexes(across)][None]
    under.imshow(ramp, extent=(0, 1, -0.32, -0.06), aspect="auto", interpolation="nearest")
    under.set(xlim=(0, 1), ylim=(-0.32, 1.0), yticks=[])
    if scale.most > scale.least:
        (at,) = scale.positions(shown.distances[shown.near[-1:]])
        under.axvline(at, color=theme.accent, linewidth=1.2)
    ticks(under, "x", [0, 1], [distance_text(end) for end in scale.at(np.array([0.0, 1.0]))])
    bare(under, theme)
    least, most = under.get_xticklabels()
    least.set_horizontalalignment("left")
    most.set_horizontalalignment("right")
    said = f"distance; the {len(shown.near):,} nearest lie left of the line"
    if CHARACTER * (len(said) + 14) > inches(ax)[0]:
        said = "distance"
    under.set_xlabel(
        said,
        color=theme.soft,
        fontsize="small",
        labelpad=-9,
        **LITERAL,
    )


def _values(ax: Axes, concept: Coded, palette: str, theme: Theme) -> None:
    """Say which color each value of a concept has."""
    if len(concept.values) <= _MOST_SWATCHES:
        colors = [_share(color) for color in value_colors(concept.values, palette)]
        key(ax, [Patch(color=color) for color in colors], concept.values, theme, concept.name)
        return
    under = _below(ax, 0.1)
    ramp = [_share(color) for color in ramp_colors(palette, 256)]
    under.imshow(np.array(ramp)[None], extent=(0, 1, 0, 1), aspect="auto")
    under.set_yticks([])
    ticks(under, "x", [0, 1], [value_text(concept.values[0]), value_text(concept.values[-1])])
    bare(under, theme)
    under.set_xlabel(
        plain(concept.name), color=theme.ink, fontweight="bold", fontsize="small", **LITERAL
    )


def _share(color: Sequence[int]) -> tuple[float, float, float]:
    red, green, blue = (part / 255 for part in color)
    return to_rgb((red, green, blue))
