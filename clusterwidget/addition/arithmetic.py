"""Addition problems ``L + R = Sum`` of two numbers of up to four digits, as tokens and concepts."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.addition.rules import rules_of
from clusterwidget.addition.words import DESCRIPTIONS, FAMILIES
from clusterwidget.core import checks
from clusterwidget.core.answers import Answer
from clusterwidget.core.checks import shown, unmasked, whole
from clusterwidget.core.examples import Examples

DIGITS = 4
NUMBERS = 10**DIGITS
"""How many numbers there are on either side: 0 to 9999."""

VOCABULARY = (*"0123456789", "+", "=")
PLUS, EQUALS = 10, 11
POSITIONS = ("L3", "L2", "L1", "L0", "+", "R3", "R2", "R1", "R0", "=", "S4", "S3", "S2", "S1")
ANSWERS = {"S4": "=", "S3": "S4", "S2": "S3", "S1": "S2", "S0": "S1"}
"""Each digit of the sum, and the position whose logits give it."""

FIRST_ANSWER = POSITIONS.index("=")

BELOW, NINE, ABOVE = 0, 1, 2
"""What a column's two digits sum to: less than 9, 9 (a carry passes through), more than 9."""

Ints = npt.NDArray[np.integer[Any]]


def digits(numbers: Ints, count: int = DIGITS) -> npt.NDArray[np.int64]:
    """Decimal digits of ``numbers`` (n,), most significant first, shape (n, count)."""
    powers = 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)
    return np.asarray(numbers, dtype=np.int64)[:, None] // powers % 10


def tokens(left: Ints, right: Ints) -> npt.NDArray[np.int64]:
    """Token ids of ``left + right = ``, followed by all digits of the sum but the last.

    Parameters
    ----------
    left, right : (n,) ints from 0 to 9999

    Returns
    -------
    (n, 14) ints, columns as in `POSITIONS`
    """
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    row = np.empty((len(left), len(POSITIONS)), dtype=np.int64)
    row[:, 0:4] = digits(left)
    row[:, 4] = PLUS
    row[:, 5:9] = digits(right)
    row[:, 9] = EQUALS
    row[:, 10:14] = sum_digits(left, right)[:, :DIGITS]
    return row


def sum_digits(left: Ints, right: Ints) -> npt.NDArray[np.int64]:
    """Digits of the sum, ``S4`` to ``S0``: the right answers, shape (n, 5)."""
    return digits(np.asarray(left, dtype=np.int64) + right, DIGITS + 1)


def draw_columns(classes: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Random problems whose columns sum as asked.

    Parameters
    ----------
    classes : (n, 4) ints
        `BELOW`, `NINE` or `ABOVE` for each column, most significant first.
    rng : numpy Generator

    Returns
    -------
    left, right : (n,) int64
        Each column's pair of digits is uniform among those of its class.
    """
    left_digit, right_digit = np.divmod(np.arange(100), 10)
    column_class = np.sign(left_digit + right_digit - 9) + 1
    left = np.zeros(len(classes), dtype=np.int64)
    right = np.zeros(len(classes), dtype=np.int64)
    for column in range(DIGITS):
        pair = np.zeros(len(classes), dtype=np.int64)
        for wanted in (BELOW, NINE, ABOVE):
            rows = np.flatnonzero(classes[:, column] == wanted)
            pair[rows] = rng.choice(np.flatnonzero(column_class == wanted), len(rows))
        left = left * 10 + left_digit[pair]
        right = right * 10 + right_digit[pair]
    return left, right


def from_numbers(left: npt.ArrayLike, right: npt.ArrayLike) -> Examples:
    """Return the problems ``left + right`` as examples.

    Parameters
    ----------
    left, right : ints or (n,) array-likes of ints, 0 to 9999

    Returns
    -------
    examples : Examples
        With labels like ``"1234+5678=06912"``, the five answers and all concepts.

    Raises
    ------
    TypeError, ValueError
        Where a number is no integer, is out of range, or lacks its counterpart.

    See Also
    --------
    problems : random ones.
    parse : one that was typed.

    Examples
    --------
    >>> cw.addition.from_numbers([1234, 5], [5678, 7]).labels
    ['1234+5678=06912', '0005+0007=00012']
    """
    left, right = _checked_numbers("left", left), _checked_numbers("right", right)
    if left.shape != right.shape:
        raise ValueError(
            f"there are {len(left):,} numbers on the left and {len(right):,} on the right: "
            "give as many on either side."
        )
    answers = sum_digits(left, right)
    return Examples(
        tokens(left, right),
        labels=[label(*pair) for pair in zip(left.tolist(), right.tolist(), strict=True)],
        positions=POSITIONS,
        concepts=concepts(left, right),
        answers=[
            Answer(
                name,
                position,
                answers[:, index],
                f"{10 ** (DIGITS - index)}s",
                _CAPTIONS[name],
                rules_of(int(name[1:])),
            )
            for index, (name, position) in enumerate(ANSWERS.items())
        ],
        vocabulary=VOCABULARY,
        axes=_AXES,
        families=FAMILIES,
        descriptions=DESCRIPTIONS,
        parse=parse,
    )


def problems(n: int, seed: int = 0) -> Examples:
    """Return n different problems, drawn uniformly from all 100,000,000.

    Parameters
    ----------
    n : int
    seed : int
        The same seed gives the same problems in the same order.

    Returns
    -------
    examples : Examples

    Raises
    ------
    TypeError, ValueError
        For what is no whole number, and for what is out of range.

    See Also
    --------
    from_numbers : chosen ones.

    Examples
    --------
    >>> cw.addition.problems(2, seed=0).labels
    ['8506+2421=10927', '6369+6168=12537']
    """
    n = whole("n", n)
    if not 1 <= n <= NUMBERS**2:
        raise ValueError(f"n = {shown(n)} problems: there are 1 to {NUMBERS**2:,} different ones.")
    chosen = np.random.default_rng(checks.seed(seed)).choice(NUMBERS**2, size=n, replace=False)
    return from_numbers(*np.divmod(chosen, NUMBERS))


def parse(text: str) -> Examples:
    """Return the one problem that a person typed, like ``1234+5678``.

    Spaces do not matter, numbers of fewer than four digits get leading zeros, and the sum may
    follow after ``=`` if it is right.

    Raises
    ------
    ValueError
        With a message for that person.

    See Also
    --------
    from_numbers

    Examples
    --------
    >>> cw.addition.parse("12 + 34").labels
    ['0012+0034=00046']
    """
    if not isinstance(text, str):
        raise TypeError(f"a problem is a string such as '1234+5678', not {shown(text)}.")
    typed = "".join(text.split())
    way_out = "Type two numbers of up to four digits, like 1234+5678."
    if not typed:
        raise ValueError(f"No problem was typed in {text!r}. {way_out}")
    found = re.fullmatch(r"([0-9]+)\+([0-9]+)(?:=([0-9]*))?", typed)
    if found is None:
        raise ValueError(f"{shown(text)} is not an addition problem. {way_out}")
    for number in found.group(1, 2):
        if len(number) > DIGITS:
            raise ValueError(f"{_cut(number)} in {shown(text)} has {len(number)} digits. {way_out}")
    left, right = int(found[1]), int(found[2])
    # Compared as text: Python refuses to read a number of thousands of digits.
    if found[3] and (found[3].lstrip("0") or "0") != str(left + right):
        raise ValueError(
            f"{found[1]}+{found[2]} is {left + right}, not {_cut(found[3])}. "
            "Leave out what follows '='."
        )
    return from_numbers(left, right)


def label(left: int, right: int) -> str:
    """Return how a problem is written: ``1234+5678=06912``."""
    return f"{left:04}+{right:04}={left + right:05}"


def concepts(left: Ints, right: Ints) -> pd.DataFrame:
    """Return what is known about each problem.

    Column 0 is the units. ``carry2`` is the true carry into column 2, from however far it comes;
    ``makes2`` says that column 1 makes a carry by itself; ``nine1`` that column 1 sums to 9 and
    passes a carry on.

    Returns
    -------
    DataFrame of n rows, int8
    """
    low_first = slice(None, None, -1)
    left_digits, right_digits = digits(left)[:, low_first], digits(right)[:, low_first]
    answers = sum_digits(left, right)[:, low_first]
    sums = left_digits + right_digits
    columns = range(DIGITS)
    found: dict[str, npt.NDArray[Any]] = {f"L{i}": left_digits[:, i] for i in columns}
    found |= {f"R{i}": right_digits[:, i] for i in columns}
    found |= {f"S{i}": answers[:, i] for i in range(DIGITS + 1)}
    found |= {f"L{i}+R{i}": sums[:, i] for i in columns}
    found |= {f"(L{i}+R{i})%10": sums[:, i] % 10 for i in columns}
    # What the digits to the right of column i add up to overflows, or does not.
    powers = [10 ** (i + 1) for i in columns]
    found |= {f"carry{i + 1}": (left % p + right % p) // p for i, p in enumerate(powers)}
    found |= {f"makes{i + 1}": sums[:, i] > 9 for i in columns}
    found |= {f"nine{i}": sums[:, i] == 9 for i in columns}
    frame: pd.DataFrame = pd.DataFrame(
        {name: column.astype(np.int8) for name, column in found.items()}
    )
    return frame


def _cut(number: str) -> str:
    """Return a number as an error message shows it, however many digits were typed."""
    return number if len(number) <= 20 else f"{number[:20]}…"


def _checked_numbers(side: str, numbers: npt.ArrayLike) -> npt.NDArray[np.int64]:
    given = unmasked(f"the numbers on the {side}", numbers)
    try:
        array = np.atleast_1d(np.asarray(given))
    except ValueError as error:
        raise ValueError(
            f"the numbers on the {side} must be in one row, not {shown(given)}."
        ) from error
    if array.size == 0:
        raise ValueError(f"there are no numbers on the {side}, {shown(given)}: give at least one.")
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(
            f"the numbers on the {side} must be integers, not {array.dtype}, {shown(given)}."
        )
    if array.ndim != 1:
        raise ValueError(
            f"the numbers on the {side} must be in one row, not shape {array.shape}, "
            f"{shown(given)}."
        )
    outside = array[(array < 0) | (array >= NUMBERS)]
    if len(outside):
        raise ValueError(
            f"{outside[0]} on the {side} is not from 0 to {NUMBERS - 1}: "
            "the model adds numbers of up to four digits."
        )
    return array.astype(np.int64)


_AXES = {
    position: (f"L{column}", f"R{column}")
    for column, positions in enumerate(
        [("L0", "R0", "S1"), ("L1", "R1", "S2"), ("L2", "R2", "S3"), ("L3", "R3", "+", "=", "S4")]
    )
    for position in positions
}
_CAPTIONS = {
    "S4": "carry {carry4}",
    **{f"S{i}": f"{{L{i}}}+{{R{i}}}+{{carry{i}}}={{S{i}}}" for i in range(1, DIGITS)},
    "S0": "{L0}+{R0}={S0}",
}
