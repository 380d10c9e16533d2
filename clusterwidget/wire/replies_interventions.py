"""What the kernel answers when the page asks to change something inside the model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from clusterwidget.core.stages import ATTENTION_KINDS, Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.results.kept import Settings
from clusterwidget.results.swap import UNUSUAL
from clusterwidget.results.swaptest import SwapTest, condition_texts
from clusterwidget.results.verdict import mean_is_enough
from clusterwidget.wire import messages, requests
from clusterwidget.wire.binary import Buffer

_MORE = 4
"""A press runs so many times the pairs."""


def swap(
    explorer: Explorer, request: requests.SwapRequest, watch: Watch
) -> tuple[messages.Swap | messages.Refused, list[Buffer]]:
    """Send what the model answers with another example's vector, or why that cannot be said."""
    explorer.get_ready(watch)
    try:
        found = explorer.swap(
            request["stage"], request["receiver"], request["donor"], free=request["free"]
        )
    except ValueError as error:
        return _refused(error), []
    answers: list[messages.SwappedAnswer] = [
        {
            "name": row["answer"],
            "title": row["title"],
            "right": row["right"],
            "before": {"text": row["before"], "probability": row["before_probability"]},
            "after": {"text": row["after"], "probability": row["after_probability"]},
            "changed": row["changed"],
            "reached": row["reached"],
        }
        for row in found.table.to_dict("records")
    ]
    return {"possible": True, "answers": answers, "unusual": _unusual(found.unusual)}, []


def swap_test(
    explorer: Explorer, request: requests.SwapTestRequest, watch: Watch
) -> tuple[messages.SwapTest | messages.Refused, list[Buffer]]:
    """Send the swap test of a stage, made first where it must be, or why there is none."""
    stage, pairs = Stage.parse(request["stage"]), request["pairs"]
    metric = request["metric"]
    known = explorer.known_swap_tests(metric=metric).get(stage) if pairs is None else None
    try:
        count = pairs or Settings.pairs
        test = known or explorer.swap_test(stage, pairs=count, metric=metric, progress=watch)
    except ValueError as error:
        return _refused(error), []
    return _swap_test(explorer, test), []


def account(
    explorer: Explorer, request: requests.AccountRequest, watch: Watch
) -> tuple[messages.Account | messages.Refused, list[Buffer]]:
    """Send the parts of a stage that together are enough, or those that are not."""
    try:
        stage, metric = Stage.parse(request["stage"]), request["metric"]
        found = explorer.account(stage, metric=metric, progress=watch)
    except ValueError as error:
        return _refused(error), []
    return {
        "possible": True,
        "closed": found.closed,
        "outcome": found.sentence,
        "test": _swap_test(explorer, found.tests[-1]),
    }, []


def _swap_test(explorer: Explorer, test: SwapTest) -> messages.SwapTest:
    texts = condition_texts(test.concept)
    pairs, n = int(test.table["pairs"].max()), len(explorer.examples)
    return {
        "possible": True,
        **_verdict(test),
        "answer": test.answer,
        "pairs": pairs,
        "more": min(_MORE * pairs, n) if pairs < n else None,
        "conditions": [{"name": name, "text": text} for name, text in texts.items()],
        "answers": [_answer(test, str(name)) for name in test.table["answer"].unique()],
    }


def swap_tests(
    explorer: Explorer, request: requests.KindsRequest, _: Watch
) -> tuple[messages.SwapTests, list[Buffer]]:
    """Send the verdicts that are known, and which stages of some kinds a test can be asked for."""
    metric = request["metric"]
    known = explorer.known_swap_tests(metric=metric)
    return {
        "known": {str(stage): _verdict(test) for stage, test in known.items()},
        "closed": [str(stage) for stage in explorer.known_accounts(metric=metric)],
        "stages": [str(stage) for stage in _to_test(explorer, request["kinds"])],
    }, []


def trace(
    explorer: Explorer, request: requests.TraceRequest, watch: Watch
) -> tuple[messages.Trace | messages.Refused, list[Buffer]]:
    """Send the stages and edges that an answer came through, or why there are none."""
    try:
        found = explorer.trace(request["row"], request["answer"], progress=watch)
    except ValueError as error:
        return _refused(error), []
    nodes: list[messages.Node] = [
        {
            "stage": str(stage),
            "probability": _finite(node["probability"]),
            "loss": _finite(node["loss"]),
            "kept": bool(node["kept"]),
        }
        for stage, node in found.nodes.iterrows()
    ]
    edges: list[messages.EdgeShown] = [
        {
            "source": edge["source"],
            "target": edge["target"],
            "kind": edge["kind"],
            "attention": _finite(edge["attention"]),
            "probability": _finite(edge["probability"]),
            "loss": _finite(edge["loss"]),
            "kept": edge["kept"],
        }
        for edge in found.edges.to_dict("records")
    ]
    return {
        "possible": True,
        "text": found.text,
        "probability": found.probability,
        "kept_probability": found.kept_probability,
        "unusual": _unusual(found.unusual),
        "nodes": nodes,
        "edges": edges,
    }, []


def _refused(error: ValueError) -> messages.Refused:
    return {"possible": False, "reason": str(error)}


def _to_test(explorer: Explorer, kinds: Sequence[str]) -> list[Stage]:
    """Return the stages of some kinds that a swap test can be about, in the order to test them.

    First those at positions where an answer is read, which most often matter; none at the logits,
    which nothing comes after.
    """
    there = {row.kind for row in explorer.stage_set.rows} - {"logits"}
    if explorer.stage_set.layout is not None:
        there -= set(ATTENTION_KINDS)
    stages = explorer.stages(kinds=[kind for kind in kinds if kind in there])
    read = {answer.position for answer in explorer.examples.answers.values()}
    return sorted(stages, key=lambda stage: stage.position not in read)


def _verdict(test: SwapTest) -> messages.Verdict:
    return {
        "verdict": test.verdict,
        "sets": test.sets,
        "mean": test.verdict == "enough" and mean_is_enough(test.bars(test.answer)),
        "sentence": test.sentence,
    }


def _answer(test: SwapTest, name: str) -> messages.TestedAnswer:
    bars = test.bars(name)
    one = bars.iloc[0]
    return {
        "name": name,
        "title": one["title"],
        "matters": bool(bars["recovered"].notna().any()),
        "right": float(one["right_without"]),
        "constant": float(one["right_constant"]),
        "bars": [
            {
                "condition": str(condition),
                "recovered": _finite(row["recovered"]),
                "low": _finite(row["low"]),
                "high": _finite(row["high"]),
                "right": _finite(row["right"]),
                "unusual": _unusual(row["unusual"]),
            }
            for condition, row in bars.iterrows()
        ],
        "follows": [
            {
                "pairs": row["pairs"],
                "share": _finite(row["share"]),
                "low": _finite(row["low"]),
                "high": _finite(row["high"]),
                "n": int(row["n"]),
                "left_alone": _finite(row["left_alone"]),
                "without": _finite(row["without"]),
                "chance": _finite(row["chance"]),
            }
            for row in test.follows[test.follows["answer"] == name].to_dict("records")
        ],
    }


def _unusual(times: float) -> messages.Unusual | None:
    """Return a distance over its usual size, or None where it is not known."""
    if not math.isfinite(times):
        return None
    return {"times": float(times), "far": bool(times >= UNUSUAL)}


def _finite(value: float) -> float | None:
    """Return a number, or None for what JSON has no word for."""
    return float(value) if math.isfinite(value) else None
