"""Axes: the matplotlib Axes that a figure is drawn on, its colors and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from clusterwidget.core.checks import flag, shown
from clusterwidget.explorer import Explorer
from clusterwidget.plot.colors import DARK, LIGHT, Theme
from clusterwidget.plot.words import plain

LITERAL: dict[str, Any] = {"parse_math": False, "usetex": False}
"""Of every text: a label is text, and no formula."""

CHARACTER = 0.075
"""Inches that a character of a label takes up."""

_TEXT_STAYS_TEXT: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}


class TextFigure(Figure):
    """A figure whose text is saved as text, which journals ask for and editors can change."""

    def savefig(self, *args: Any, **options: Any) -> None:
        """Save the figure, as matplotlib does."""
        with rc_context(_TEXT_STAYS_TEXT):
            super().savefig(*args, **options)


def prepared(ax: Axes | None, dark: bool | None, size: tuple[float, float]) -> tuple[Axes, Theme]:
    """Return the Axes to draw on, those of a new figure where none are given, and its colors.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
    dark : bool, optional
        By default as the background is, which follows matplotlib's style.
    size : tuple of float
        Of a new figure, in inches.
    """
    chosen = None if dark is None else DARK if flag("dark", dark) else LIGHT
    if ax is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size, layout="constrained", FigureClass=TextFigure)
        ax = figure.subplots()
        if chosen is not None:
            figure.set_facecolor(chosen.ground)
    elif not isinstance(ax, Axes):
        raise TypeError(
            f"ax must be the Axes of a matplotlib figure, such as plt.subplots() gives, not "
            f"{shown(ax)}."
        )
    if chosen is not None:
        ax.set_facecolor(chosen.ground)
        return ax, chosen
    ground = ax.get_facecolor()
    red, green, blue = to_rgb(ground)
    dim = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
    return ax, replace(DARK if dim else LIGHT, ground=to_hex(ground))


def required(ex: Any) -> Explorer:
    """Return what is drawn of, or raise TypeError where it is no Explorer."""
    if not isinstance(ex, Explorer):
        raise TypeError(
            f"ex must be a clusterwidget.Explorer, not {shown(ex)}: make one with "
            "Explorer(model, examples), or open a saved one."
        )
    return ex


def inches(ax: Axes) -> tuple[float, float]:
    """Return the width and height of Axes."""
    place = ax.get_position(original=True)
    figure = ax.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    return max(0.2, place.width * width), max(0.2, place.height * height)


def titled(ax: Axes, text: str, theme: Theme) -> None:
    """Give Axes a title, at their left."""
    ax.set_title(
        plain(text, 120),
        loc="left",
        fontsize="medium",
        fontweight="bold",
        color=theme.ink,
        **LITERAL,
    )


def bare(ax: Axes, theme: Theme) -> None:
    """Leave out frames and the lines of ticks: what is drawn has edges of its own."""
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize="small", colors=theme.soft)


def ticks(ax: Axes, side: str, at: Sequence[float], labels: Sequence[str], **style: Any) -> None:
    """Write labels along the ``x`` or ``y`` side; a label is text, also with dollar signs."""
    setter = ax.set_xticks if side == "x" else ax.set_yticks
    setter(at, [plain(label) for label in labels], **LITERAL, **style)


def key(
    ax: Axes,
    patches: Sequence[Patch],
    labels: Sequence[str],
    theme: Theme,
    title: str = "",
    *,
    lower: float = 0.08,
) -> None:
    """Say under the Axes, so many inches below, what colors stand for."""
    legend = ax.legend(
        handles=list(patches),
        # A label that begins with an underscore would be left out: it is written afterwards.
        labels=["·"] * len(patches),
        title=title or None,
        loc="upper left",
        bbox_to_anchor=(0, -lower / inches(ax)[1]),
        borderaxespad=0,
        ncols=max(1, int(inches(ax)[0] / (CHARACTER * (5 + max(map(len, map(plain, labels))))))),
        frameon=False,
        fontsize="small",
        handlelength=1,
        handleheight=1,
        columnspacing=1.2,
        alignment="left",
    )
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set(text=plain(label), color=theme.soft, **LITERAL)
    legend.get_title().set(
        text=plain(title), color=theme.ink, fontsize="small", fontweight="bold", **LITERAL
    )
