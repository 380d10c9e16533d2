"""Small untrained models of the families that TransformerBridge boots, made from their configs.

Two layers, four heads and 32 numbers wide, unless a family's own shape is the point.
"""

from __future__ import annotations

import functools
import tempfile
from typing import Any

VOCABULARY = 50
CONTEXT = 12
"""Most tokens of an example, for the families whose context has a bound."""

_SPECIAL = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), VOCABULARY - 1)
_LLAMA_LIKE = {
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": CONTEXT,
}
_ALL_HEADS = _LLAMA_LIKE | {"num_key_value_heads": 4}
_OWN_HEAD_WIDTH = _LLAMA_LIKE | {"head_dim": 16}
_WITHOUT_KV = {name: value for name, value in _LLAMA_LIKE.items() if "key_value" not in name}
_EXPERTS = _LLAMA_LIKE | {"num_local_experts": 4, "num_experts_per_tok": 2}

_GPT = {"n_layer": 2, "n_head": 4, "n_embd": 32, "vocab_size": VOCABULARY, "n_positions": CONTEXT}

# The name by which the bridge knows a family, its class in transformers, and its config.
_FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gpt2": (
        "gpt2",
        "GPT2LMHeadModel",
        _GPT,
    ),
    "llama": ("tiny-llama", "LlamaForCausalLM", _LLAMA_LIKE),
    "neox": ("EleutherAI/pythia-70m", "GPTNeoXForCausalLM", _WITHOUT_KV),
    "qwen2": ("Qwen/Qwen2-0.5B", "Qwen2ForCausalLM", _LLAMA_LIKE),
    "qwen3": ("Qwen/Qwen3-0.6B", "Qwen3ForCausalLM", _OWN_HEAD_WIDTH),
    "gemma": ("google/gemma-2b", "GemmaForCausalLM", _OWN_HEAD_WIDTH),
    "gemma2": (
        "google/gemma-2-2b",
        "Gemma2ForCausalLM",
        _OWN_HEAD_WIDTH | {"query_pre_attn_scalar": 16, "sliding_window": 4},
    ),
    "mistral": (
        "mistralai/Mistral-7B-v0.1",
        "MistralForCausalLM",
        _LLAMA_LIKE | {"sliding_window": 4},
    ),
    "mixtral": ("mistralai/Mixtral-8x7B-v0.1", "MixtralForCausalLM", _EXPERTS),
    "phi": ("microsoft/phi-1", "PhiForCausalLM", _ALL_HEADS),
    "phi3": ("microsoft/Phi-3-mini-4k-instruct", "Phi3ForCausalLM", _LLAMA_LIKE),
    "bloom": (
        "bigscience/bloom-560m",
        "BloomForCausalLM",
        {"n_layer": 2, "n_head": 4, "hidden_size": 32, "vocab_size": VOCABULARY},
    ),
    "opt": (
        "facebook/opt-125m",
        "OPTForCausalLM",
        _WITHOUT_KV | {"ffn_dim": 48, "word_embed_proj_dim": 32},
    ),
    "gptj": (
        "EleutherAI/gpt-j-6B",
        "GPTJForCausalLM",
        _GPT | {"rotary_dim": 4},
    ),
    "gptneo": (
        "EleutherAI/gpt-neo-125M",
        "GPTNeoForCausalLM",
        {
            "num_layers": 2,
            "num_heads": 4,
            "hidden_size": 32,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": CONTEXT,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 4,
        },
    ),
    "bert": ("google-bert/bert-base-uncased", "BertForMaskedLM", _WITHOUT_KV),
    "t5": (
        "google-t5/t5-small",
        "T5ForConditionalGeneration",
        {
            "num_layers": 2,
            "num_decoder_layers": 2,
            "num_heads": 4,
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 64,
            "vocab_size": VOCABULARY,
        },
    ),
    "mamba": (
        "state-spaces/mamba-130m-hf",
        "MambaForCausalLM",
        {"num_hidden_layers": 2, "hidden_size": 32, "state_size": 4, "vocab_size": VOCABULARY},
    ),
    "cohere": ("CohereForAI/c4ai-command-r-v01", "CohereForCausalLM", _LLAMA_LIKE),
    "granite": (
        "ibm-granite/granite-3.0-2b-base",
        "GraniteForCausalLM",
        _LLAMA_LIKE | {"residual_multiplier": 0.5, "logits_scaling": 4.0},
    ),
    "gptoss": (
        "openai/gpt-oss-20b",
        "GptOssForCausalLM",
        _OWN_HEAD_WIDTH | _EXPERTS | {"sliding_window": 4},
    ),
    "jamba": (
        "ai21labs/Jamba-v0.1",
        "JambaForCausalLM",
        _LLAMA_LIKE
        | {"num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1}
        | {"use_mamba_kernels": False, "mamba_d_state": 4, "mamba_dt_rank": 4},
    ),
    "openaigpt": (
        "openai-community/openai-gpt",
        "OpenAIGPTLMHeadModel",
        _GPT,
    ),
    "falcon": (
        "tiiuae/falcon-7b",
        "FalconForCausalLM",
        {
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "hidden_size": 32,
            "vocab_size": VOCABULARY,
        },
    ),
    "olmo": ("allenai/OLMo-1B-hf", "OlmoForCausalLM", _LLAMA_LIKE),
    "gemma3": ("google/gemma-3-1b-pt", "Gemma3ForCausalLM", _OWN_HEAD_WIDTH),
}


def name_of(family: str) -> str:
    """Return the name by which the bridge knows a family."""
    return _FAMILIES[family][0]


def hugging_face(family: str, *, louder: float = 1.0, **changes: Any) -> Any:
    """Return an untrained model of transformers, its config changed as asked.

    Untrained weights are small, and nothing matters much: `louder` multiplies matrices.
    """
    import torch
    import transformers

    _, name, settings = _FAMILIES[family]
    kind = getattr(transformers, name)
    torch.manual_seed(0)
    model = kind(kind.config_class(**{**_SPECIAL, **settings, **changes})).eval()
    # As in published checkpoints: the bridge goes by it.
    model.config.architectures = [name]
    for parameter in model.parameters():
        if parameter.ndim >= 2:
            parameter.data *= louder
    return model


def boot(family: str, **changes: Any) -> Any:
    """Return `hugging_face` in its bridge."""
    return bridged(_FAMILIES[family][0], hugging_face(family, **changes))


@functools.cache
def booted(family: str) -> Any:
    """Return the model of a family that tests share: not to be changed."""
    return boot(family)


def bridged(name: str, model: Any, **settings: Any) -> Any:
    """Return a model of transformers in the bridge that has this name, offline."""
    from transformer_lens.model_bridge import TransformerBridge

    return TransformerBridge.boot_transformers(
        name, hf_model=model.eval(), tokenizer=_tokenizer(), device="cpu", **settings
    )


@functools.cache
def _tokenizer() -> Any:
    """Return a tokenizer that was saved to a folder and loaded from it, as the bridge needs it."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    words = {f"w{index}": index for index in range(VOCABULARY - 2)}
    words |= {"<unk>": VOCABULARY - 2, "<s>": VOCABULARY - 1}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "<s>", "pad_token": "<s>"}
    with tempfile.TemporaryDirectory() as folder:
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
        return AutoTokenizer.from_pretrained(folder, add_bos_token=True)
