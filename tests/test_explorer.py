"""The explorer: examples that are added, and answers without a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import clusterwidget as cw
from clusterwidget import Examples, Explorer
from tests.helpers import Counter, typed


def test_neighbors_are_a_table_nearest_first(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, examples)
    table = explorer.neighbors("L1.resid_post@g", 7, k=9)
    assert list(table.columns) == ["example", "label", "distance"]
    distances = explorer.distances("L1.resid_post@g", 7)
    assert distances[7] == 0
    assert table["distance"].tolist() == sorted(np.delete(distances, 7).tolist())[:9]
    assert table["label"].tolist() == [examples.labels[index] for index in table["example"]]


def test_a_typed_example_that_is_there_is_found(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, typed(examples))
    text = " ".join(str(token) for token in examples.tokens[33])
    assert explorer.add(text) == 33
    assert len(explorer.examples) == 60


def test_a_new_example_joins_what_was_captured(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, typed(examples))
    before = explorer.matrix("L1H1.result@g").copy()
    with Counter(native_model) as counter:
        assert explorer.add("1 2 3 4 5 6 7") == 60
        after = explorer.matrix("L1H1.result@g")
        assert counter.passes == 1
    np.testing.assert_array_equal(after[:60], before)
    whole = Explorer(native_model, explorer.examples).matrix("L1H1.result@g")
    np.testing.assert_allclose(after, whole, atol=1e-6)
    assert explorer.examples.labels[60] == "1 2 3 4 5 6 7"


def test_a_text_that_is_no_example_says_why(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, typed(examples))
    with pytest.raises(ValueError, match="'1 2' is not 7 numbers"):
        explorer.add("1 2")
    with pytest.raises(ValueError, match="no example is called 'cat'"):
        Explorer(native_model, examples).add("cat")


def test_without_a_parser_an_example_is_found_by_its_label(
    native_model: Any, examples: Examples
) -> None:
    assert Explorer(native_model, examples).add(f" {examples.labels[12]} ") == 12


def test_activations_from_elsewhere_need_no_model() -> None:
    rows = np.random.default_rng(1).standard_normal((20, 5))
    examples = Examples(np.arange(20)[:, None], labels=[f"item {i}" for i in range(20)])
    explorer = Explorer(examples=examples, activations={"L3.resid_post@0": torch.from_numpy(rows)})
    assert [str(stage) for stage in explorer.stages()] == ["L3.resid_post@0"]
    expected = np.linalg.norm(rows - rows[4], axis=1)
    np.testing.assert_allclose(explorer.distances("L3.resid_post@0", 4), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"no stage 'L2.resid_post@0'.*'L3.resid_post'"):
        explorer.matrix("L2.resid_post@0")
    with pytest.raises(ValueError, match="their activations were given"):
        explorer.add("item 99")


def test_the_parts_must_fit_together(native_model: Any, examples: Examples) -> None:
    with pytest.raises(TypeError, match=r"must be clusterwidget.Examples, not \[1, 2\]"):
        Explorer(native_model, [1, 2])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="give a model or activations"):
        Explorer(examples=examples)
    with pytest.raises(ValueError, match="at least two are needed"):
        Explorer(native_model, Examples([[1, 2]]))
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, not 0"):
        Explorer(native_model, examples, batch_size=0)
    with pytest.raises(ValueError, match="memory 0 is out of range: give a positive number"):
        Explorer(native_model, examples, memory=0)


def test_what_is_asked_for_must_be_there(native_model: Any, examples: Examples) -> None:
    explorer = Explorer(native_model, examples)
    with pytest.raises(IndexError, match="no example 60: indices run from 0 to 59"):
        explorer.distances("embed@a", 60)
    with pytest.raises(ValueError, match="k = 60 is out of range"):
        explorer.neighbors("embed@a", 0, k=60)


def test_the_package_gives_its_names_and_no_others() -> None:
    assert set(cw.__all__) <= set(dir(cw))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cw.nothing
