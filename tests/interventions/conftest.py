from collections.abc import Iterator
from typing import Any

import pytest

from clusterwidget import addition
from clusterwidget.model.running import threads
from tests.families import booted


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Torch's threads wait for one another, which is slow where other programs run as well."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def neox() -> Any:
    """A Pythia-shaped model, whose MLPs stand beside the attention and not after it."""
    return booted("neox")


@pytest.fixture(scope="session")
def adder() -> Any:
    """The shipped model; not to be changed."""
    return addition.load_model("cpu")
