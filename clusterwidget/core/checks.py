"""Checks of what a caller gives: an error names the value and the way out, before work begins."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

LARGEST_SEED = 2**32 - 1
"""What every library that draws random numbers here accepts."""
MOST_DRAWS = 100_000
"""How many examples are drawn at most to be put in for another, one run each."""

_LONGEST_SHOWN = 100
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]i?B)", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}


def shown(value: Any) -> str:
    """Return a value as an error message shows it: on one line, and not too long."""
    kind = type(value).__name__
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a value that cannot be written is still named by its type
        return f"a value of type {kind}"
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{kind} {text[:_LONGEST_SHOWN]}…"


def whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number between two bounds, both included; None is no bound.

    Raises
    ------
    TypeError, ValueError
        For what is no integer (True and 2.0 are none), and for what is out of range.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number{_range(least, most)}, not {shown(value)}.")
    if (least is not None and value < least) or (most is not None and value > most):
        raise ValueError(f"{name} must be a whole number{_range(least, most)}, not {shown(value)}.")
    return int(value)


def number(name: str, value: Any, least: float | None = None, most: float | None = None) -> float:
    """Return a finite number between two bounds, both included; None is no bound."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real:
        raise TypeError(f"{name} must be a number{_range(least, most)}, not {shown(value)}.")
    # Compared before it is converted: an immense integer has no float.
    if (least is not None and value < least) or (most is not None and value > most):
        raise ValueError(f"{name} must be a number{_range(least, most)}, not {shown(value)}.")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise ValueError(f"{name} must be a finite number, not {shown(value)}.")
    return found


def fraction(name: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    return number(name, value, 0, 1)


def seed(value: Any) -> int:
    """Return the seed of a random draw."""
    return whole("seed", value, 0, LARGEST_SEED)


def flag(name: str, value: Any) -> bool:
    """Return True or False; refuse what Python would merely take for one of them."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {shown(value)}.")
    return bool(value)


def text(name: str, value: Any) -> str:
    """Return a string that can be written to a file and sent to a page."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {shown(value)}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{name} {shown(value)} holds a lone surrogate, half a character, which no file or "
            "page can hold: decode the bytes it came from with errors='replace'."
        ) from None
    return str(value)


def folder(value: Any) -> Path:
    """Return the path of a folder that an exploration is saved in."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"path must be the path of a folder, not {shown(value)}.")
    written = os.fspath(value)
    if not isinstance(written, str):
        raise TypeError(f"path must be a string or a Path, not {shown(value)}.")
    text("path", written)
    if not written or "\0" in written:
        raise ValueError(f"path {shown(value)} names no folder: give one such as 'adder.zarr'.")
    return Path(written)


def names(name: str, value: Any, known: Sequence[str] | None = None) -> list[str]:
    """Return a list of strings; one string stands for a list of one.

    Raises
    ------
    TypeError, ValueError
        For what is no list of strings, and for a string that is not among `known`.
    """
    if isinstance(value, str):
        value = [value]
    elif not several(value):
        raise TypeError(f"{name} must be a list of strings, not {shown(value)}.")
    found = list(value)
    for item in found:
        if not isinstance(item, str):
            raise TypeError(
                f"{name} must be a list of strings, but {shown(item)} is among {shown(found)}."
            )
        if known is not None and item not in known:
            raise ValueError(f"{name}: there is no {item!r}; there are {', '.join(known)}.")
    return [str(item) for item in found]


def choice(name: str, value: Any, known: Sequence[str]) -> str:
    """Return one of a few strings."""
    if not isinstance(value, str) or value not in known:
        error = ValueError if isinstance(value, str) else TypeError
        listed = ", ".join(repr(option) for option in known)
        raise error(f"{name} must be one of {listed}, not {shown(value)}.")
    return str(value)


def function(name: str, value: Any) -> Callable[..., Any] | None:
    """Return a function, or None where none is given."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be a function, not {shown(value)}: leave it out for none.")
    found: Callable[..., Any] | None = value
    return found


def memory_bytes(value: Any, name: str = "memory") -> int:
    """Return an amount of memory in bytes, given as such or as ``"2GB"`` or ``"512 MiB"``.

    Raises
    ------
    TypeError, ValueError
        For what is no positive amount, and for a string without its unit.
    """
    way_out = "give a positive number of bytes, or a string such as '2GB' or '512 MiB'."
    if isinstance(value, str):
        found = _MEMORY.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{name} {shown(value)} is no amount of memory: {way_out}")
        unit = found[2].lower()
        size = float(found[1]) * (1024 if "i" in unit else 1000) ** _POWERS[unit[0]]
    elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        size = value
    else:
        raise TypeError(f"{name} must be an amount of memory, not {shown(value)}: {way_out}")
    if not 1 <= size < 2**63:
        raise ValueError(f"{name} {shown(value)} is out of range: {way_out}")
    return int(size)


def several(value: Any) -> bool:
    """Return whether a value can be gone through one by one: not text, and not bytes."""
    # An array of no dimension passes for an iterable, and is none.
    listed = isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0
    return listed and not isinstance(value, (str, bytes))


def unmasked(name: str, value: Any) -> Any:
    """Return an array-like, or raise ValueError where it is a masked array that lacks values."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        masked = int(np.ma.getmaskarray(value).sum())
        raise ValueError(
            f"{name}: a MaskedArray with {masked:,} masked values is given, {shown(value)}, and "
            "none may be missing: fill them in, or leave those examples out."
        )
    return value


def checked_k(k: int, n: int) -> int:
    """Return how many neighbors are asked for, or raise where it is not between 1 and n - 1."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise TypeError(f"k must be a whole number, not {shown(k)}.")
    if not 1 <= k <= n - 1:
        raise ValueError(
            f"k = {shown(k)} is out of range: with {n:,} examples there are 1 to {n - 1:,} "
            "neighbors."
        )
    return int(k)


def checked_index(row: int, n: int) -> int:
    """Return the index of an example, or raise where there is none."""
    if isinstance(row, bool) or not isinstance(row, (int, np.integer)):
        raise TypeError(f"an example is chosen by its index, a whole number, not by {shown(row)}.")
    if not 0 <= row < n:
        raise IndexError(f"there is no example {shown(row)}: indices run from 0 to {n - 1:,}.")
    return int(row)


def indices(name: str, value: Any, n: int) -> npt.NDArray[np.int64]:
    """Return the indices of some examples, sorted, each once.

    Raises
    ------
    TypeError, ValueError, IndexError
        For what is no list of whole numbers from 0 to n - 1.
    """
    if not several(value) or isinstance(value, (Mapping, np.ma.MaskedArray)):
        raise TypeError(f"{name} must be a list of indices of examples, not {shown(value)}.")
    given = value if isinstance(value, np.ndarray) else list(value)
    if isinstance(given, np.ndarray):
        if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
            raise TypeError(
                f"{name} must be whole numbers, shape (examples,), not {shown(value)} of "
                f"{given.dtype}, shape {given.shape}; of a mask, take np.flatnonzero(mask)."
            )
    else:
        given = np.array([checked_index(row, n) for row in given], np.int64)
    found = np.unique(given) if given.size else np.zeros(0, np.int64)
    for row in found[[0, -1]].tolist() if len(found) else ():
        checked_index(row, n)
    return found.astype(np.int64)


def _range(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    if least is not None:
        return f" of at least {least:,}"
    return "" if most is None else f" of at most {most:,}"
