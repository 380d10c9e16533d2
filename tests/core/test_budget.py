"""Budgets: lengths of time as people write them, and nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clusterwidget.core.budget import Deadline, budget_seconds, duration_text


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (90, 90.0),
        (0.5, 0.5),
        ("90", None),
        ("90 s", 90.0),
        ("5min", 300.0),
        ("1.5 Hours", 5400.0),
        (" 2 minutes ", 120.0),
    ],
)
def test_a_budget_is_seconds_or_a_length_of_time(given: Any, seconds: float | None) -> None:
    if seconds is None:
        with pytest.raises(ValueError, match="no length of time: give seconds"):
            budget_seconds(given)
    else:
        assert budget_seconds(given) == seconds
    assert budget_seconds(None) is None


@pytest.mark.parametrize(
    "given",
    ["5 parsecs", "", "min", "-1 s", "1e3 s", -1, 0, math.nan, math.inf, 10**400, "9999999 h"],
)
def test_what_is_no_length_of_time_is_named(given: Any) -> None:
    with pytest.raises(ValueError, match=r"budget .* give seconds, or a string"):
        budget_seconds(given)


@pytest.mark.parametrize("given", [True, [5], b"5min", object()])
def test_what_is_neither_a_number_nor_text_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="budget must be a length of time"):
        budget_seconds(given)


def test_lengths_of_time_are_rounded_up_and_can_be_given_again() -> None:
    for seconds in (0.01, 1, 59.2, 99.5, 100, 101, 3600, 6001, 90_000):
        text = duration_text(seconds)
        again = budget_seconds(text)
        assert again is not None
        assert seconds <= again * 1.06, text
        assert again <= max(1.7 * seconds, 1.0), text


def test_a_deadline_without_an_end_never_comes() -> None:
    assert Deadline(None).left == math.inf
    assert 0 < Deadline(5).left <= 5
