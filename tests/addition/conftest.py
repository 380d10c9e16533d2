from collections.abc import Iterator

import pytest
from transformer_lens.model_bridge import TransformerBridge

from clusterwidget import addition
from clusterwidget.model.running import threads


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Torch's threads wait for one another, which is slow where other programs run as well."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def adder() -> TransformerBridge:
    """The shipped model; not to be changed."""
    return addition.load_model("cpu")
