"""What a stage is made of, and what a swap test says of it, as bars."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from clusterwidget.core.checks import shown
from clusterwidget.core.stages import Stage, stage_list
from clusterwidget.explorer import Explorer, Stages
from clusterwidget.meaning.hues import hues_of
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
from clusterwidget.plot.colors import Theme, mixed
from clusterwidget.plot.words import percent_text, plain
from clusterwidget.results.swap import UNUSUAL
from clusterwidget.results.swaptest import SwapTest, condition_texts

_PALE, _PALER = 0.55, 0.45
"""Shares of a hue, and of the color of bars, behind text."""
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_PAIRS = {"any": "any two examples", "matched": "two alike in all else"}
_WHOLE, _BASELINE = "random", "mean"
"""Conditions: where the scale begins, and the vector that tells nothing of any example."""


def parts(
    ex: Explorer, stages: Stages, *, ax: Axes | None = None, dark: bool | None = None
) -> Axes:
    """Draw what stages are made of: a bar each, divided into the shares of its parts.

    Parameters
    ----------
    ex : Explorer
    stages : Stage or address, or iterable of them
    ax, dark
        As in `grid`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        For stages that there are not, and where the examples have no concepts.

    See Also
    --------
    Explorer.parts : as a table.

    Examples
    --------
    >>> ax = cw.plot.parts(ex, ["L1H0.result@S3", "L0H2.result@="])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['L1H0.result@S3', 'L0H2.result@=']
    """
    wanted = list(dict.fromkeys(stage_list(stages)))
    if not wanted:
        raise ValueError(f"there is no stage to draw: stages is {shown(stages)}.")
    found = required(ex).parts_of(wanted)
    known = ex.partitions()
    hues, hue_of = hues_of(known, ex.examples.families)
    colors = {
        partition.name: hues[at].color for partition, at in zip(known.all, hue_of, strict=True)
    }
    ax, theme = prepared(ax, dark, (6.0, 1.3 + 0.34 * len(wanted)))
    width, untold = inches(ax)[0], dict[str, str]()
    for line, stage in enumerate(wanted):
        start = 0.0
        for part in found[stage].all:
            share, hue = max(0.0, part.adds), colors[part.names[-1]]
            _block(ax, line, start, share, mixed(hue, _PALE, theme.ground), theme)
            if share * width > CHARACTER * (len(part.name) + 2):
                _inside(ax, line, start + 0.006, part.name, theme)
            else:
                untold[part.name] = mixed(hue, _PALE, theme.ground)
            start += share
        rest = found[stage].unexplained
        if math.isnan(rest):
            _inside(ax, line, 0.006, "all examples are the same here", theme)
        else:
            _block(ax, line, start, max(0.0, rest), theme.cell, theme, hatch="/////")
    ax.set(xlim=(0, 1), ylim=(len(wanted) - 0.5, -0.5))
    bare(ax, theme)
    ticks(ax, "y", range(len(wanted)), [str(stage) for stage in wanted])
    ticks(ax, "x", _SHARES, [percent_text(share) for share in _SHARES])
    titled(ax, "what each stage is made of" if len(wanted) > 1 else "made of", theme)
    ax.set_xlabel("share of the squared distances between examples", **_soft(theme))
    patches = [Patch(color=color) for color in untold.values()]
    patches.append(Patch(facecolor=theme.cell, edgecolor=theme.hover, hatch="/////", linewidth=0))
    key(ax, patches, [*untold, "nothing that was named"], theme, lower=0.42)
    return ax


def swap_test(
    ex: Explorer,
    stage: Stage | str | SwapTest,
    answer: str | None = None,
    concept: str | None = None,
    *,
    pairs: int = 1000,
    seed: int = 0,
    ax: Axes | None = None,
    dark: bool | None = None,
) -> Axes:
    """Draw a swap test: how much of an answer each kind of swap keeps, and whether it follows.

    0 % is kept with any example's vector, 100 % with its own; whiskers are 95 % intervals. Beside
    each bar stands how far the activations lie then from any seen, against what is usual.

    Parameters
    ----------
    ex : Explorer
    stage : Stage, address or SwapTest
        A test that was made, or where to make one.
    answer, concept, pairs, seed
        As in `Explorer.swap_test`; of a test that was made only the answer can be chosen.
    ax, dark
        As in `grid`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        For a stage, an answer or a concept that there is not, and without a model.

    See Also
    --------
    Explorer.swap_test : as a table.

    Examples
    --------
    >>> ax = cw.plot.swap_test(ex, ex.swap_test("L1H0.result@S3", pairs=100))
    >>> ax.get_title(loc="left")
    'swap test at L1H0.result@S3: enough'
    """
    required(ex)
    if isinstance(stage, SwapTest):
        if concept is not None:
            raise ValueError(
                f"the test that is given is about {stage.concept!r}: concept={shown(concept)} "
                "needs another one, made from its stage."
            )
        test = stage if answer is None else stage.about(answer)
    else:
        test = ex.swap_test(stage, answer, concept, pairs=pairs, seed=seed)
    rows = _rows(test)
    ax, theme = prepared(ax, dark, (6.4, 1.5 + 0.3 * len(rows)))
    for line, row in enumerate(rows):
        if row is not None:
            _bar(ax, line, row, theme)
    ax.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -1.1))
    bare(ax, theme)
    there = [(line, row) for line, row in enumerate(rows) if row is not None]
    ticks(ax, "y", [line for line, _ in there], [row["text"] for _, row in there])
    ticks(ax, "x", _SHARES, [percent_text(share) for share in _SHARES])
    title = plain(str(test.bars(test.answer)["title"].iloc[0]) or test.answer)
    _heading(ax, 0, f"how much of the answer {title} is kept", "kept | how far out", theme)
    if None in rows:
        said = f"whether it follows {plain(test.concept or '')}; dotted: by chance"
        _heading(ax, rows.index(None) + 1, said, "share | pairs", theme)
    titled(ax, f"swap test at {test.stage}: {test.verdict}", theme)
    sentence = textwrap.fill(plain(test.sentence, 400), 78)
    ax.set_xlabel(sentence, loc="left", **_soft(theme))
    return ax


def _rows(test: SwapTest) -> list[dict[str, Any] | None]:
    """Return what each bar says, from the top; None for the room between the two groups."""
    texts, bars = condition_texts(test.concept), test.bars(test.answer)
    rows: list[dict[str, Any] | None] = []
    for condition, bar in bars.iterrows():
        if condition == _WHOLE:
            continue
        far = float(bar["unusual"])
        rows.append(
            {
                "text": texts.get(str(condition), str(condition)),
                "share": float(bar["recovered"]),
                "low": float(bar["low"]),
                "high": float(bar["high"]),
                "beside": "–" if math.isnan(far) else f"{far:.1f}×",
                "far": far >= UNUSUAL,
                "chance": math.nan,
                "baseline": condition == _BASELINE,
            }
        )
    follows = test.follows[test.follows["answer"] == test.answer]
    if len(follows):
        rows.append(None)
    rows.extend(
        {
            "text": _PAIRS.get(str(row["pairs"]), str(row["pairs"])),
            "share": float(row["share"]),
            "low": float(row["low"]),
            "high": float(row["high"]),
            "beside": f"{int(row['n']):,}",
            "far": False,
            "chance": float(row["chance"]),
            "baseline": False,
        }
        for row in follows.to_dict("records")
    )
    return rows


def _heading(ax: Axes, line: int, left: str, right: str, theme: Theme) -> None:
    """Write over a line what the bars from there on are, and the numbers beside them."""
    ax.annotate(left, (0, line - 0.55), annotation_clip=False, **_soft(theme))
    ax.annotate(
        right,
        (1, line - 0.55),
        xytext=(66, 0),
        textcoords="offset points",
        ha="right",
        annotation_clip=False,
        **_soft(theme),
    )


def _bar(ax: Axes, line: int, row: dict[str, Any], theme: Theme) -> None:
    """Draw a bar with its interval, and its numbers beside it."""
    pale = mixed(theme.bars, _PALER, theme.ground)
    share = min(1.0, max(0.0, row["share"])) if np.isfinite(row["share"]) else 0.0
    hatch = "/////" if row["baseline"] else None
    ax.add_patch(Rectangle((0, line - 0.36), 1, 0.72, fill=False, edgecolor=theme.cell))
    ax.add_patch(
        Rectangle(
            (0, line - 0.36),
            share,
            0.72,
            facecolor=theme.ground if hatch else pale,
            edgecolor=pale if hatch else "none",
            hatch=hatch,
            linewidth=0,
            label=row["text"],
        )
    )
    if np.isfinite(row["low"]) and np.isfinite(row["high"]):
        low, high = (min(1.0, max(0.0, row[end])) for end in ("low", "high"))
        ax.plot([low, high], [line, line], "|-", color=theme.ink, linewidth=0.8, markersize=5)
    if np.isfinite(row["chance"]):
        at = min(1.0, max(0.0, row["chance"]))
        ax.plot([at, at], [line - 0.36, line + 0.36], ":", color=theme.soft, linewidth=1.2)
    for text, x, color in (
        (percent_text(row["share"]), 36, theme.ink),
        (row["beside"], 66, theme.warn if row["far"] else theme.soft),
    ):
        ax.annotate(
            text,
            (1, line),
            xytext=(x, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize="small",
            color=color,
            annotation_clip=False,
            **LITERAL,
        )


def _block(
    ax: Axes, line: int, start: float, share: float, color: str, theme: Theme, hatch: str = ""
) -> None:
    ax.add_patch(
        Rectangle(
            (start, line - 0.36),
            share,
            0.72,
            facecolor=color,
            edgecolor=theme.hover if hatch else theme.ground,
            hatch=hatch or None,
            linewidth=0 if hatch else 0.8,
        )
    )


def _inside(ax: Axes, line: int, x: float, text: str, theme: Theme) -> None:
    ax.text(x, line, plain(text), va="center", fontsize="small", color=theme.ink, **LITERAL)


def _soft(theme: Theme) -> dict[str, Any]:
    return {"color": theme.soft, "fontsize": "small", **LITERAL}
