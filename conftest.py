"""Makes the browser and the servers available to all tests, and names to docstrings' examples."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is loaded: threads of several processes that share few cores wait by spinning.
    _each = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _each)))

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdist.scheduler import LoadScopeScheduling

import clusterwidget as cw
from tests.texts import byte_level

_BROWSER = "tests/browser/"

pytest_plugins = ["tests.browser.fixtures"]


class _Groups(LoadScopeScheduling):  # type: ignore[misc]
    """With several processes, one drives the browsers; other modules are whole, in any process.

    JupyterLab and Voila are started once then, and the pages stay calm.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _BROWSER if nodeid.startswith(_BROWSER) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return what hands the tests out."""
    return _Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the browsers begin: they take longest."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not item.nodeid.startswith(_BROWSER))


@pytest.fixture(scope="session")
def example_names() -> dict[str, Any]:
    """Return what the examples in docstrings may use: the worked example, explored."""
    model = cw.addition.load_model("cpu")
    ex = cw.Explorer(model, cw.addition.problems(1000, seed=0))
    return {"cw": cw, "np": np, "ex": ex, "tokenizer": byte_level()}


@pytest.fixture(autouse=True)
def _names_for_docstrings(
    request: pytest.FixtureRequest, doctest_namespace: dict[str, Any], tmp_path: Path
) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        doctest_namespace.update(request.getfixturevalue("example_names"))
        doctest_namespace["folder"] = tmp_path
