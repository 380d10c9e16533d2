"""Columns of examples: tokens, positions and concepts, and what is said of them; checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.checks import several, shown, text, unmasked
from clusterwidget.core.numbers import sorted_values


def checked_tokens(tokens: Any) -> npt.NDArray[np.integer]:
    """Return token ids, shape (N, T), or raise TypeError or ValueError where they are none."""
    if type(tokens).__module__.partition(".")[0] == "torch" and hasattr(tokens, "detach"):
        tokens = tokens.detach().cpu()
    unmasked("tokens", tokens)
    try:
        array = np.asarray(tokens)
    except ValueError as error:
        raise ValueError(
            f"tokens must be rows of equal length, (examples, positions), not {shown(tokens)}; pad "
            "or cut them to one length first."
        ) from error
    if array.size == 0:
        raise ValueError(
            f"tokens of shape {array.shape} hold no example, {shown(tokens)}: at least two are "
            "needed to compare."
        )
    if array.ndim != 2:
        raise ValueError(
            f"tokens must have two dimensions, (examples, positions), not shape {array.shape}, "
            f"{shown(tokens)}."
        )
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(
            f"tokens must be integers, not {array.dtype}, {shown(tokens)}: pass token ids, for "
            "instance what model.to_tokens returns."
        )
    if array.min() < 0:
        raise ValueError(f"tokens must not be negative, but {array.min()} occurs.")
    return array


def checked_positions(positions: Sequence[str] | None, t: int) -> tuple[str, ...]:
    """Return the names of t positions, by default 0 to t - 1."""
    if positions is None:
        return tuple(str(index) for index in range(t))
    if not isinstance(positions, str) and not several(positions):
        raise TypeError(f"positions must be a list of {t} names, not {shown(positions)}.")
    names = tuple(text("a position name", str(name)) for name in positions)
    if len(names) != t:
        raise ValueError(
            f"there are {len(names)} position names for rows of {t} tokens: give one each, not "
            f"{shown(positions)}."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"position names must differ, but {repeated} occur more than once.")
    if "" in names:
        raise ValueError(f"a position name is empty, {names}: give every position a name.")
    return names


def checked_concepts(
    concepts: pd.DataFrame | Mapping[str, npt.ArrayLike] | None, n: int
) -> pd.DataFrame:
    """Return what is known about n examples, one column a concept; masked values are missing."""
    if concepts is None:
        return pd.DataFrame(index=pd.RangeIndex(n))
    if not isinstance(concepts, (pd.DataFrame, Mapping)):
        raise TypeError(
            "concepts must be a DataFrame or a mapping of name to values, such as "
            f"{{'carry': [0, 1, …]}}, not {shown(concepts)}."
        )
    columns = list(concepts.items())
    names = [text("the name of a concept", str(name)) for name, _ in columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"concept names must differ, but {repeated} occur more than once.")
    checked = [_column(name, column, n) for name, (_, column) in zip(names, columns, strict=True)]
    if isinstance(concepts, pd.DataFrame):
        return concepts.reset_index(drop=True).set_axis(names, axis=1)
    return pd.DataFrame(dict(zip(names, checked, strict=True)), index=pd.RangeIndex(n))


def checked_axes(
    axes: Mapping[str, tuple[str, str]] | None, positions: Sequence[str], concepts: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Return the row and column concept of the grid at each position that has some."""
    _require_mapping("axes", axes, "{'0': ('L0', 'R0')}")
    checked = {}
    for position, pair in (axes or {}).items():
        if position not in positions:
            raise ValueError(
                f"axes name the position {shown(position)}; there are {list(positions)}."
            )
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(f"axes at {position!r} must be two concepts, not {shown(pair)}.")
        for concept in pair:
            if concept not in concepts:
                raise ValueError(
                    f"axes at {position!r} name the concept {shown(concept)}, which is not "
                    f"among {list(concepts)}."
                )
        checked[position] = (pair[0], pair[1])
    return checked


def texts_of_concepts(
    name: str, one: str, texts: Mapping[str, str] | None, concepts: Sequence[str]
) -> dict[str, str]:
    """Return what is said of some concepts, such as families; unknown names are refused.

    Parameters
    ----------
    name : str
        What they are together, for messages: ``"families"``.
    one : str
        The same for one of them: ``"the family"``.
    texts : mapping of concept to str, or None
    concepts : sequence of str
        Those that there are.
    """
    _require_mapping(name, texts, "{'carry1': '…'}")
    checked = {}
    for concept, said in (texts or {}).items():
        if concept not in concepts:
            raise ValueError(
                f"{name} name the concept {shown(concept)}, which is not among {list(concepts)}."
            )
        checked[concept] = text(f"{one} of {shown(concept)}", said)
    return checked


def _require_mapping(name: str, value: object, example: str) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping such as {example}, not {shown(value)}.")


def _column(name: str, column: Any, n: int) -> Any:
    """Return one value an example, ready to be a column."""
    masked = isinstance(column, np.ma.MaskedArray) and column.ndim == 1
    try:
        array = np.atleast_1d(np.asarray(pd.Series(column) if masked else column))
    except ValueError as error:
        raise ValueError(
            f"the values of the concept {name!r} must be single values, not lists of unequal "
            f"length, {shown(column)}."
        ) from error
    if len(array) != n:
        raise ValueError(
            f"the concept {name!r} has {len(array):,} values for {n:,} examples, {shown(column)}: "
            "give one each."
        )
    if array.ndim != 1:
        raise ValueError(
            f"the concept {name!r} has values of shape {array.shape[1:]} for each example, "
            f"{shown(column)}: give single values, such as one concept for each column."
        )
    if array.dtype.kind in "OU":
        for cell in _different(array):
            if isinstance(cell, str):
                text(f"a value of the concept {name!r}", cell)
            elif not pd.api.types.is_scalar(cell):
                raise ValueError(
                    f"the concept {name!r} has the value {shown(cell)}: values must be numbers, "
                    "strings or booleans, which can be compared."
                )
    return array


def _different(cells: npt.NDArray[Any]) -> Iterable[Any]:
    """Return each different cell once where they can be compared, as few of many mostly are."""
    try:
        return set(cells.tolist())
    except TypeError:
        return list(cells)


def value_codes(column: pd.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the place of each example's value among a concept's, and the values' texts, sorted.

    A missing value has -1.
    """
    codes, values = sorted_values(column)
    return codes, [str(value) for value in values]
