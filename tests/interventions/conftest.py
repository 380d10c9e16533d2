from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from clusterwidget import addition
from clusterwidget.model.running import threads
from tests.conftest import VOCABULARY


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Torch's threads wait for one another, which is slow where other programs run as well."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def neox(boot_hugging_face: Callable[[str, Any], Any]) -> Any:
    """A Pythia-shaped model, whose MLPs stand beside the attention and not after it."""
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_size=32,
        intermediate_size=64,
        vocab_size=VOCABULARY,
        max_position_embeddings=12,
    )
    return boot_hugging_face("EleutherAI/pythia-70m", GPTNeoXForCausalLM(config))


@pytest.fixture(scope="session")
def adder() -> Any:
    """The shipped model; not to be changed."""
    return addition.load_model("cpu")
