"""Real models, small and untrained, made from their configs: nothing is downloaded."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples

VOCABULARY = 50
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
def boot_hugging_face(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], Any]:
    """Return a function that wraps a Hugging Face model in a bridge, offline."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    words = {f"w{index}": index for index in range(VOCABULARY - 2)}
    words |= {"<unk>": VOCABULARY - 2, "<s>": VOCABULARY - 1}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path_factory.mktemp("tokenizer")
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "<s>", "pad_token": "<s>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    loaded = AutoTokenizer.from_pretrained(folder, add_bos_token=True)

    def boot(name: str, model: Any) -> Any:
        return TransformerBridge.boot_transformers(
            name, hf_model=model.eval(), tokenizer=loaded, device="cpu"
        )

    return boot


@pytest.fixture(scope="session")
def gpt2(boot_hugging_face: Callable[[str, Any], Any]) -> Any:
    """Return a GPT-2-shaped model."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=VOCABULARY, n_positions=12)
    return boot_hugging_face("gpt2", GPT2LMHeadModel(config))


@pytest.fixture(scope="session")
def llama(boot_hugging_face: Callable[[str, Any], Any]) -> Any:
    """Return a Llama-shaped model, with fewer key and value heads than query heads."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        hidden_size=32,
        intermediate_size=64,
        vocab_size=VOCABULARY,
        max_position_embeddings=12,
    )
    return boot_hugging_face("tiny-llama", LlamaForCausalLM(config))


@pytest.fixture
def examples() -> Examples:
    """Return 60 rows of random tokens."""
    tokens = np.random.default_rng(0).integers(0, VOCABULARY - 2, (60, LENGTH))
    return Examples(tokens, positions=list("abcdefg"))
