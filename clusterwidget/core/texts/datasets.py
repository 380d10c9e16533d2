"""Datasets: of Hugging Face, or DataFrames, as texts with what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clusterwidget.core.checks import names, shown, text
from clusterwidget.core.texts.making import ALL, EVERY
from clusterwidget.core.texts.spans import is_span


def dataset_parts(
    dataset: Any, column: str, positions: Any, answers: Any, concepts: Any
) -> dict[str, Any]:
    """Return the arguments of `Examples.from_text` that a dataset's columns give.

    Parameters
    ----------
    dataset, column, positions, answers, concepts
        As in `Examples.from_dataset`.

    Raises
    ------
    TypeError, ValueError
        For what is no dataset, and for columns that it does not have.
    """
    table = _table(dataset)
    column = _known("text", text("text", column), table)
    used = {column}
    if isinstance(positions, Mapping):
        positions = {
            name: _column(f"the position {name!r}", given, table, used)
            for name, given in positions.items()
        }
    elif positions is not None and not (isinstance(positions, str) and positions in (ALL, EVERY)):
        raise TypeError(
            f"positions must be by name, not {shown(positions)}: give a mapping such as "
            "{'subject': 'a column', 'last': -1}, 'all' or 'every token'."
        )
    if isinstance(answers, str):
        answers = {"next": answers}
    if isinstance(answers, Mapping):
        answers = {
            name: _column(f"the answer {name!r}", given, table, used)
            for name, given in answers.items()
        }
    if concepts is None:
        kept = [name for name in table.columns if name not in used and _is_plain(table[name])]
    else:
        kept = names("concepts", concepts, list(table.columns))
    return {
        "texts": table[column].tolist(),
        "positions": positions,
        "answers": answers,
        "concepts": table[kept] if kept else None,
    }


def _table(dataset: Any) -> pd.DataFrame:
    way_out = "give a datasets.Dataset, a DataFrame or a mapping of name to values"
    if isinstance(dataset, pd.DataFrame):
        table = dataset
    elif isinstance(dataset, str):
        raise TypeError(
            f"the dataset is a name, {shown(dataset)}, and nothing is looked up by name here: load "
            f"it first, with datasets.load_dataset({shown(dataset)}, split='train') for instance."
        )
    elif isinstance(dataset, Mapping) and any(
        hasattr(one, "to_pandas") for one in dataset.values()
    ):
        splits = ", ".join(repr(name) for name in dataset)
        raise TypeError(
            f"the dataset has the splits {splits}: choose one, dataset[{splits.split(', ')[0]}]."
        )
    elif isinstance(dataset, Mapping):
        try:
            table = pd.DataFrame(dict(dataset))
        except ValueError as error:
            raise ValueError(
                f"the dataset's columns must be lists of one length, not {shown(dataset)}."
            ) from error
    elif callable(getattr(dataset, "to_pandas", None)) and hasattr(dataset, "__len__"):
        table = dataset.to_pandas()
    elif hasattr(dataset, "take"):
        raise TypeError(
            f"the dataset, {shown(dataset)}, is read as a stream: take some of it, "
            "pd.DataFrame(dataset.take(1000))."
        )
    else:
        raise TypeError(f"the dataset is {shown(dataset)}: {way_out}.")
    if not len(table):
        raise ValueError(f"the dataset has no row, {shown(dataset)}: {way_out} of two at least.")
    return table.set_axis([str(name) for name in table.columns], axis=1)


def _column(what: str, given: Any, table: pd.DataFrame, used: set[str]) -> Any:
    """Return a column that is given by its name; an offset as it is."""
    if isinstance(given, str):
        used.add(_known(what, given, table))
        return table[given].tolist()
    if isinstance(given, int) or is_span(given):
        return given
    raise TypeError(
        f"{what} is {shown(given)}: give the name of a column, or an offset such as -1."
    )


def _known(what: str, name: str, table: pd.DataFrame) -> str:
    if name not in table.columns:
        raise ValueError(f"{what} is {name!r}; the dataset has the columns {list(table.columns)}.")
    return name


def _is_plain(column: pd.Series) -> bool:
    """Whether a column has single values, not lists, images or the like."""
    return all(pd.api.types.is_scalar(value) for value in column)
