"""What the kernel answers when the page asks to change something inside the model."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.results.swaptest import SwapTest, condition_texts
from clusterwidget.wire.binary import Buffer

Reply = tuple[dict[str, Any], list[Buffer]]


def swap(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    """Send what the model answers with another example's vector, or why that cannot be said."""
    explorer.get_ready(watch)
    asked = {name: request[name] for name in ("stage", "receiver", "donor", "free")}
    try:
        found = explorer.swap(
            asked["stage"], int(asked["receiver"]), int(asked["donor"]), free=bool(asked["free"])
        )
    except ValueError as error:
        return {**asked, **_impossible(error)}, []
    answers = [
        {
            **{name: row[name] for name in ("title", "right", "changed", "reached")},
            "name": row["answer"],
            "before": {"text": row["before"], "probability": row["before_probability"]},
            "after": {"text": row["after"], "probability": row["after_probability"]},
        }
        for row in found.table.to_dict("records")
    ]
    return {**asked, **_POSSIBLE, "answers": answers, "unusual": _finite(found.unusual)}, []


def swap_test(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    """Send the swap test of a stage, made first where it must be, or why there is none."""
    stage = Stage.parse(request["stage"])
    try:
        test = explorer.swap_test(stage, progress=watch)
    except ValueError as error:
        return {"stage": str(stage), **_impossible(error)}, []
    texts = condition_texts(test.concept)
    fields = {
        **_POSSIBLE,
        **_verdict(test),
        "stage": str(stage),
        "pairs": int(test.table["pairs"].max()),
        "conditions": [{"name": name, "text": text} for name, text in texts.items()],
        "answers": [_answer(test, str(name)) for name in test.table["answer"].unique()],
    }
    return fields, []


def swap_tests(explorer: Explorer, *_: Any) -> Reply:
    """Send the verdicts that are known, by stage."""
    known = explorer.known_swap_tests()
    return {"swap_tests": {str(stage): _verdict(test) for stage, test in known.items()}}, []


def trace(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    """Send the stages and edges that an answer came through, or why there are none."""
    row, answer = request["row"], request["answer"]
    asked = {"row": row, "answer": answer}
    try:
        found = explorer.trace(row, answer, progress=watch)
    except ValueError as error:
        return {**asked, **_impossible(error)}, []
    fields = {
        **asked,
        **_POSSIBLE,
        "text": found.text,
        "probability": found.probability,
        "kept_probability": found.kept_probability,
        "unusual": _finite(found.unusual),
        "nodes": [{"stage": stage, **_plain(node)} for stage, node in found.nodes.iterrows()],
        "edges": [_plain(edge) for _, edge in found.edges.iterrows()],
    }
    return fields, []


_POSSIBLE = {"possible": True, "reason": ""}


def _impossible(error: ValueError) -> dict[str, Any]:
    return {"possible": False, "reason": str(error)}


def _verdict(test: SwapTest) -> dict[str, Any]:
    return {
        "verdict": test.verdict,
        "sentence": test.sentence,
        "answer": test.answer,
        "concept": test.concept,
    }


def _answer(test: SwapTest, name: str) -> dict[str, Any]:
    bars = test.bars(name)
    one = bars.iloc[0]
    return {
        "name": name,
        "title": one["title"],
        "matters": bool(bars["recovered"].notna().any()),
        "cost": float(one["cost"]),
        "right": float(one["right_without"]),
        "constant": float(one["right_constant"]),
        "bars": [
            {
                "condition": condition,
                **{
                    value: _finite(float(row[value]))
                    for value in ("recovered", "low", "high", "right", "unusual")
                },
            }
            for condition, row in bars.iterrows()
        ],
    }


def _plain(row: pd.Series) -> dict[str, Any]:
    return {
        str(name): _finite(float(value)) if isinstance(value, float) else value
        for name, value in row.items()
    }


def _finite(value: float) -> float | None:
    """Return a number, or None for what JSON has no word for."""
    return value if math.isfinite(value) else None
