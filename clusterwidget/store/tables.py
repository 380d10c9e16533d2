"""Tables: examples as plain arrays and plain values, to be saved, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.answers import Answer
from clusterwidget.core.examples import Examples

Arrays = dict[str, npt.NDArray[Any]]


def to_arrays(examples: Examples) -> tuple[Arrays, dict[str, Any]]:
    """Return what examples consist of: arrays by name, and everything else for JSON.

    Functions cannot be saved: of a vocabulary, the texts of the tokens that occur are.
    """
    text, offsets = _joined(examples.labels)
    arrays: Arrays = {"tokens": examples.tokens, "labels/text": text, "labels/offsets": offsets}
    answers = []
    for at, answer in enumerate(examples.answers.values()):
        arrays[f"answers/{at}"] = answer.tokens
        known = asdict(answer)
        del known["tokens"]
        answers.append(known)
    concepts = []
    for at, name in enumerate(examples.concepts.columns):
        arrays[f"concepts/{at}"], known = _column(examples.concepts[name])
        concepts.append({"name": name, **known})
    columns = [examples.tokens, *(answer.tokens for answer in examples.answers.values())]
    occurring = np.unique(np.concatenate([np.unique(column) for column in columns])).tolist()
    return arrays, {
        "positions": list(examples.positions),
        "answers": answers,
        "concepts": concepts,
        "axes": {position: list(pair) for position, pair in examples.axes.items()},
        "families": examples.families,
        "texts": {str(token): examples.token_text(token) for token in occurring},
    }


def from_arrays(arrays: Mapping[str, Any], about: Mapping[str, Any], **changes: Any) -> Examples:
    """Return the examples of which `to_arrays` made these."""
    texts: dict[str, str] = about["texts"]
    known: dict[str, Any] = {
        "labels": _apart(arrays["labels/text"], arrays["labels/offsets"]),
        "positions": about["positions"],
        "answers": [
            Answer(**answer, tokens=arrays[f"answers/{at}"])
            for at, answer in enumerate(about["answers"])
        ],
        "vocabulary": lambda token: texts.get(str(token), str(token)),
        "axes": {position: tuple(pair) for position, pair in about["axes"].items()},
        "families": about["families"],
    }
    if about["concepts"]:
        columns = {
            concept["name"]: _series(arrays[f"concepts/{at}"], concept)
            for at, concept in enumerate(about["concepts"])
        }
        known["concepts"] = pd.DataFrame(columns)
    given = {name: value for name, value in changes.items() if value is not None}
    return Examples(arrays["tokens"], **{**known, **given})


def _column(column: pd.Series) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return a concept's values as they are if they are numbers, and otherwise as codes."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy(), {"values": None, "dtype": str(column.dtype)}
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
    # Missing is NaN or None in a column of objects, and one of the two in any other.
    none = dtype == "object" and any(value is None for value in column)
    return codes.astype(np.int32), {"values": plain, "dtype": dtype, "none": none}


def _series(array: npt.NDArray[Any], about: Mapping[str, Any]) -> pd.Series:
    if about["values"] is None:
        return pd.Series(array)
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
    return [whole[a:b].decode() for a, b in pairwise(bounds)]
