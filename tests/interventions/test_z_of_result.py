"""The z behind a stored result, worked out backwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples, Explorer, Stage
from clusterwidget.model.recorder import z_of_result
from tests.interventions.planted import planted_examples, planted_model


@pytest.mark.parametrize("name", ["native_model", "gpt2", "llama"])
def test_z_comes_back_from_what_is_stored_of_a_result(
    name: str, request: pytest.FixtureRequest, examples: Examples
) -> None:
    model = request.getfixturevalue(name)
    explorer = Explorer(model, examples)
    for head in range(4):
        stage = Stage("result", 1, head, "d")
        found = z_of_result(model, stage, explorer.matrix(stage))
        assert found is not None
        expected = explorer.matrix(Stage("z", 1, head, "d"))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def test_where_a_head_writes_in_fewer_dimensions_z_is_captured() -> None:
    model: Any = planted_model()
    explorer = Explorer(model, planted_examples(100))
    stage = Stage("result", 0, 3, "g")
    assert z_of_result(model, stage, explorer.matrix(stage)) is None
    assert explorer.swap_test(stage, pairs=20).verdict == "irrelevant"
