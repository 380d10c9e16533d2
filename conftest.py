"""Makes the browser and the servers available to all tests, and names to docstrings' examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clusterwidget as cw

pytest_plugins = ["tests.browser.fixtures"]


@pytest.fixture(scope="session")
def example_names() -> dict[str, Any]:
    """Return what the examples in docstrings may use: the worked example, explored."""
    model = cw.addition.load_model("cpu")
    ex = cw.Explorer(model, cw.addition.problems(1000, seed=0))
    return {"cw": cw, "np": np, "ex": ex}


@pytest.fixture(autouse=True)
def _names_for_docstrings(
    request: pytest.FixtureRequest, doctest_namespace: dict[str, Any], tmp_path: Path
) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        doctest_namespace.update(request.getfixturevalue("example_names"))
        doctest_namespace["folder"] = tmp_path
