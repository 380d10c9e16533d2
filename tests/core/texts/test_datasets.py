"""Datasets: columns of texts, of parts of them, of answers, and of what is known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from clusterwidget import Examples
from tests.texts import byte_level

COLUMNS: dict[str, Any] = {
    "text": ["The keys to", "The dog is"],
    "noun": ["keys", "dog"],
    "next": [" the", " here"],
    "n": [1, 2],
    "list": [[1], [2]],
}


def made(dataset: Any, text: Any = "text", **how: Any) -> Examples:
    return Examples.from_dataset(dataset, text, tokenizer=byte_level(), **how)


def hugging_face_dataset() -> Any:
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict(COLUMNS)


@pytest.mark.parametrize(
    "make", [lambda: COLUMNS, lambda: pd.DataFrame(COLUMNS), hugging_face_dataset]
)
def test_columns_are_texts_answers_and_concepts(make: Any) -> None:
    examples = made(make(), positions="all", answers={"next": "next"})
    assert examples.labels == COLUMNS["text"]
    assert examples.tokens[1].tolist() == byte_level().encode("The dog is").ids
    assert examples.answers["next"].tokens.tolist() == [
        byte_level().encode(text).ids[0] for text in COLUMNS["next"]
    ]
    # Lists are nothing to compare, and the answer is no concept.
    assert list(examples.concepts.columns) == ["noun", "n"]
    assert list(made(make(), positions="all", concepts="n").concepts.columns) == ["n"]


@pytest.mark.parametrize(
    ("dataset", "how", "error", "message"),
    [
        ("imdb", {}, TypeError, r"a name, 'imdb', .*datasets.load_dataset\('imdb'"),
        (3, {}, TypeError, "the dataset is 3: give a datasets.Dataset"),
        ({"train": pd.Series([1]).to_frame}, {}, ValueError, "columns must be lists|If using all"),
        (pd.DataFrame({"text": []}), {}, ValueError, "the dataset has no row"),
        (COLUMNS, {"text": "x"}, ValueError, r"text is 'x'; the dataset has the columns \['text'"),
        (COLUMNS, {"positions": {"p": "x"}}, ValueError, "the position 'p' is 'x'; the dataset"),
        (COLUMNS, {"positions": "x"}, TypeError, "positions must be by name, not 'x'"),
        (COLUMNS, {"answers": "x"}, ValueError, "the answer 'next' is 'x'; the dataset has"),
        (COLUMNS, {"answers": {"a": 1.5}}, TypeError, "the answer 'a' is 1.5: give the name of a"),
        (COLUMNS, {"concepts": ["x"]}, ValueError, "concepts: there is no 'x'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(
    dataset: Any, how: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        made(dataset, **how)


def test_splits_and_streams_are_refused_with_the_way_out() -> None:
    datasets = pytest.importorskip("datasets")
    whole = hugging_face_dataset()
    with pytest.raises(TypeError, match=r"has the splits 'train': choose one, dataset\['train'\]"):
        made(datasets.DatasetDict({"train": whole}))

    class Stream:
        """What a streamed dataset has; making a real one loads torch, for ten seconds."""

        def take(self, n: int) -> Any:
            return self

    with pytest.raises(TypeError, match="read as a stream: take some"):
        made(Stream())
