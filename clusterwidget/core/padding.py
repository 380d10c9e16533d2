"""Padding: attention masks, and the token that each position is in each example; checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import several, shown, text, unmasked
from clusterwidget.core.inputs import Bools, Ints

_FROM_END = re.compile(r"-[1-9][0-9]{0,5}")


def from_end(position: str) -> int | None:
    """Return the column of a position that counts from the end, ``"-1"``; None for a name."""
    return int(position) if _FROM_END.fullmatch(position) else None


def checked_mask(mask: Any, shape: tuple[int, ...]) -> Bools | None:
    """Return an attention mask, bool, or raise TypeError or ValueError where it does not fit.

    Parameters
    ----------
    mask : array of ones and zeros, or None
    shape : tuple of int
        Of the tokens, (N, T).
    """
    if mask is None:
        return None
    array = _array("attention_mask", mask, "1 for a token, 0 for padding")
    if array.shape != shape:
        raise ValueError(
            f"attention_mask has shape {array.shape}, {shown(mask)}, and the tokens {shape}: give "
            "one number for each token, 1 for a token and 0 for padding."
        )
    if array.dtype != bool:
        if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
            raise TypeError(
                f"attention_mask must be ones and zeros, not {array.dtype}, {shown(mask)}."
            )
        odd = array[(array != 0) & (array != 1)]
        if odd.size:
            raise ValueError(
                f"attention_mask must be ones and zeros, but {odd[0]} occurs, {shown(mask)}."
            )
        array = array.astype(bool)
    empty = np.flatnonzero(~array.any(axis=1))
    if len(empty):
        raise ValueError(
            f"attention_mask is all zeros in example {empty[0]}: leave out examples that have no "
            "token of their own."
        )
    # A run of ones begins where a one follows a zero.
    begins = array[:, :1].astype(int).sum(axis=1) + (array[:, 1:] & ~array[:, :-1]).sum(axis=1)
    torn = np.flatnonzero(begins > 1)
    if len(torn):
        raise ValueError(
            f"attention_mask has a hole in example {torn[0]}: {array[torn[0]].astype(int)}. "
            "Padding stands before or after an example's tokens, not between them."
        )
    return array


def checked_columns(
    columns: Any, positions: Sequence[str] | None, shape: tuple[int, ...], mask: Bools | None
) -> tuple[Ints | None, Sequence[str] | None]:
    """Return the token index of each position in each example, and the positions' names.

    Parameters
    ----------
    columns : mapping of name to N indices, array of shape (N, P), or None
    positions : sequence of P names, or None
        Given beside an array.
    shape : tuple of int
        Of the tokens, (N, T).
    mask : numpy.ndarray of bool, shape (N, T), or None
    """
    if columns is None:
        return None, positions
    n, t = shape
    if isinstance(columns, Mapping):
        names = [text("a position name", str(name)) for name in columns]
        same = several(positions) and [str(name) for name in positions or ()] == names
        if positions is not None and not same:
            raise ValueError(
                f"columns name the positions {names}, and positions are {shown(positions)}: leave "
                "positions out."
            )
        if not names:
            raise ValueError(
                f"columns are empty, {shown(columns)}: name one position at least, {{'last': […]}}."
            )
        parts = [
            _array(f"columns of {name!r}", one, "a token's index for each example")
            for name, one in zip(names, columns.values(), strict=True)
        ]
        for name, part, one in zip(names, parts, columns.values(), strict=True):
            if part.shape != (n,):
                raise ValueError(
                    f"columns of {name!r} have shape {part.shape}, {shown(one)}, for "
                    f"{n:,} examples: give one token index each."
                )
        array, positions = np.stack(parts, axis=1), names
    else:
        array = _array("columns", columns, "a token's index for each example and position")
        if positions is None or array.ndim != 2 or array.shape[0] != n:
            raise ValueError(
                f"columns of shape {array.shape}, {shown(columns)}, must be (N, P) = ({n:,}, …) "
                "with P names, positions=[…]; or give a mapping, columns={'last': […]}."
            )
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"columns must be whole numbers, not {array.dtype}, {shown(columns)}.")
    outside = np.argwhere((array < 0) | (array >= t))
    if len(outside):
        row, at = outside[0]
        raise ValueError(
            f"columns name token {array[row, at]} of example {row}, at position "
            f"{_name(positions, at)}, and its tokens are 0 to {t - 1}: give each position a token "
            "of the example."
        )
    if mask is not None:
        padding = np.argwhere(~np.take_along_axis(mask, array.astype(np.int64), axis=1))
        if len(padding):
            row, at = padding[0]
            raise ValueError(
                f"columns name token {array[row, at]} of example {row}, at position "
                f"{_name(positions, at)}, and that is padding: columns count padding on the left "
                "as well."
            )
    return array.astype(np.int64), positions


def _name(positions: Sequence[str], at: int) -> str:
    return repr(str(positions[at])) if several(positions) and at < len(positions) else str(at)


def _array(name: str, given: Any, what: str) -> npt.NDArray[Any]:
    if type(given).__module__.partition(".")[0] == "torch" and hasattr(given, "detach"):
        given = given.detach().cpu()
    unmasked(name, given)
    try:
        return np.asarray(given)
    except ValueError as error:
        raise ValueError(
            f"{name} must be rows of equal length, {what}, not {shown(given)}."
        ) from error


Rows = tuple[npt.NDArray[np.integer[Any]], Bools | None, Ints | None]
"""Tokens, their mask and their columns."""


def joined(one: Rows, other: Rows) -> Rows:
    """Return examples' rows followed by others', padded on the right to one length.

    Raises
    ------
    ValueError
        Where only one of them has columns.
    """
    if (one[2] is None) != (other[2] is None):
        raise ValueError(
            "some of the examples have columns, and others have not: give all of them the token "
            "indices of their positions."
        )
    width = max(one[0].shape[1], other[0].shape[1])
    tokens = [
        np.pad(rows, ((0, 0), (0, width - rows.shape[1])), mode="edge") for rows, *_ in (one, other)
    ]
    masks = [
        np.pad(
            np.ones(rows.shape, bool) if mask is None else mask,
            ((0, 0), (0, width - rows.shape[1])),
        )
        for rows, mask, _ in (one, other)
    ]
    mask = np.concatenate(masks)
    columns = None if one[2] is None or other[2] is None else np.concatenate([one[2], other[2]])
    return np.concatenate(tokens), None if mask.all() else mask, columns
