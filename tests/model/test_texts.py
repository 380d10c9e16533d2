"""A model on texts: each gets what it gets alone, fed as TransformerLens feeds it."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples, Explorer
from tests.texts import byte_level, hugging_face

TEXTS = ["The keys to the cabinet", "The dog", "When Mary and John went"]
SUBJECTS = ["keys", "dog", "Mary"]
HOW: dict[str, Any] = {
    "positions": {"subject": SUBJECTS, "last": -1},
    "answers": {"next": [" are", " is", " to"]},
    "concepts": {"plural": [True, False, False]},
}


@pytest.fixture(scope="module")
def model() -> Any:
    """Return a Llama-shaped model that reads the small tokenizer's tokens."""
    import torch
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    with tempfile.TemporaryDirectory() as folder:
        hugging_face(eos_token="<s>", pad_token="<s>").save_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        torch.manual_seed(0)
        config = LlamaConfig(
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            hidden_size=32,
            intermediate_size=64,
            vocab_size=len(tokenizer),
            max_position_embeddings=12,
        )
        return TransformerBridge.boot_transformers(
            "tiny-llama",
            hf_model=LlamaForCausalLM(config).eval(),
            tokenizer=tokenizer,
            device="cpu",
        )


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_text_is_fed_as_the_model_feeds_it_and_gets_what_it_gets_alone(
    model: Any, side: str
) -> None:
    ex = Explorer.from_text(model, TEXTS, padding_side=side, **HOW)
    found = {at: ex.matrix(f"L1.resid_post@{at}") for at in ("subject", "last", "-1")}
    for row, (text, subject) in enumerate(zip(TEXTS, SUBJECTS, strict=True)):
        ids = model.to_tokens(text)
        fed = ex.examples.fed(row)
        assert fed["token"].tolist() == ids[0].tolist()
        assert fed["text"][fed["position"].str.contains("subject")].tolist() == [f" {subject}"]
        _, cache = model.run_with_cache(ids)
        alone = cache["blocks.1.hook_resid_post"][0].detach().numpy()
        at = fed["position"].str.contains("subject").to_numpy().argmax()
        np.testing.assert_allclose(found["subject"][row], alone[at], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found["last"][row], alone[-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["-1"], found["last"])


def test_a_typed_text_joins_the_others(model: Any) -> None:
    ex = Explorer.from_text(model, TEXTS, **HOW)
    typed = "The store to the park is here => subject: park; next: the"
    index = ex.add(typed)
    assert ex.add(typed) == index == 3
    assert ex.examples.labels[3] == "The store to the park is here"
    alone = Explorer.from_text(
        model, [ex.examples.labels[3], "The dog"], positions={"s": ["park", "dog"]}
    )
    np.testing.assert_allclose(
        ex.matrix("L1.resid_post@subject")[3],
        alone.matrix("L1.resid_post@s")[0],
        rtol=1e-5,
        atol=1e-6,
    )
    assert ex.swap("L0.resid_post@subject", 3, 0).table.shape[0] == 1
    with pytest.raises(ValueError, match="type it as 'The dog => subject: …; next: …'"):
        ex.add("The dog")


def test_a_template_whose_every_token_is_a_position_can_be_traced(model: Any) -> None:
    table = {"noun": ["keys", "dog", "store"], "verb": ["are", "is", "is"]}
    examples = Examples.from_template(
        "The {noun} to the cabinet",
        table,
        tokenizer=model.tokenizer,
        positions="all",
        answers=" {verb}",
        prepend_bos=True,
    )
    ex = Explorer(model, examples)
    assert ex.trace(0, "next").answer == "next"
    assert ex.swap_test("L0.resid_post@noun", concept="verb", pairs=3).follows is not None


def test_what_the_model_cannot_read_is_refused(model: Any) -> None:
    with pytest.raises(ValueError, match="longer than the context of 12 tokens, and 5 tokens"):
        Explorer.from_text(model, ["The dog", "The dog is here. " * 3])
    with pytest.raises(TypeError, match=r"not a name, 'gpt2'.*boot_transformers\('gpt2'\)"):
        Explorer.from_text("gpt2", TEXTS)
    with pytest.raises(TypeError, match="pass tokenizer=, or the model itself"):
        Explorer.from_text(lambda: model, TEXTS)
    lazy = Explorer.from_text(lambda: model, TEXTS, tokenizer=byte_level())
    assert lazy.matrix("L0.resid_post@last").shape == (3, 32)
    with pytest.raises(TypeError, match=r"pass its \.tokenizer"):
        Examples.from_text(model, TEXTS)
