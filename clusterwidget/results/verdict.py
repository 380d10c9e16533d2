"""Verdicts: what a swap test says of a stage, in one word and in one sentence."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from clusterwidget.results.recovered import FLOOR

Verdict = Literal["enough", "insufficient", "irrelevant", "undecided"]

ENOUGH = 0.9
"""What the lower end of recovered must be above for a swap to leave the answer as it was."""

HARDLY_ANY = 0.01
"""Share of answers that any example's vector changes at a stage that does not matter."""
_RARE = 0.1
"""Share of answers below which it is said for how many examples a stage matters."""

NO_MATTER = "This stage does not matter: with any example's vector the answers stay as they are."


def does_not_matter(cost_high: float, changed: float) -> bool:
    """Tell whether any example's vector does as well.

    Parameters
    ----------
    cost_high : float
        Upper end of the loss that random swaps add, in nats.
    changed : float
        Share of answers that they change.
    """
    return cost_high < FLOOR and changed < HARDLY_ANY


def verdict(bars: pd.DataFrame, concept: str | None, answer: str) -> tuple[Verdict, str]:
    """Return the verdict on a stage for one answer, and the sentence that says why.

    Parameters
    ----------
    bars : pandas.DataFrame
        Indexed by condition, with the columns of `SwapTest.table`.
    concept : str or None
    answer : str
        As a person calls it.
    """
    one = bars.iloc[0]
    changed = float(one["changed"])
    if does_not_matter(one["cost_high"], changed):
        return "irrelevant", f"This stage does not matter for the answer {answer}."
    if one["cost_low"] < FLOOR and changed < HARDLY_ANY:
        return "undecided", (
            f"Whether this stage matters for the answer {answer} cannot be told from "
            f"{one['pairs']:,} pairs: ask for more."
        )
    rare = f" It matters for {changed:.1%} of examples." if changed < _RARE else ""
    mean = " But the mean of all examples would do as well." if mean_is_enough(bars) else ""
    if concept is None or np.isnan(bars["recovered"].get("concept", np.nan)):
        return "insufficient", _without_concept(bars, concept, answer) + mean + rare
    lowest, highest = (
        min(float(bars[end]["concept"]), float(bars[end]["far"])) for end in ("low", "high")
    )
    if lowest > ENOUGH:
        are = "together are" if " and " in concept else "is"
        return "enough", (
            f"{concept} {are} enough here: examples with the same {concept} can stand in for each "
            f"other.{mean}{rare}"
        )
    if not highest < ENOUGH:
        return "undecided", (
            f"Whether {concept} is enough cannot be told from {one['pairs']:,} pairs: "
            f"{lowest:.0%} to {highest:.0%} is recovered. Ask for more.{mean}{rare}"
        )
    if not bars["recovered"]["near"] >= ENOUGH:
        return "insufficient", _not_even_near(answer) + mean + rare
    alone = "are not enough together" if " and " in concept else "alone is not enough"
    return "insufficient", (
        f"Near examples can stand in for each other, but {concept} {alone}: something else is "
        f"held here too.{mean}{rare}"
    )


def mean_is_enough(bars: pd.DataFrame) -> bool:
    """Tell whether the mean of all examples leaves the answer as it was."""
    return bool("mean" in bars.index and bars["low"]["mean"] > ENOUGH)


def _without_concept(bars: pd.DataFrame, concept: str | None, answer: str) -> str:
    if not bars["recovered"]["near"] >= ENOUGH:
        return _not_even_near(answer)
    if concept is None:
        return "Near examples can stand in for each other, but none of the concepts says why."
    return f"Near examples can stand in for each other; no two others share {concept}."


def _not_even_near(answer: str) -> str:
    return (
        "Not even near examples can stand in for each other here: what the answer "
        f"{answer} needs is finer than these distances."
    )
