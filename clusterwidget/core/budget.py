"""Budget: how long something may take, given as seconds or in words."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np

from clusterwidget.core.checks import shown

_WRITTEN = re.compile(
    r"([0-9]+(?:\.[0-9]+)?) *"
    r"(?:(s|sec|secs|second|seconds)|(m|min|mins|minute|minutes)|(h|hour|hours))",
    re.IGNORECASE,
)
_SECONDS = (1, 60, 3600)
_MOST = 366 * 24 * 3600


def budget_seconds(value: Any, name: str = "budget") -> float | None:
    """Return how long something may take in seconds, or None where there is no bound.

    Parameters
    ----------
    value : float, str or None
        Seconds, or a string such as ``"90 s"``, ``"5min"`` or ``"1.5 hours"``.
    name : str
        Of the argument.

    Raises
    ------
    TypeError, ValueError
        For what is no time above 0.

    Examples
    --------
    >>> from clusterwidget.core.budget import budget_seconds
    >>> budget_seconds("5min"), budget_seconds(90), budget_seconds(None)
    (300.0, 90.0, None)
    """
    if value is None:
        return None
    way_out = "give seconds, or a string such as '90 s', '5min' or '2 hours'."
    if isinstance(value, str):
        found = _WRITTEN.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{name} {shown(value)} is no length of time: {way_out}")
        unit = next(at for at in range(3) if found[2 + at])
        seconds = float(found[1]) * _SECONDS[unit]
    elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        # Compared before it is converted: an immense integer has no float.
        seconds = float(value) if -_MOST <= value <= _MOST else float("nan")
    else:
        raise TypeError(f"{name} must be a length of time, not {shown(value)}: {way_out}")
    if not 0 < seconds <= _MOST:
        raise ValueError(f"{name} {shown(value)} must be above 0 and at most a year: {way_out}")
    return seconds


def duration_text(seconds: float) -> str:
    """Return a length of time as it is written in a sentence, rounded up.

    Examples
    --------
    >>> from clusterwidget.core.budget import duration_text
    >>> duration_text(0.2), duration_text(47.1), duration_text(185), duration_text(9000)
    ('1 s', '48 s', '4 min', '2.5 hours')
    """
    whole = -int(-seconds // 1)
    if whole < 100:
        return f"{max(1, whole)} s"
    if seconds < 100 * 60:
        return f"{-int(-seconds // 60)} min"
    return f"{seconds / 3600:.1f} hours"


class Deadline:
    """When a budget is spent.

    Parameters
    ----------
    seconds : float or None
        From now; None for no end.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, infinite where there is no end."""
        return float("inf") if self._end is None else self._end - time.monotonic()
