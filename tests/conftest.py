"""Real models, small and untrained, made from their configs: nothing is downloaded."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples
from tests.families import VOCABULARY, booted

LENGTH = 7


@pytest.fixture(scope="session")
def native_model() -> Any:
    """Return a two-layer model built by TransformerLens itself."""
    return make_native()


def make_native(**changes: Any) -> Any:
    """Return an untrained native model, its config changed as asked."""
    import transformer_lens.model_bridge.sources.native  # noqa: F401 - adds boot_native
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    sizes = {"n_layers": 2, "n_heads": 4, "d_model": 32, "d_head": 8, "d_mlp": 64}
    settings = {"d_vocab": VOCABULARY, "n_ctx": 12, "act_fn": "relu", "normalization_type": "LN"}
    config = TransformerBridgeConfig(**{**sizes, **settings, "seed": 0, **changes})
    return TransformerBridge.boot_native(config)


@pytest.fixture(scope="session")
def gpt2() -> Any:
    """Return a GPT-2-shaped model."""
    return booted("gpt2")


@pytest.fixture(scope="session")
def llama() -> Any:
    """Return a Llama-shaped model, with fewer key and value heads than query heads."""
    return booted("llama")


@pytest.fixture
def examples() -> Examples:
    """Return 60 rows of random tokens."""
    tokens = np.random.default_rng(0).integers(0, VOCABULARY - 2, (60, LENGTH))
    return Examples(tokens, positions=list("abcdefg"))
