"""Follows: whether the answer becomes what its rule gives with another value of a concept.

Interchange intervention accuracy: Geiger et al., "Causal Abstractions of Neural Networks" (2021)
and "Causal Abstraction" (2024); Huang et al., "RAVEL" (2024), for what must stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Sets = Literal["sets", "shares", "no"]

KINDS = ("any", "matched")
"""Pairs of any two examples, and of two that differ as far as possible in the concept alone."""

SETS = 0.9
"""What the lower end of follows must be above for a stage to set an answer."""
_HARDLY = 0.1
"""What the upper end of follows is below where a stage does not set an answer."""
_Z = 1.959964

COLUMNS = (
    *("answer", "title", "pairs", "share", "low", "high", "n"),
    *("left_alone", "without", "chance"),
)


NO_FOLLOWS = pd.DataFrame(columns=list(COLUMNS))
"""Where no rule says what would follow."""


@dataclass(frozen=True)
class Asked:
    """What is asked of an answer: see `Followed`.

    Attributes
    ----------
    name, title : str
    at : int
        Its index among the answers that are run.
    """

    name: str
    title: str
    at: int


@dataclass(frozen=True)
class Followed:
    """The runs of one kind of pairs, and what rules say of them.

    Attributes
    ----------
    answered : numpy.ndarray of int, shape (n, answers)
        The tokens after the swap; negative where there was none.
    right : numpy.ndarray of int, shape (n, answers)
        The right tokens of the receivers.
    target : numpy.ndarray of int, shape (n, answers)
        What the rule gives with the donor's value; negative where no rule says.
    random, other : numpy.ndarray of int, shape (n, answers)
        The tokens after a swap with a random donor, and what the rule gives with the value of
        another one, whose vector was not put in: how often they agree is chance.
    """

    answered: Ints
    right: Ints
    target: Ints
    random: Ints
    other: Ints


def follows_table(
    asked: Sequence[Asked], reached: Sequence[int], without: Ints, kinds: Mapping[str, Followed]
) -> pd.DataFrame:
    """Return one row for each answer and kind of pairs.

    Parameters
    ----------
    asked : sequence of Asked
        The answers of which a rule says how they come from the concept.
    reached : sequence of int
        Indices of all answers that the stage can reach.
    without : numpy.ndarray of int, shape (n, answers)
        The tokens without a swap.
    kinds : mapping of "any" and "matched" to Followed

    Returns
    -------
    pandas.DataFrame
        ``answer``, ``title``, ``pairs``; ``share`` of the ``n`` pairs whose values differ and for
        which the rule gives another answer, in which the answer becomes that one, with its 95 %
        interval ``low`` to ``high`` (Wilson 1927); ``left_alone``, the share of the other answers
        that stay, less those that by their rules change; and for comparison how often the answer is
        that one ``without`` a swap, and by ``chance``, with the vector of a random donor.
    """
    rows = [
        _row(answer, kind, without, kinds[kind], reached)
        for answer in asked
        for kind in KINDS
        if kind in kinds
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    answer: Asked, kind: str, without: Ints, runs: Followed, reached: Sequence[int]
) -> dict[str, Any]:
    at = answer.at
    ran = runs.answered[:, at] >= 0
    differs = ran & _asks(runs.target, runs.right, at)
    target = runs.target[differs, at]
    share, low, high = interval(runs.answered[differs, at] == target)
    others = [other for other in reached if other != at]
    moves = (runs.target[:, others] >= 0) & (runs.target[:, others] != runs.right[:, others])
    stays = ~moves & differs[:, None]
    stayed = runs.answered[:, others] == without[:, others]
    by_chance = (runs.random[:, at] >= 0) & _asks(runs.other, runs.right, at)
    return {
        "answer": answer.name,
        "title": answer.title,
        "pairs": kind,
        "share": share,
        "low": low,
        "high": high,
        "n": int(differs.sum()),
        "left_alone": _mean(stayed[stays]),
        "without": _mean(without[differs, at] == target),
        "chance": _mean(runs.random[by_chance, at] == runs.other[by_chance, at]),
    }


def _asks(target: Ints, right: Ints, at: int) -> Bools:
    """Return for which pairs a rule says, and gives another answer."""
    asks: Bools = (target[:, at] >= 0) & (target[:, at] != right[:, at])
    return asks


def interval(hits: Bools) -> tuple[float, float, float]:
    """Return a share with its 95 % interval (Wilson 1927); NaN for none."""
    n = len(hits)
    if not n:
        return (math.nan,) * 3
    share = float(hits.mean())
    middle = share + _Z**2 / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
    whole = 1 + _Z**2 / n
    return share, max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def sets_of(rows: pd.DataFrame) -> Sets | None:
    """Return whether a stage sets an answer, shares in it, or does not; None if no pair tells.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of one answer, as in `follows_table`.

    Returns
    -------
    "sets", "shares", "no" or None
        "sets" where the lower end is above 0.9 for each kind of pairs; "no" where the upper end is
        below 0.1, or the share is not above chance, on matched pairs where there are any.
    """
    told = rows[rows["n"] > 0]
    if told.empty:
        return None
    if (told["low"] > SETS).all():
        return "sets"
    last = told.iloc[-1]
    if last["high"] < _HARDLY or not last["low"] > np.nan_to_num(last["chance"]):
        return "no"
    return "shares"


def follows_sentence(rows: pd.DataFrame, concept: str, answer: str) -> str:
    """Return in words whether the answer follows a concept."""
    word = sets_of(rows)
    if word is None:
        return "No two examples differ in it so that the answer would be another."
    told = rows[rows["n"] > 0]
    share = float(told["share"].iloc[-1])
    matched = " that differ in little else" if told["pairs"].iloc[-1] == "matched" else ""
    shown = f"with another value the answer follows in {share:.0%} of pairs{matched}"
    others = f", as other stages carry {concept} too" if word == "shares" else ""
    does = {"sets": "sets", "shares": "shares in setting", "no": "does not set"}[word]
    return f"It {does} the answer {answer}: {shown}{others}."


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if values.size else math.nan
