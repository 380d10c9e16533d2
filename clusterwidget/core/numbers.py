"""Concepts that are numbers: which columns are, their values as floats, and ranges of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

BINS = 10
MOST_VALUES = 1000
"""Values that a concept may have and still group examples."""

FEW_VALUES = 2 * BINS
"""Up to so many different numbers each one is a group of its own."""

_TIMES = ("datetime64", "datetime", "date", "timedelta64", "timedelta", "period")
_FLOATS = ("floating", "mixed-integer-float", "decimal")


def numbers_of(column: pd.Series) -> npt.NDArray[np.float64] | None:
    """Return a column as numbers, shape (N,), NaN where it is missing; None where it is no number.

    Dates are days since 1970, and spans of time are days. Booleans, categories and text are none,
    and neither is a mixture of them.
    """
    kind = _kind(column)
    if kind in _TIMES:
        return _days(column)
    if kind != "integer" and kind not in _FLOATS:
        return None
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.to_numpy(np.float64)
    return np.asarray(pd.to_numeric(column.astype(object), errors="coerce"), np.float64)


def is_continuous(column: pd.Series) -> bool:
    """Return whether a column has so many different numbers that ranges of them are its groups.

    Integers that differ for every example name the examples, and measure nothing.
    """
    kind = _kind(column)
    values = numbers_of(column)
    if values is None:
        return False
    present = values[np.isfinite(values)]
    different = pd.unique(present)
    if len(different) <= FEW_VALUES:
        return False
    if kind in _TIMES or bool((different % 1 != 0).any()):
        return True
    names = len(different) == len(present)
    return (
        (len(different) > MOST_VALUES or names)
        if kind in _FLOATS
        else (len(different) > MOST_VALUES and not names)
    )


def ranges(column: pd.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return each example's range of a continuous column, and the ranges' texts, lowest first.

    They are divided at the quantiles of the finite values; infinity is a range of its own. A
    missing value has -1.
    """
    values = numbers_of(column)
    assert values is not None
    finite = np.isfinite(values)
    timed = is_time(column)
    given = times_of(column)[finite] if timed else pd.Series(values[finite])
    cut, edges = pd.qcut(given, BINS, retbins=True, duplicates="drop")
    inner = cut.cat
    texts = [
        f"{_time(one)} to {_time(next_)}" if timed else f"{each.left:.4g} to {each.right:.4g}"
        for one, next_, each in zip(edges[:-1], edges[1:], inner.categories, strict=True)
    ]
    codes = np.full(len(values), -1, np.int64)
    codes[finite] = inner.codes
    if (values == -np.inf).any():
        codes[codes >= 0] += 1
        codes[values == -np.inf] = 0
        texts.insert(0, "-inf")
    if (values == np.inf).any():
        codes[values == np.inf] = len(texts)
        texts.append("inf")
    return codes, texts


def sorted_values(column: pd.Series) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Return the place of each example's value among the different ones, sorted, and those.

    A missing value has -1. Times are given as texts. Values that cannot be compared are sorted by
    type and then by text.
    """
    if is_time(column):
        codes, values = pd.factorize(times_of(column), sort=True)
        return codes.astype(np.int64), [_time(value, exact=True) for value in values]
    try:
        codes, values = pd.factorize(column, sort=True)
        return codes.astype(np.int64), list(values)
    except TypeError:
        codes, values = pd.factorize(column)
        order = sorted(range(len(values)), key=lambda at: _by_type(values[at]))
        places = np.full(len(values) + 1, -1, np.int64)
        places[order] = np.arange(len(values))
        return places[codes], [values[at] for at in order]


def _by_type(value: Any) -> tuple[str, str]:
    return type(value).__name__, str(value)


def _kind(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categorical"
    return str(pd.api.types.infer_dtype(column, skipna=True))


def is_time(column: pd.Series) -> bool:
    """Return whether a column has dates or spans of time, of any sort."""
    return _kind(column) in _TIMES


def times_of(column: pd.Series) -> pd.Series:
    """Return dates or spans of time of any sort as pandas's own, in UTC and without a zone."""
    kind = _kind(column)
    if kind.startswith("timedelta"):
        return pd.to_timedelta(column)
    if kind == "period":
        return pd.Series(pd.PeriodIndex(column).to_timestamp(), index=column.index)
    return pd.to_datetime(column, utc=True).dt.tz_localize(None)


def _days(column: pd.Series) -> npt.NDArray[np.float64]:
    times = times_of(column)
    since: Any = times if _kind(column).startswith("timedelta") else times - pd.Timestamp(0)
    return np.asarray(since / pd.Timedelta(days=1), np.float64)


def _time(time: pd.Timestamp | pd.Timedelta, *, exact: bool = False) -> str:
    """Return a date as such, and what is finer to the second unless it is asked for exactly."""
    shown = time if exact else time.round("s")
    if isinstance(shown, pd.Timestamp) and shown == shown.normalize():
        return str(shown.date())
    return str(shown)
