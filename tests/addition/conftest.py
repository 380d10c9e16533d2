import pytest
from transformer_lens.model_bridge import TransformerBridge

from clusterwidget import addition


@pytest.fixture(scope="session")
def adder() -> TransformerBridge:
    """The shipped model; not to be changed."""
    return addition.load_model("cpu")
