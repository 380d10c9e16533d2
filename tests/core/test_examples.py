"""Examples, and what is refused at the door."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from clusterwidget import Answer, Examples

TOKENS = np.array([[3, 1, 4], [1, 5, 9]])


def test_defaults_are_words_for_everything() -> None:
    examples = Examples(TOKENS, vocabulary=list("abcdefghij"))
    assert examples.labels == ["d b e", "b f j"]
    assert examples.positions == ("0", "1", "2")
    assert examples.concepts.shape == (2, 0)
    assert len(examples) == 2


def test_a_torch_tensor_and_a_function_as_vocabulary_do_as_well() -> None:
    examples = Examples(torch.from_numpy(TOKENS), vocabulary=lambda token: f"<{token}>")
    assert examples.labels[0] == "<3> <1> <4>"
    assert isinstance(examples.tokens, np.ndarray)


def test_examples_are_appended_with_all_that_is_known_of_them() -> None:
    def make(tokens: np.ndarray, **known: Any) -> Examples:
        return Examples(
            tokens, concepts=known, answers=[Answer("last", "1", tokens[:, 2])], positions="012"
        )

    joined = make(TOKENS, odd=[1, 0], big=[0, 1]).extended(make(TOKENS[:1] + 1, odd=[1]))
    assert len(joined) == 3
    assert joined.concepts["odd"].tolist() == [1, 0, 1]
    assert joined.concepts["big"].isna().tolist() == [False, False, True]
    assert joined.answers["last"].tokens.tolist() == [4, 9, 5]


def test_examples_of_another_length_are_not_appended() -> None:
    with pytest.raises(ValueError, match="tokenized alike"):
        Examples(TOKENS).extended(Examples(TOKENS[:, :2]))


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([1, 2, 3], ValueError, r"two dimensions.*not shape \(3,\)"),
        (TOKENS / 2, TypeError, "must be integers, not float64"),
        (np.zeros((0, 4), int), ValueError, r"shape \(0, 4\) hold no example"),
        ([], ValueError, "hold no example"),
        ([[1, 2], [3]], ValueError, "rows of equal length"),
        (TOKENS - 2, ValueError, "must not be negative, but -1 occurs"),
    ],
)
def test_tokens_that_are_no_table_of_ids_are_refused(
    tokens: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Examples(tokens)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"labels": ["one"]}, "1 labels for 2 examples"),
        ({"positions": ["a", "b"]}, "2 position names for rows of 3 tokens"),
        ({"positions": ["a", "b", "a"]}, r"must differ, but \['a'\]"),
        ({"positions": ["a", "", "b"]}, "a position name is empty"),
        ({"concepts": {"odd": [1, 2, 3]}}, "'odd' has 3 values for 2 examples"),
        ({"concepts": pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"])}, r"differ, but \['x'\]"),
        ({"answers": [Answer("S", "9", TOKENS[:, 0])]}, "read at position '9'"),
        ({"answers": [Answer("S", "0", TOKENS[0])]}, "'S' needs 2 integer tokens"),
        ({"answers": [Answer("S", "0", TOKENS[:, 0])] * 2}, "'S' occurs more than once"),
        ({"vocabulary": ["a", "b"]}, "token 3 has no text"),
        ({"axes": {"9": ("x", "y")}}, "axes name the position '9'"),
        ({"axes": {"0": ("x", "y")}}, "the concept 'x', which is not among"),
        ({"families": {"x": "y"}}, "families name the concept 'x', which is not among"),
        ({"descriptions": {"x": "y"}}, "descriptions name the concept 'x', which is not among"),
    ],
)
def test_parts_that_do_not_fit_are_named(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Examples(TOKENS, **parts)


ANSWER = Answer("S", "0", TOKENS[:, 0])


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"answers": ANSWER}, TypeError, r"one Answer, 'S': give a list, \[Answer"),
        ({"answers": {"S": ANSWER}}, TypeError, "must be a list, not a dict"),
        ({"answers": [("S", "0", [1, 2])]}, TypeError, r"not of \('S', '0', \[1, 2\]\)"),
        ({"answers": 3}, TypeError, "a list of Answer, not 3"),
        ({"answers": [Answer("S", "0", np.array([3, -1]))]}, ValueError, "has the token -1"),
        ({"concepts": TOKENS}, TypeError, r"mapping of name to values.*not array\(\[\[3, 1, 4"),
        ({"concepts": [1, 2]}, TypeError, r"not \[1, 2\]"),
        ({"concepts": {"c": [[1], [2, 3]]}}, ValueError, r"'c' must be single.*\[\[1\], \[2, 3"),
        ({"concepts": {"c": [[1], [2]]}}, ValueError, r"'c' has values of shape \(1,\)"),
        ({"concepts": {"c": 3}}, ValueError, "'c' has 1 values for 2 examples, 3:"),
        ({"concepts": pd.DataFrame({"c": [[1], [2]]})}, ValueError, r"'c' has the value \[1\]"),
        ({"concepts": {"c": ["a", "\ud800"]}}, ValueError, r"'c' '\\ud800' holds a lone"),
        ({"axes": ["0"]}, TypeError, r"axes must be a mapping.*not \['0'\]"),
        ({"axes": {"0": 3}}, ValueError, "axes at '0' must be two concepts, not 3"),
        ({"families": ["c"]}, TypeError, r"families must be a mapping.*not \['c'\]"),
        ({"descriptions": "c"}, TypeError, "descriptions must be a mapping.*not 'c'"),
        (
            {"concepts": {"c": [1, 2]}, "descriptions": {"c": 3}},
            TypeError,
            "the description of 'c' must be a string, not 3",
        ),
        ({"labels": ["a", "b\ud800"]}, ValueError, r"the label 'b\\ud800' holds a lone"),
        ({"labels": 3}, TypeError, "one string for each example, not 3"),
        ({"positions": 3}, TypeError, "a list of 3 names, not 3"),
        ({"vocabulary": {1: "a"}}, TypeError, r"not \{1: 'a'\}; of a mapping, pass its get"),
    ],
)
def test_parts_of_another_kind_are_named_with_the_way_out(
    parts: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Examples(TOKENS, **parts)


def test_masked_tokens_are_refused_and_masked_concepts_are_missing() -> None:
    with pytest.raises(ValueError, match="tokens: a MaskedArray with 1 masked values"):
        Examples(np.ma.array(TOKENS, mask=TOKENS == 9))
    assert Examples(np.ma.array(TOKENS, mask=False)).tokens.tolist() == TOKENS.tolist()
    examples = Examples(TOKENS, concepts={"c": np.ma.array([1, 2], mask=[False, True])})
    assert examples.concepts["c"].isna().tolist() == [False, True]


@pytest.mark.parametrize("part", ["name", "position", "title", "caption"])
def test_the_parts_of_an_answer_are_strings(part: str) -> None:
    parts = {"name": "S", "position": "0", "tokens": TOKENS[:, 0], part: 3}
    with pytest.raises(TypeError, match=f"the {part} of an answer must be a string, not 3"):
        Answer(**parts)  # type: ignore[arg-type]


def test_only_examples_are_appended() -> None:
    with pytest.raises(TypeError, match="only Examples can be added, not None"):
        Examples(TOKENS).extended(None)  # type: ignore[arg-type]


def test_one_string_is_not_taken_for_labels() -> None:
    with pytest.raises(TypeError, match="one string for each example"):
        Examples(TOKENS, labels="ab")


def test_parse_must_be_a_function() -> None:
    with pytest.raises(TypeError, match="must be a function"):
        Examples(TOKENS, parse="1+2")  # type: ignore[arg-type]


def test_a_caption_is_filled_in_from_concepts_of_any_kind() -> None:
    examples = Examples(
        [[1], [2]],
        concepts={"n": [3, 4], "x": [0.5, float("nan")], "1+1": ["a", "b"]},
        answers=[Answer("next", "0", np.array([1, 2]), caption="{n}:{x} {1+1}")],
    )
    assert [examples.captions(i)["next"] for i in (0, 1)] == ["3:0.5 a", "4:? b"]


def test_a_caption_that_names_no_concept_is_refused() -> None:
    with pytest.raises(ValueError, match=r"answer 'next' names the concept 'm'"):
        Examples([[1], [2]], answers=[Answer("next", "0", np.array([1, 2]), caption="{m}")])


def test_descriptions_stay_with_their_concepts() -> None:
    said = {"odd": "Whether it is odd.", "low": "Whether it is below 4."}
    examples = Examples([[1], [6]], concepts={"odd": [1, 0], "low": [1, 0]}, descriptions=said)
    assert examples.descriptions == said
    assert examples.extended(examples).descriptions == said
    more = examples.with_concept("big", [0, 1], description="Whether it is above 4.")
    assert more.descriptions == {**said, "big": "Whether it is above 4."}
    # Other values may mean something else.
    assert more.with_concept("odd", [0, 1]).descriptions == {
        "low": said["low"],
        "big": "Whether it is above 4.",
    }
