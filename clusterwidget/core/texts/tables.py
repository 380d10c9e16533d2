"""Tables whose rows are put into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clusterwidget.core.checks import several, shown, text
from clusterwidget.core.columns import checked_concepts


def checked_table(table: Any) -> pd.DataFrame:
    """Return a table as a DataFrame, or raise where it is none."""
    rows = [] if isinstance(table, (Mapping, pd.DataFrame)) or not several(table) else list(table)
    if isinstance(table, pd.DataFrame):
        n = len(table)
    elif isinstance(table, Mapping):
        lengths = {
            str(name): len(column) if several(column) and hasattr(column, "__len__") else None
            for name, column in table.items()
        }
        if None in lengths.values() or len(set(lengths.values())) > 1:
            raise ValueError(
                f"the columns of the table must be lists of one length, not {lengths or table}: "
                f"{shown(table)}."
            )
        n = next(iter(lengths.values()), 0) or 0
    elif several(table) and all(isinstance(row, Mapping) for row in rows):
        n = len(rows)
        table = pd.DataFrame(rows) if n else table
    else:
        raise TypeError(
            "the table must be a DataFrame, a mapping of name to values, or a list of rows, not "
            f"{shown(table)}."
        )
    if not n:
        raise ValueError(f"the table has no row, {shown(table)}: give at least two to compare.")
    return checked_concepts(table, n)


def words_of(name: str, column: pd.Series) -> list[str | None]:
    """Return a column's values as they are written into texts; None where one is missing."""
    return [None if pd.isna(value) else text(f"{name!r}", str(value)) for value in column]


def require_words(name: str, words: list[str | None]) -> None:
    """Raise ValueError where a row has nothing to write."""
    for at, word in enumerate(words):
        if word is None or not word.strip():
            raise ValueError(
                f"row {at} has {'nothing' if word is None else repr(word)} in the column {name!r}, "
                "which the template has a gap for: fill it in, or leave the row out."
            )
