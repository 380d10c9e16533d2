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

import clusterwidget as cw
from tests.texts import byte_level

pytest_plugins = ["tests.browser.fixtures"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes, one drives all browsers, and begins first; modules stay whole.

    The browser, JupyterLab and Voila are started once then, and the pages stay calm.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    for item in items:
        group = "browser" if _drives_a_browser(item) else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: not _drives_a_browser(item))


def _drives_a_browser(item: pytest.Item) -> bool:
    return "chromium" in getattr(item, "fixturenames", ())


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
