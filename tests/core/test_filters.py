"""Filters: which examples a text stands for. js/tests/vectors.py holds the page to the same."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterwidget import Examples
from clusterwidget.core.filters import parse

TABLE = pd.DataFrame(
    {
        "carry2": [0, 1, 1, 0, 1],
        "L0": [9, 6, 2, 7, 8],
        "L0+R0": [1.5, 2.0, np.nan, 2.0, 10.0],
        "last city": ["Rome", "New York", None, "rome", "10"],
    }
)
EXAMPLES = Examples(
    np.zeros((5, 1), int),
    labels=["one = 1", "The cat", "a CAT or two", "don't", "two"],
    concepts=TABLE,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("carry2 = 1 and L0 > 5", TABLE["carry2"].eq(1) & TABLE["L0"].gt(5)),
        ("carry2 = 1 or L0 > 7 and L0 < 9", TABLE["carry2"].eq(1) | TABLE["L0"].between(8, 8)),
        (
            "(carry2 = 1 or L0 > 7) and L0 < 8",
            (TABLE.carry2.eq(1) | TABLE.L0.gt(7)) & TABLE.L0.lt(8),
        ),
        ("not carry2 = 1", TABLE["carry2"].ne(1)),
        ("L0 != 2", TABLE["L0"].ne(2)),
        ("L0+R0 = 2", TABLE["L0+R0"].eq(2)),
        ("L0+R0 != 2", TABLE["L0+R0"].ne(2)),
        ("L0+R0 >= 2", TABLE["L0+R0"].ge(2)),
        ("'last city' = Rome", TABLE["last city"].eq("Rome")),
        ("'last city' = 'New York'", TABLE["last city"].eq("New York")),
        ("'last city' > 9", [False, False, False, False, True]),
        ("cat", [False, True, True, False, False]),
        ('"one = 1" or don\'t', [True, False, False, True, False]),
        ('"or two"', [False, False, True, False, False]),
        ("", [True] * 5),
    ],
)
def test_a_filter_lets_through_what_pandas_finds(text: str, expected: Any) -> None:
    np.testing.assert_array_equal(EXAMPLES.where(text), np.flatnonzero(expected))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("carry9 = 1", "no concept “carry9”; there are carry2, L0"),
        ("carry2 =", "no value after “=”"),
        ("L0 < cat", "“<” compares numbers, and “cat” is none"),
        ("last city = Rome", "Put quotes around “last city”"),
        ("'last city' = New York", "Put “and” or “or” before “York”, or quotes around a text"),
        ("(cat", "“\\(” is not closed"),
        ('"cat', "quote is not closed"),
        ("cat and", "nothing after “and”"),
        ("L0 = 1 (cat)", "Put “and” or “or” before “\\(”"),
        ("(" * 60 + "a" + ")" * 60, "at most 50 parentheses"),
        ("a" * 1001, "at most 1,000 characters"),
    ],
)
def test_what_is_no_filter_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EXAMPLES.where(text)


def test_without_concepts_labels_can_be_looked_for() -> None:
    bare = Examples(np.zeros((2, 1), int), labels=["left", "right"])
    assert bare.where("IGH").tolist() == [1]
    with pytest.raises(ValueError, match="there are none"):
        bare.where("a = 1")


@given(st.text(alphabet="ab 1()=<>!\"'\t", max_size=30) | st.text(max_size=12))
def test_any_text_is_a_filter_or_says_why_not(text: str) -> None:
    with suppress(ValueError):
        parse(text)
