from __future__ import annotations

import pytest

from clusterwidget import Explorer
from clusterwidget.publish.page.recording import View
from tests.publish.page.hostile import hostile_explorer


@pytest.fixture(scope="package")
def explorer() -> Explorer:
    return hostile_explorer()


@pytest.fixture
def view() -> View:
    return View(3, "embed@a", 10, "distance", [], [], None)
