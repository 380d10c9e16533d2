"""Arcs: a trace as circles and curves on the stage map.

As on screen: `js/src/compute/arcs.ts`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from clusterwidget.core.stages import Stage
from clusterwidget.plot.stagemap import COLUMN, LINE, StageMap
from clusterwidget.results.trace import Trace

Point = tuple[float, float]

_LEAST_RADIUS, _MOST_RADIUS = 2.0, 6.5
_LEAST_FULL_LOSS = 0.5
"""Where even the stage that matters most costs less than this, in nats, none is drawn large."""
_LEAST_LOOK, _MOST_LOOK, _INSIDE = 0.8, 2.8, 1.0
_SWING = 1.6
"""How far an edge within a column swings out for each line that it passes, in pixels."""
_SWUNG = 0.75
"""Where a cubic curve with both of its handles 1 out is so far out at most."""


@dataclass(frozen=True)
class Dot:
    """A stage of the trace, on its cell; lengths in the page's pixels."""

    stage: str
    middle: Point
    radius: float
    answer: bool
    kept: bool


@dataclass(frozen=True)
class Arc:
    """An edge of the trace: the points of a straight line, or of a cubic curve."""

    points: tuple[Point, ...]
    width: float
    looks: bool
    kept: bool


def dots_of(trace: Trace, found: StageMap, *, pruned: bool) -> list[Dot]:
    """Return the stages; where several share a place, the one that matters most is there."""
    nodes = [
        (str(stage), bool(node["kept"]), float(node["loss"]))
        for stage, node in trace.nodes.iterrows()
    ]
    losses = [loss for _, kept, loss in nodes if kept and math.isfinite(loss)]
    most = max(_LEAST_FULL_LOSS, *losses, 0.0)
    best: dict[Point, tuple[tuple[bool, float], Dot]] = {}
    for stage, kept, loss in nodes:
        middle = found.middle(Stage.parse(stage)) if kept or pruned else None
        if middle is None:
            continue
        answer = not math.isfinite(loss)
        share = 1.0 if answer else math.sqrt(max(0.0, min(1.0, loss / most)))
        radius = _LEAST_RADIUS + (_MOST_RADIUS - _LEAST_RADIUS) * share
        weight = (kept, math.inf if answer else loss)
        if middle not in best or weight > best[middle][0]:
            best[middle] = weight, Dot(stage, middle, radius, answer, kept)
    return [dot for _, dot in best.values()]


def arcs_of(trace: Trace, found: StageMap, *, pruned: bool) -> list[Arc]:
    """Return the edges between different places, once each."""
    best: dict[tuple[Point, ...], tuple[tuple[bool, float], Arc]] = {}
    for edge in trace.edges.to_dict("records"):
        kept, loss = bool(edge["kept"]), float(edge["loss"])
        if not (kept or pruned):
            continue
        start = found.middle(Stage.parse(edge["source"]))
        end = found.middle(Stage.parse(edge["target"]))
        if start is None or end is None or start == end:
            continue
        looks = edge["kind"] == "attention"
        points = _reaching(start, end) if looks else _inside(edge["source"], start, end)
        weight = (kept, loss if math.isfinite(loss) else math.inf)
        if points not in best or weight > best[points][0]:
            best[points] = weight, Arc(points, _width(edge), looks, kept)
    return [arc for _, arc in best.values()]


def _width(edge: dict[Any, Any]) -> float:
    if edge["kind"] != "attention" or not edge["kept"]:
        return _INSIDE
    attention = float(edge["attention"])
    more = attention if math.isfinite(attention) else 0.0
    return _LEAST_LOOK + (_MOST_LOOK - _LEAST_LOOK) * more


def _reaching(start: Point, end: Point) -> tuple[Point, ...]:
    """From what a head looks at down its column, then along the head's line; beside its own."""
    (x, y), (to_x, to_y) = start, end
    if x == to_x:
        return _swinging(start, end, min(0.6 * COLUMN, 3 + _SWING * abs(to_y - y) / LINE))
    return start, (x, y + 0.6 * (to_y - y)), (to_x - 0.6 * (to_x - x), to_y), end


def _inside(source: str, start: Point, end: Point) -> tuple[Point, ...]:
    """Down a column: the residual stream to the left of the cells passed, what joins it right."""
    passed = abs(end[1] - start[1]) / LINE - 1
    if passed < 0.5 or start[0] != end[0]:
        return start, end
    out = min(0.5 * COLUMN, _SWING * (passed + 1))
    kind = Stage.parse(source).kind
    return _swinging(start, end, -out if kind == "embed" or kind.startswith("resid") else out)


def _swinging(start: Point, end: Point, out: float) -> tuple[Point, ...]:
    x, reach = start[0] + out / _SWUNG, 0.25 * (end[1] - start[1])
    return start, (x, start[1] + reach), (x, end[1] - reach), end
