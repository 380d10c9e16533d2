"""Rules: how a digit of the sum comes from the digits above it and from the carry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

TOP = 4
"""The column that holds nothing but a carry."""

Function = Callable[..., int]


def rules_of(column: int) -> list[Function]:
    """Return the ways to say how the digit in a column of the sum comes about.

    From its two digits and the carry; from these and what makes the carry (`makes`, `nine` and the
    carry before); from these and the digits to the right.
    """
    own = [] if column == TOP else [f"L{column}", f"R{column}"]
    if column == 0:
        return [_named(own, lambda *values: sum(values) % 10)]
    below = column - 1
    digits = [f"L{below}", f"R{below}"]
    made, count = f"makes{column}", len(own)

    def by_digits(*values: int) -> int:
        return (sum(values[:count]) + (sum(values[count:]) > 9)) % 10

    by_carry = _named([*own, f"carry{column}"], lambda *values: sum(values) % 10)
    if below == 0:
        # Nothing carries into the units: what they make is the carry.
        return [
            by_carry,
            _named([*own, made], lambda *values: sum(values) % 10),
            _named([*own, *digits], by_digits),
        ]

    def by_makes(*values: int) -> int:
        makes, nine, before = values[count:]
        return (sum(values[:count]) + max(makes, nine * before)) % 10

    return [
        by_carry,
        _named([*own, made, f"nine{below}", f"carry{below}"], by_makes),
        _named([*own, *digits, f"carry{below}"], by_digits),
    ]


def _named(names: Sequence[str], function: Function) -> Function:
    """Return a function whose parameters have these names."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD

    def rule(*values: int) -> int:
        return function(*values)

    rule.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in names]
    )
    return rule
