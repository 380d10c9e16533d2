"""Tables: examples as plain arrays and plain values, to be saved, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.answers import Answer
from clusterwidget.core.examples import Examples
from clusterwidget.core.numbers import is_time, times_of

Arrays = dict[str, npt.NDArray[Any]]

LAID_OUT = ("attention_mask", "columns")
"""What only examples of unequal lengths, or with positions of their own, have."""

_ANSWER_TEXTS = ("name", "position", "title", "caption")

_TIMES = ("datetime64[us]", "timedelta64[us]")

SAVED_DTYPE = re.compile(
    r"category(?:, ordered)?|object|str|boolean|U?Int(?:8|16|32|64)|Float(?:32|64)"
    r"|string(?:\[\w+\])?|[a-z0-9_]+\[pyarrow\]|Sparse\[[a-z0-9]+, [\w.]+\]"
)
"""Types of concepts that are saved as codes: pandas makes of other words what may take all memory,
of ``S999999999`` for one.
"""


def to_arrays(examples: Examples) -> tuple[Arrays, dict[str, Any]]:
    """Return what examples consist of: arrays by name, and everything else for JSON.

    Functions cannot be saved: of a vocabulary, the texts of the tokens that occur are.
    """
    text, offsets = _joined(examples.labels)
    arrays: Arrays = {"tokens": examples.tokens, "labels/text": text, "labels/offsets": offsets}
    if examples.attention_mask is not None:
        arrays["attention_mask"] = examples.attention_mask
    if examples.columns is not None:
        arrays["columns"] = examples.columns
    answers = []
    for at, answer in enumerate(examples.answers.values()):
        arrays[f"answers/{at}"] = answer.tokens
        # Rules are functions, and are given again when the exploration is opened.
        answers.append({part: getattr(answer, part) for part in _ANSWER_TEXTS})
    concepts = []
    for at, name in enumerate(examples.concepts.columns):
        arrays[f"concepts/{at}"], known = _column(examples.concepts[name])
        concepts.append({"name": name, **known})
    columns = [examples.tokens, *(answer.tokens for answer in examples.answers.values())]
    occurring = np.unique(np.concatenate([np.unique(column) for column in columns])).tolist()
    return arrays, {
        "positions": list(examples.positions),
        **{name: name in arrays for name in LAID_OUT},
        "answers": answers,
        "concepts": concepts,
        "axes": {position: list(pair) for position, pair in examples.axes.items()},
        "families": examples.families,
        "descriptions": examples.descriptions,
        "texts": {str(token): examples.token_text(token) for token in occurring},
    }


def array_names(about: Mapping[str, Any]) -> list[str]:
    """Return the names of the arrays that `to_arrays` makes of such examples."""
    answers = [f"answers/{at}" for at in range(len(about["answers"]))]
    concepts = [f"concepts/{at}" for at in range(len(about["concepts"]))]
    laid_out = [name for name in LAID_OUT if about.get(name, False)]
    return ["tokens", "labels/text", "labels/offsets", *laid_out, *answers, *concepts]


def from_arrays(arrays: Mapping[str, Any], about: Mapping[str, Any]) -> Examples:
    """Return the examples of which `to_arrays` made these.

    Raises
    ------
    ValueError
        Where the arrays are not those of examples.
    """
    try:
        return Examples(**_arguments(arrays, about))
    except Exception as error:
        raise ValueError(f"the arrays do not fit together: {error}") from error


def replaced(examples: Examples, **changes: Any) -> Examples:
    """Return examples with some of their arguments replaced."""
    rules = changes.pop("rules", {})
    for name in rules:
        if name not in examples.answers:
            known = ", ".join(examples.answers) or "none"
            raise ValueError(f"rules name the answer {name!r}; there are {known}.")
    own: dict[str, Any] = {
        **{name: getattr(examples, name) for name in ("tokens", "labels", "positions", "concepts")},
        **{name: getattr(examples, name) for name in LAID_OUT},
        **{name: getattr(examples, name) for name in ("axes", "families", "descriptions")},
        **{name: getattr(examples, name) for name in ("vocabulary", "parse")},
        "answers": [
            replace(answer, rule=rules.get(name, answer.rule))
            for name, answer in examples.answers.items()
        ],
    }
    return Examples(**{**own, **changes})


def _arguments(arrays: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `Examples`."""
    n = len(arrays["tokens"])
    for name, array in arrays.items():
        if name.startswith(("answers/", "concepts/")) and array.shape != (n,):
            raise ValueError(f"{name} has shape {array.shape} for {n:,} examples.")
    texts: dict[str, str] = about["texts"]
    known: dict[str, Any] = {
        "tokens": arrays["tokens"],
        "labels": _apart(arrays["labels/text"], arrays["labels/offsets"]),
        "positions": about["positions"],
        **{name: arrays.get(name) for name in LAID_OUT},
        "answers": [
            Answer(**answer, tokens=arrays[f"answers/{at}"])
            for at, answer in enumerate(about["answers"])
        ],
        "vocabulary": lambda token: texts.get(str(token), str(token)),
        "axes": {position: tuple(pair) for position, pair in about["axes"].items()},
        "families": about["families"],
        # Explorations that were saved before there were any have none.
        "descriptions": about.get("descriptions", {}),
    }
    if about["concepts"]:
        columns = {
            concept["name"]: _series(arrays[f"concepts/{at}"], concept)
            for at, concept in enumerate(about["concepts"])
        }
        known["concepts"] = pd.DataFrame(columns)
    return known


def _column(column: pd.Series) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return a concept's values as they are if they are numbers, and otherwise as codes."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy(), {"values": None, "dtype": str(column.dtype)}
    if is_time(column):
        # Of any sort: pandas's own, without a time zone.
        times = times_of(column).to_numpy()
        kind = f"{'datetime64' if times.dtype.kind == 'M' else 'timedelta64'}[us]"
        return times.astype(kind).view(np.int64), {"values": None, "dtype": kind}
    dtype = str(column.dtype)
    codes: npt.NDArray[Any]
    values: Any
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
        dtype = "category, ordered" if column.cat.ordered else "category"
    else:
        codes, values = pd.factorize(column, sort=False)
    plain = [value.item() if hasattr(value, "item") else value for value in values]
    if not all(isinstance(value, (str, int, float, bool)) for value in plain):
        plain = [str(value) for value in values]
        dtype = dtype if dtype.startswith("category") else "object"
    if not SAVED_DTYPE.fullmatch(dtype):
        dtype = "object"
    # Missing is NaN or None in a column of objects, and one of the two in any other.
    none = dtype == "object" and any(value is None for value in column)
    return codes.astype(np.int32), {"values": plain, "dtype": dtype, "none": none}


def _series(array: npt.NDArray[Any], about: Mapping[str, Any]) -> pd.Series:
    if about["values"] is None:
        timed = array.dtype == np.int64 and about.get("dtype") in _TIMES
        return pd.Series(array.view(about["dtype"]) if timed else array)
    if array.dtype.kind != "i":
        raise ValueError(f"the concept {about['name']!r} has codes of type {array.dtype}.")
    categories = pd.Categorical.from_codes(
        array.tolist(), categories=about["values"], ordered=about["dtype"].endswith("ordered")
    )
    found = pd.Series(categories)
    if about["dtype"].startswith("category"):
        return found
    # pandas 2 has no dtype "str" of its own, and would turn what is missing into the word "nan".
    words = about["dtype"] == "str"
    found = found.astype(pd.Series(["a"]).dtype if words else about["dtype"])
    return found.where(found.notna(), None) if about["none"] else found


def _joined(texts: list[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, np.uint64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded) or b"\0", np.uint8), offsets


def _apart(text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.uint64]) -> list[str]:
    whole, bounds = text.tobytes(), offsets.tolist()
    # Parts that overlap could make a small file fill all memory.
    if text.dtype != np.uint8 or text.ndim != 1 or offsets.dtype.kind != "u" or offsets.ndim != 1:
        raise ValueError("labels are not saved as bytes and their bounds.")
    if bounds[0] != 0 or bounds[-1] > len(whole) or any(b < a for a, b in pairwise(bounds)):
        raise ValueError("the bounds of labels are not in order.")
    return [whole[a:b].decode() for a, b in pairwise(bounds)]
