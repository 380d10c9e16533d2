"""Tables: examples as arrays and plain values, and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clusterwidget import Answer, Examples
from clusterwidget.store.tables import SAVED_DTYPE, array_names, from_arrays, replaced, to_arrays

EXAMPLES = Examples(
    [[1, 2], [3, 4], [5, 6]],
    positions=["a", "b"],
    labels=["", "№ü", "x"],
    concepts=pd.DataFrame({"n": [0, 1, 1], "word": ["x", None, "y"]}),
    answers=[Answer("last", "b", np.array([2, 4, 6]), "the last", "{n}!")],
    axes={"a": ("n", "word")},
    families={"n": "numbers"},
    descriptions={"word": "A word, or none."},
    vocabulary=list("abcdefg"),
)


def saved() -> tuple[dict[str, Any], dict[str, Any]]:
    arrays, known = to_arrays(EXAMPLES)
    return arrays, json.loads(json.dumps(known))


def test_what_was_taken_apart_is_put_together() -> None:
    found = from_arrays(*saved())
    np.testing.assert_array_equal(found.tokens, EXAMPLES.tokens)
    pd.testing.assert_frame_equal(found.concepts, EXAMPLES.concepts)
    assert found.labels == EXAMPLES.labels
    assert found.axes == EXAMPLES.axes
    assert found.families == EXAMPLES.families
    assert found.descriptions == EXAMPLES.descriptions
    assert found.captions(1) == {"last": "1!"}
    assert [found.token_text(token) for token in range(1, 7)] == list("bcdefg")


def test_all_arrays_are_of_plain_numbers_and_known_by_name() -> None:
    arrays, known = saved()
    assert list(arrays) == array_names(known)
    assert {array.dtype.kind for array in arrays.values()} <= set("biuf")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("labels/offsets", np.array([0, 4, 2, 5], np.uint64)),
        ("labels/offsets", np.array([0, 9, 99, 999], np.uint64)),
        ("labels/offsets", np.array([1, 2, 3, 5], np.uint64)),
        ("labels/offsets", np.array([0, 1, 2, 5], np.int64)),
        ("labels/offsets", np.array([0, 5], np.uint64)),
        ("labels/text", np.full(5, 255, np.uint8)),
        ("labels/text", np.zeros(5, np.int64)),
        ("tokens", np.array([[1, -2], [3, 4], [5, 6]])),
        ("tokens", np.zeros((3, 2))),
        ("tokens", np.zeros((3, 3), np.int64)),
        ("answers/0", np.array([2, 4])),
        ("answers/0", np.array([2.0, 4.0, 6.0])),
        ("concepts/0", np.array([[0, 1, 1]])),
        ("concepts/1", np.array([0, 1, 7], np.int32)),
        ("concepts/1", np.array([0.0, 1.0, 1.0])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, array: Any) -> None:
    arrays, known = saved()
    with pytest.raises(ValueError, match="the arrays do not fit together"):
        from_arrays({**arrays, name: array}, known)


@pytest.mark.parametrize(
    "dtype", ["S999999999", "V8", "datetime64[ns]", "<U9", "period[D]", "eval"]
)
def test_a_type_that_pandas_could_make_anything_of_is_not_one_that_is_saved(dtype: str) -> None:
    assert not SAVED_DTYPE.fullmatch(dtype)


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None, 2], "Int8"),
        pd.array(["a", None, "b"], "string"),
        pd.array([True, None, False], "boolean"),
        pd.array([0.5, None, 1], "Float32"),
        pd.Categorical(["a", None, "b"], ["b", "a"], ordered=True),
        pd.arrays.SparseArray([0, 0, 1]),
        np.array(["2020-01-01", "NaT", "2021-01-01"], "M8[ns]"),
        [1 + 2j, 2j, 0],
    ],
)
def test_a_concept_is_saved_as_a_type_that_is_read(column: Any) -> None:
    examples = Examples([[0], [1], [2]], concepts=pd.DataFrame({"c": column}))
    arrays, known = to_arrays(examples)
    (concept,) = known["concepts"]
    assert concept["values"] is None or SAVED_DTYPE.fullmatch(concept["dtype"])
    found = from_arrays(arrays, json.loads(json.dumps(known))).concepts["c"]
    assert [str(value) for value in found.dropna()] == [
        str(value) for value in examples.concepts["c"].dropna()
    ]


def test_functions_can_be_given_to_what_was_saved() -> None:
    found = replaced(from_arrays(*saved()), vocabulary=lambda token: f"<{token}>")
    assert found.token_text(3) == "<3>"
    assert found.labels == EXAMPLES.labels
    pd.testing.assert_frame_equal(found.concepts, EXAMPLES.concepts)
    with pytest.raises(TypeError, match="parse must be a function"):
        replaced(found, parse="int")
