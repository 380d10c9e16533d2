"""Swap tests as a Markdown table, one row a stage that matters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from clusterwidget.results.swaptest import SwapTest

_SETS = {"sets": "sets it", "shares": "shares in it", "no": "does not set it", None: "no rule says"}
_HEADS = (
    *("stage", "answer", "concept", "verdict", "recovered, far"),
    *("follows, any pairs", "follows, alike but for it", "others stay", "the answer"),
)


def markdown(tests: Sequence[SwapTest]) -> str:
    """Return the tests of stages that matter, and how many do not."""
    told = [test for test in tests if test.verdict != "irrelevant"]
    rows = [_HEADS, ("---",) * len(_HEADS), *map(_row, told)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n{len(tests) - len(told)} of {len(tests)} stages do not matter."


def _row(test: SwapTest) -> tuple[str, ...]:
    bars = test.bars(test.answer)
    follows = test.follows[test.follows["answer"] == test.answer].set_index("pairs")
    stays = follows["left_alone"].iloc[-1] if len(follows) else math.nan
    return (
        f"`{test.stage}`",
        test.answer,
        test.concept or "none",
        test.verdict,
        _interval(bars, "far", "recovered"),
        _interval(follows, "any", "share"),
        _interval(follows, "matched", "share"),
        _percent(stays),
        _SETS[test.sets],
    )


def _interval(table: pd.DataFrame, row: str, column: str) -> str:
    if row not in table.index or math.isnan(float(table[column][row])):
        return ""
    share, low, high = (_percent(float(table[name][row])) for name in (column, "low", "high"))
    return f"{share} ({low} to {high})"


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{share:.0%}"
