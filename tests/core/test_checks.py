"""What is accepted and what is refused at the door, and how the refusal reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from clusterwidget.core import checks

HUGE = 10**5000
"""Python refuses to write so many digits."""


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (partial(checks.whole, "n", least=1, most=3), 3, 3),
        (partial(checks.whole, "n"), np.int8(-2), -2),
        (partial(checks.number, "x"), np.float32(0.5), 0.5),
        (partial(checks.fraction, "share"), 1, 1.0),
        (checks.seed, 0, 0),
        (partial(checks.flag, "free"), np.True_, True),
        (partial(checks.text, "label"), "1+1", "1+1"),
        (partial(checks.names, "by"), "carry", ["carry"]),
        (partial(checks.names, "by"), ("a", "b"), ["a", "b"]),
        (partial(checks.choice, "metric", known=("l2", "cos")), "l2", "l2"),
        (partial(checks.function, "parse"), None, None),
        (partial(checks.function, "parse"), len, len),
        (checks.memory_bytes, 1 << 30, 1 << 30),
        (checks.memory_bytes, 2e9, 2_000_000_000),
        (checks.memory_bytes, "2GB", 2_000_000_000),
        (checks.memory_bytes, "512 MiB", 512 << 20),
        (checks.memory_bytes, "1.5 kib", 1536),
    ],
)
def test_what_fits_is_returned(check: Callable[[Any], object], value: Any, expected: Any) -> None:
    found = check(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("check", "value", "error", "message"),
    [
        (partial(checks.whole, "n"), 2.5, TypeError, "n must be a whole number, not 2.5"),
        (partial(checks.whole, "n"), True, TypeError, "not True"),
        (partial(checks.whole, "n", least=1), 0, ValueError, "of at least 1, not 0"),
        (partial(checks.whole, "n", most=9), 10, ValueError, "of at most 9, not 10"),
        (partial(checks.number, "x"), "1", TypeError, "x must be a number, not '1'"),
        (partial(checks.number, "x"), float("nan"), ValueError, "finite number, not nan"),
        (partial(checks.fraction, "share"), 1.5, ValueError, "from 0 to 1, not 1.5"),
        (checks.seed, -1, ValueError, "seed must be .* from 0 to 4,294,967,295, not -1"),
        (checks.seed, "a", TypeError, "not 'a'"),
        (partial(checks.flag, "free"), "no", TypeError, "free must be True or False, not 'no'"),
        (partial(checks.flag, "free"), 1, TypeError, "not 1"),
        (partial(checks.text, "label"), 3, TypeError, "label must be a string, not 3"),
        (partial(checks.text, "label"), "a\ud800", ValueError, r"'a\\ud800' holds a lone"),
        (partial(checks.names, "by"), 3, TypeError, "by must be a list of strings, not 3"),
        (partial(checks.names, "by"), b"ab", TypeError, "not b'ab'"),
        (partial(checks.names, "by"), ["a", None], TypeError, r"None is among \['a', None\]"),
        (partial(checks.names, "by", known=["a", "b"]), ["c"], ValueError, "no 'c'; there are a,"),
        (partial(checks.choice, "m", known=("l2",)), "l1", ValueError, "one of 'l2', not 'l1'"),
        (partial(checks.choice, "m", known=("l2",)), None, TypeError, "one of 'l2', not None"),
        (partial(checks.function, "parse"), "1+1", TypeError, "a function, not '1\\+1'"),
        (checks.memory_bytes, "1", ValueError, "'1' is no amount.*'512 MiB'"),
        (checks.memory_bytes, float("nan"), ValueError, "nan is out of range"),
        (checks.memory_bytes, -1, ValueError, "-1 is out of range"),
        (checks.memory_bytes, True, TypeError, "not True"),
        (checks.memory_bytes, None, TypeError, "not None"),
        (partial(checks.checked_k, n=5), 5, ValueError, "k = 5 is out of range"),
        (partial(checks.checked_index, n=5), 5, IndexError, "no example 5"),
        (partial(checks.checked_index, n=5), "0", TypeError, "not by '0'"),
    ],
)
def test_what_does_not_fit_is_named(
    check: Callable[[Any], object], value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check(value)


def test_an_integer_that_python_refuses_to_write_is_named_by_its_type() -> None:
    with pytest.raises(ValueError, match="from 1 to 9, not a value of type int"):
        checks.whole("n", HUGE, 1, 9)
    with pytest.raises(ValueError, match="finite number, not a value of type int"):
        checks.number("x", HUGE)


def test_a_value_is_shown_on_one_line_and_not_too_long() -> None:
    text = checks.shown(np.zeros((30, 3)))
    assert text.startswith("ndarray array([[0., 0., 0.], [0.")
    assert len(text) < 120
    assert checks.shown("") == "''"
