"""How traces are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from clusterwidget.core.checks import number, whole
from clusterwidget.core.edges import Edge
from clusterwidget.core.kept import Document
from clusterwidget.core.stages import Stage
from clusterwidget.results.trace import Trace

RECORDS = "traces"
"""What they are called in a saved exploration."""

_NUMBERS = ("probability", "kept_probability", "unusual")
_NODE = ("loss", "probability")
_EDGE = ("attention", "loss", "probability")


@dataclass(frozen=True)
class TraceSettings:
    """What decides a trace besides the example and the answer.

    Attributes
    ----------
    draws : int or None
        None for the mean over the examples.
    threshold, least : float
    seed : int
    """

    draws: int | None
    threshold: float
    least: float
    seed: int


def key(example: int, answer: str, settings: TraceSettings, examples: str) -> str:
    """Return what a trace is kept under: all that it depends on."""
    named = " ".join(f"{name}={value}" for name, value in asdict(settings).items())
    return f"{example} {answer!r} {named} examples={examples}"


def document(trace: Trace) -> dict[str, Any]:
    """Return a trace as plain values."""
    return {
        "example": trace.example,
        "answer": trace.answer,
        "text": trace.text,
        **{name: _plain(getattr(trace, name)) for name in _NUMBERS},
        "nodes": [
            {
                "stage": str(stage),
                **{name: _plain(node[name]) for name in _NODE},
                "kept": bool(node["kept"]),
            }
            for stage, node in trace.nodes.iterrows()
        ],
        "edges": [
            {
                "source": edge["source"],
                "target": edge["target"],
                **{name: _plain(edge[name]) for name in _EDGE},
                "kept": bool(edge["kept"]),
            }
            for edge in trace.edges.to_dict("records")
        ],
    }


def restored(saved: Document) -> Trace:
    """Return what `document` made plain values of; raise where a field is of another type."""
    if not isinstance(saved["answer"], str) or not isinstance(saved["text"], str):
        raise ValueError("a text is none")
    nodes = [
        {"stage": str(Stage.parse(node["stage"])), **_numbers(node, _NODE)}
        for node in saved["nodes"]
    ]
    edges = []
    for one in saved["edges"]:
        edge = Edge(Stage.parse(one["source"]), Stage.parse(one["target"]))
        ends = {"source": str(edge.source), "target": str(edge.target), "kind": edge.kind}
        edges.append({**ends, **_numbers(one, _EDGE)})
    if not nodes or not edges:
        raise ValueError("it has neither stages nor edges")
    return Trace(
        example=whole("example", saved["example"], 0),
        answer=saved["answer"],
        text=saved["text"],
        probability=_number(saved["probability"]),
        kept_probability=_number(saved["kept_probability"]),
        unusual=_number(saved["unusual"]),
        nodes=pd.DataFrame(nodes).set_index("stage"),
        edges=pd.DataFrame(edges),
    )


def _numbers(saved: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if type(saved["kept"]) is not bool:
        raise ValueError("whether it is kept is not said")
    return {**{name: _number(saved[name]) for name in names}, "kept": saved["kept"]}


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _number(value: Any) -> float:
    return math.nan if value is None else float(number("a number", value))
