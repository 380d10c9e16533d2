"""Stage map: a line for each layer, kind and head, a column for each position, as on screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from clusterwidget.core.stages import Stage, StageRow
from clusterwidget.explorer import Explorer
from clusterwidget.plot.axes import LITERAL, bare, prepared, ticks
from clusterwidget.plot.colors import Theme
from clusterwidget.plot.words import plain, visible_token

LINE, COLUMN = 15.0, 26.0
"""Height of a line and width of a column, in the page's pixels: the unit of the map's Axes."""
HATCH = "/////"
"""Of stages where all examples are the same."""

_INCH = 84.0
"""Pixels of the page to an inch of a new figure."""
_TALLEST = 40.0

Place = tuple[str, int | None, int | None]


@dataclass(frozen=True)
class StageMap:
    """Where stages are on the map.

    Attributes
    ----------
    lines : dict of (kind, layer, head) to float
        The middle of each line, from the top.
    headings : dict of int to float
        The middle of the line that heads each layer.
    columns : dict of str to float
        The middle of the column of each position.
    names : dict of (kind, layer, head) to str
        What is written beside each line.
    """

    lines: Mapping[Place, float]
    headings: Mapping[int, float]
    columns: Mapping[str, float]
    names: Mapping[Place, str]

    @classmethod
    def of(
        cls, rows: Iterable[StageRow], positions: Sequence[str], *, folded: bool = False
    ) -> StageMap:
        """Return the map of some rows of stages, in the order of the model.

        Of a folded one, each layer has its heading alone.
        """
        lines: dict[Place, float] = {}
        headings: dict[int, float] = {}
        names: dict[Place, str] = {}
        for layer, of_layer in groupby(rows, key=lambda row: row.layer):
            if layer is not None:
                headings[layer] = (len(lines) + len(headings) + 0.5) * LINE
            if folded and layer is not None:
                continue
            kind = ""
            for row in of_layer:
                head = "" if row.head is None else f"H{row.head}"
                place = (row.kind, row.layer, row.head)
                names[place] = " ".join(filter(None, [row.kind if row.kind != kind else "", head]))
                lines[place] = (len(lines) + len(headings) + 0.5) * LINE
                kind = row.kind
        columns = {name: (index + 0.5) * COLUMN for index, name in enumerate(positions)}
        return cls(lines, headings, columns, names)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in the page's pixels."""
        return len(self.columns) * COLUMN, (len(self.lines) + len(self.headings)) * LINE

    def middle(self, stage: Stage) -> tuple[float, float] | None:
        """Return the middle of a stage's cell, or of its layer's heading where it has no line."""
        y = self.lines.get((stage.kind, stage.layer, stage.head))
        if y is None:
            y = self.headings.get(-1 if stage.layer is None else stage.layer)
        x = self.columns.get(stage.position)
        return None if x is None or y is None else (x, y)


def map_axes(
    found: StageMap, ax: Axes | None, dark: bool | None, tokens: Sequence[str] = ()
) -> tuple[Axes, Theme]:
    """Return Axes for a map, with its lines and columns named, and the figure's colors.

    Parameters
    ----------
    found : StageMap
    ax, dark
        As in `prepared`.
    tokens : sequence of str, optional
        Those of an example, written over the positions.
    """
    width, height = found.size
    ax, theme = prepared(ax, dark, (1.6 + width / _INCH, min(_TALLEST, 1.2 + height / _INCH)))
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    bare(ax, theme)
    ax.xaxis.tick_top()
    longest = max(map(len, found.columns), default=0)
    heads = [plain(name, 12) for name in found.columns]
    if tokens:
        heads = [
            f"{visible_token(token)}\n{head}" for token, head in zip(tokens, heads, strict=True)
        ]
    ax.set_xticks(list(found.columns.values()), heads, **LITERAL)
    upright = longest > 4 or max(map(len, tokens), default=0) > 4
    ax.tick_params(axis="x", labelsize="x-small", rotation=90 if upright else 0)
    sides = [*found.lines.items()]
    ticks(ax, "y", [y for _, y in sides], [found.names[place] for place, _ in sides])
    ax.tick_params(axis="y", labelsize="x-small")
    for layer, y in found.headings.items():
        ax.annotate(
            f"layer {layer}",
            (0, y),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize="x-small",
            fontweight="bold",
            color=theme.soft,
            annotation_clip=False,
        )
    return ax, theme


def draw_cell(
    ax: Axes, middle: tuple[float, float], color: str, *, hatched: str = "", alpha: float = 1
) -> None:
    """Draw the cell of a stage; `hatched` is the color of its hatch, if it has one."""
    x, y = middle
    ax.add_patch(
        Rectangle(
            (x - COLUMN / 2, y - LINE / 2 + 1),
            COLUMN - 1,
            LINE - 2,
            facecolor=color,
            edgecolor=hatched or "none",
            hatch=HATCH if hatched else None,
            linewidth=0,
            alpha=alpha,
        )
    )


def rows_of(ex: Explorer, stages: Iterable[Stage]) -> list[StageRow]:
    """Return the rows of an explorer that some stages are in."""
    there = {(stage.kind, stage.layer, stage.head) for stage in stages}
    return [row for row in ex.stage_set.rows if (row.kind, row.layer, row.head) in there]
