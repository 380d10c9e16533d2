"""A small tokenizer for tests, of the kind that language models have: byte pairs, with spaces."""

from __future__ import annotations

import functools
from typing import Any

SENTENCES = [
    "When Mary and John went to the store, John gave a drink to Mary",
    "When Anna and Tom went to the park, Tom gave a drink to Anna",
    "The keys to the cabinet are here. The dog is here. The keys are. The dog is.",
    "The capital of France is Paris. The capital of Italy is Rome.",
]


@functools.cache
def byte_level() -> Any:
    """Return a tokenizer of the tokenizers library that adds nothing to a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    return tokenizer


def hugging_face(**settings: Any) -> Any:
    """Return the same as a fast tokenizer of transformers."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        **{"tokenizer_object": byte_level(), "bos_token": "<s>", **settings}
    )
