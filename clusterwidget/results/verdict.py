"""Verdicts: what a swap test says of a stage, in one word and in one sentence."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from clusterwidget.results.recovered import FLOOR

Verdict = Literal["enough", "insufficient", "irrelevant"]

ENOUGH = 0.9
"""What must be recovered for a swap to leave the answer as it was."""

NO_MATTER = "This stage does not matter: with any example's vector the answers stay as they are."


def verdict(bars: pd.DataFrame, concept: str | None, answer: str) -> tuple[Verdict, str]:
    """Return the verdict on a stage for one answer, and the sentence that says why.

    Parameters
    ----------
    bars : pandas.DataFrame
        Indexed by condition, with columns ``recovered`` and ``cost``: the loss that random swaps
        add.
    concept : str or None
    answer : str
        As a person calls it.
    """
    if not float(bars["cost"].iloc[0]) >= FLOOR:
        return "irrelevant", f"This stage does not matter for the answer {answer}."
    kept = bars["recovered"]
    near = bool(kept["near"] >= ENOUGH)
    mean = " But the mean of all examples would do as well." if kept["mean"] >= ENOUGH else ""
    if concept is not None and kept["concept"] >= ENOUGH and kept["far"] >= ENOUGH:
        return (
            "enough",
            f"{concept} is enough here: nothing else that the stage holds matters.{mean}",
        )
    if not near:
        reason = (
            "Not even near examples can stand in for each other here: what the answer "
            f"{answer} needs is finer than these distances."
        )
    elif concept is None:
        reason = "Near examples can stand in for each other, but nothing that you named says why."
    elif np.isnan(kept["concept"]):
        reason = f"Near examples can stand in for each other; no two others share {concept}."
    else:
        reason = (
            f"Near examples can stand in for each other, but {concept} alone is not enough: "
            "something else is held here too."
        )
    return "insufficient", reason + mean
