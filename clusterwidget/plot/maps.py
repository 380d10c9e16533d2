"""The atlas and a trace as figures: both are drawn on the stage map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Patch, PathPatch
from matplotlib.path import Path

from clusterwidget.core.checks import flag, shown
from clusterwidget.core.stages import Stage, shown_kinds, stage_list
from clusterwidget.explorer import Explorer, Stages
from clusterwidget.meaning.atlas import NOTHING, SAME, Atlas
from clusterwidget.meaning.hues import hues_of
from clusterwidget.plot.arcs import Arc, Dot, arcs_of, dots_of
from clusterwidget.plot.axes import LITERAL, key, required, titled
from clusterwidget.plot.colors import Theme, mixed
from clusterwidget.plot.stagemap import HATCH, StageMap, draw_cell, map_axes, rows_of
from clusterwidget.plot.words import percent_text, plain, visible_token
from clusterwidget.results.trace import Trace

_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_FAINT = 0.32
_MOST_OPEN_LAYERS = 4
"""A map of more layers is folded, as on screen."""
_MOST_WRITTEN = 1
"""Characters of an answer that fit into its circle."""


def atlas(
    ex: Explorer,
    stages: Atlas | Stages | None = None,
    *,
    concept: str | None = None,
    folded: bool | None = None,
    legend: bool = True,
    ax: Axes | None = None,
    dark: bool | None = None,
) -> Axes:
    """Draw the atlas: a cell for each stage, in the hue of the concept that explains it.

    The strength of the color is the explained share. Concepts of one family share a hue. Stages
    where all examples are the same are hatched.

    Parameters
    ----------
    ex : Explorer
    stages : Atlas, or Stage or address, or iterable of them, optional
        An atlas that `Explorer.atlas_of` returned, or the stages to make one of: by default those
        that the widget's map shows first.
    concept : str, optional
        Show how much this one explains; by default the coarsest one that explains most.
    folded : bool, optional
        Whether each layer is one row, which shows at each position the stage that is explained
        most. By default where no stages are named and the model has more than four layers.
    legend : bool
        Whether it is said under the map what the colors mean.
    ax, dark
        As in `grid`.

    Returns
    -------
    matplotlib.axes.Axes
        A cell is 26 wide and 15 high.

    Raises
    ------
    TypeError, ValueError
        For stages and concepts that there are not.

    See Also
    --------
    Explorer.atlas : the shares as a table.

    Examples
    --------
    >>> ax = cw.plot.atlas(ex, ex.stages("result", layers=1))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['result H0', 'H1', 'H2', 'H3']
    """
    flag("legend", legend)
    if folded is not None:
        flag("folded", folded)
    named_none = stages is None
    found = _atlas(ex, stages)
    names = [partition.name for partition in found.partitions.all]
    chosen = None
    if concept is not None:
        chosen = found.partitions.all.index(found.partitions.named(_text("concept", concept)))
    hues, hue_of = hues_of(found.partitions, ex.examples.families)
    rows = rows_of(ex, found.stages)
    if folded is None:
        layers = {row.layer for row in rows} - {None}
        folded = named_none and len(layers) > _MOST_OPEN_LAYERS
    place = StageMap.of(rows, ex.examples.positions, folded=folded)
    ax, theme = map_axes(place, ax, dark)
    best = found.best()
    for middle, at in _strongest(found, best, chosen, place).items():
        named, shares = best[at], found.shares[at]
        if named == SAME:
            draw_cell(ax, middle, theme.ground, hatched=theme.cell)
            continue
        wanted = named if chosen is None else chosen
        color = theme.cell
        if wanted != NOTHING:
            color = shaded(hues[hue_of[wanted]].color, float(shares[wanted]), theme)
        draw_cell(ax, middle, color)
    said = "what explains each stage" if chosen is None else f"explained by {names[chosen]}"
    titled(ax, said, theme)
    if not legend:
        return ax
    if chosen is None:
        there = sorted({hue_of[named] for named in best if named >= 0})
        patches = [Patch(color=hues[index].color) for index in there]
        labels = [hues[index].name for index in there]
        if NOTHING in best:
            patches.append(Patch(color=theme.cell))
            labels.append("nothing that was named")
    else:
        hue = hues[hue_of[chosen]].color
        patches = [Patch(color=shaded(hue, share, theme)) for share in _STEPS]
        labels = [percent_text(share) for share in _STEPS]
    if SAME in best:
        patches.append(
            Patch(facecolor=theme.ground, edgecolor=theme.cell, hatch=HATCH, linewidth=0)
        )
        labels.append("all the same")
    key(ax, patches, labels, theme)
    return ax


def trace(
    ex: Explorer,
    example: int | Trace,
    answer: str | None = None,
    *,
    pruned: bool = False,
    ax: Axes | None = None,
    dark: bool | None = None,
) -> Axes:
    """Draw the trace of an answer: the stages and edges that it came through.

    A circle's size is what the answer loses without the stage. Curves in the accent's color are
    where heads look, as wide as they attend; the others are what is passed on within a position.

    Parameters
    ----------
    ex : Explorer
    example : int or Trace
        Index of the example, which is traced as `Explorer.trace` does by default, or its trace.
    answer : str, optional
        Name of the answer; needed with an index.
    pruned : bool
        Whether what the answer does not need is there too, dashed.
    ax, dark
        As in `grid`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError, IndexError
        For an example or an answer that there is not, and without a model.

    See Also
    --------
    Explorer.trace : as tables.

    Examples
    --------
    >>> ax = cw.plot.trace(ex, 42, "S3")
    >>> ax.get_title(loc="left")
    'S3 = 2 of 2688+9707=12395'
    """
    flag("pruned", pruned)
    found = _trace(required(ex), example, answer)
    stages = [Stage.parse(str(stage)) for stage in found.nodes.index]
    kinds = {stage.kind for stage in stages}
    rows = [row for row in ex.stage_set.rows if row.kind in kinds]
    place = StageMap.of(rows, ex.examples.positions)
    tokens = ex.examples.texts_at(found.example)
    ax, theme = map_axes(place, ax, dark, tokens)
    for row in rows:
        for position, width in zip(ex.examples.positions, row.widths, strict=True):
            middle = place.middle(Stage(row.kind, row.layer, row.head, position))
            if width and middle:
                draw_cell(ax, middle, theme.cell, alpha=_FAINT)
    arcs = arcs_of(found, place, pruned=pruned)
    for arc in sorted(arcs, key=lambda arc: (arc.kept, arc.looks)):
        _draw_arc(ax, arc, theme)
    for dot in sorted(dots_of(found, place, pruned=pruned), key=lambda dot: dot.kept):
        _draw_dot(ax, dot, found.text, theme)
    label = plain(ex.examples.labels[found.example])
    titled(ax, f"{plain(found.answer)} = {visible_token(found.text)} of {label}", theme)
    edges, kept = len(found.edges), int(found.edges["kept"].sum())
    ax.set_xlabel(
        f"{kept:,} of {edges:,} edges carry this answer;\n"
        f"with the others cut it keeps {percent_text(found.kept_probability)}",
        color=theme.soft,
        fontsize="small",
        **LITERAL,
    )
    return ax


def _strongest(
    found: Atlas, best: Sequence[int], chosen: int | None, place: StageMap
) -> dict[tuple[float, float], int]:
    """Return for each cell the stage that it shows: the most explained one, the last of equals."""
    strongest: dict[tuple[float, float], tuple[float, int]] = {}
    for at, (stage, named) in enumerate(zip(found.stages, best, strict=True)):
        middle = place.middle(stage)
        assert middle is not None
        wanted = named if chosen is None or named == SAME else chosen
        strength = -1.0 if named == SAME else 0.0
        if wanted >= 0:
            strength = max(0.0, float(found.shares[at][wanted]))
        if middle not in strongest or strength >= strongest[middle][0]:
            strongest[middle] = (strength, at)
    return {middle: at for middle, (_, at) in strongest.items()}


def shaded(hue: str, share: float, theme: Theme) -> str:
    """Return a hue at the strength of a share, over the neutral color of cells."""
    percent = int(np.floor(100 * min(1.0, max(0.0, share)) + 0.5)) if share == share else 0
    return mixed(hue, percent / 100, theme.cell) if percent else theme.cell


def _atlas(ex: Explorer, stages: Atlas | Stages | None) -> Atlas:
    required(ex)
    if isinstance(stages, Atlas):
        return stages
    if stages is None:
        stages = ex.stages(kinds=shown_kinds(row.kind for row in ex.stage_set.rows))
        if not stages:
            stages = ex.stages()
    else:
        given, stages = stages, stage_list(stages)
        if not stages:
            raise ValueError(f"there is no stage to draw: stages is {shown(given)}.")
    return ex.atlas_of(stages)


def _trace(ex: Explorer, example: int | Trace, answer: str | None) -> Trace:
    if isinstance(example, Trace):
        if answer not in (None, example.answer):
            raise ValueError(
                f"the trace that is given is of the answer {example.answer!r}, not of "
                f"{shown(answer)}: leave answer out."
            )
        return example
    if answer is None:
        names = ", ".join(ex.examples.answers) or "'next'"
        raise TypeError(f"which answer is to be traced? Give answer, one of {names}.")
    return ex.trace(example, answer)


def _text(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be the name of a concept, not {shown(value)}.")
    return value


def _draw_arc(ax: Axes, arc: Arc, theme: Theme) -> None:
    curve = [Path.MOVETO, *[Path.LINETO if len(arc.points) == 2 else Path.CURVE4] * 3]
    color, alpha = (theme.accent, 0.75) if arc.looks else (theme.ink, 0.6)
    ax.add_patch(
        PathPatch(
            Path(np.array(arc.points), curve[: len(arc.points)]),
            fill=False,
            edgecolor=color if arc.kept else theme.soft,
            alpha=alpha if arc.kept else 0.4,
            linestyle="solid" if arc.kept else (0, (1.5, 3)),
            linewidth=0.75 * arc.width,
            capstyle="round" if arc.kept else "butt",
            label="looks" if arc.looks else "passes on",
            zorder=2,
        )
    )


def _draw_dot(ax: Axes, dot: Dot, text: str, theme: Theme) -> None:
    full = dot.kept and not dot.answer
    ax.add_patch(
        Circle(
            dot.middle,
            dot.radius,
            facecolor=theme.ink if full else theme.ground,
            edgecolor=theme.ground if full else theme.ink if dot.kept else theme.soft,
            linewidth=1.0,
            linestyle="solid" if dot.kept else ":",
            label=dot.stage,
            zorder=3,
        )
    )
    if dot.answer and 0 < len(text) <= _MOST_WRITTEN:
        ax.text(
            *dot.middle,
            visible_token(text),
            ha="center",
            va="center",
            fontsize="x-small",
            fontweight="bold",
            color=theme.ink,
            zorder=4,
            **LITERAL,
        )
