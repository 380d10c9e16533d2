"""Concepts of texts, held against what each example gets alone and hand-worked rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import clusterwidget as cw
from clusterwidget.core.tokenkinds import is_capital, kind_of
from tests.conftest import make_native

WORDS = ["<s>", " the", " Cat", " dog", " 42", ".", "\n", "▁Ran", "Ġsat", "7", "[MASK]"]


@pytest.mark.parametrize(
    ("text", "kind", "capital"),
    [
        (" Cat", "letter", True),
        ("▁Ran", "letter", True),
        ("Ġsat", "letter", False),
        ("Éa", "letter", True),
        (" 42", "digit", None),
        (".", "punctuation", None),
        ("\n", "space", None),
        (" ", "space", None),
        ("Ġ", "space", None),
        ("<s>", "special", None),
        ("<|endoftext|>", "special", None),
        ("[MASK]", "special", None),
        ("<", "punctuation", None),
    ],
)
def test_kinds_of_tokens(text: str, kind: str, capital: bool | None) -> None:
    assert kind_of(0, text) == kind
    assert is_capital(text) is capital or kind == "special"


def test_a_vocabulary_that_knows_its_special_tokens_is_asked() -> None:
    class Tokenizer:
        all_special_ids = (7,)

    assert kind_of(7, "bos", Tokenizer()) == "special"
    assert kind_of(8, "bos", Tokenizer()) == "letter"


def test_concepts_at_a_position_are_those_of_its_tokens() -> None:
    rows = [[1, 2, 8, 5], [1, 3, 8, 5], [1, 2, 4, 9], [1, 3, 4, 9]]
    examples = cw.text_concepts(cw.Examples(rows, vocabulary=WORDS), positions=["1", "2"])
    concepts = examples.concepts
    assert concepts["token@1"].tolist() == [" Cat", " dog"] * 2
    assert concepts["previous token@2"].tolist() == [" Cat", " dog"] * 2
    assert concepts["capital@1"].tolist() == [True, False] * 2
    assert concepts["character@2"].tolist() == ["letter", "letter", "digit", "digit"]
    # The same for all, or in an order of its own: not added.
    assert "character@1" not in concepts
    assert "place@1" not in concepts
    assert examples.families["token@1"] == examples.families["token@2"] == "token"


def test_what_the_examples_have_already_stays() -> None:
    rows = [[1, 2], [1, 3]] * 2
    own = cw.Examples(rows, vocabulary=WORDS, concepts={"capital": [0, 1, 2, 3]})
    found = cw.text_concepts(own, positions="1")
    assert found.concepts["capital"].tolist() == [0, 1, 2, 3]
    assert found.concepts["token"].tolist() == [" Cat", " dog"] * 2


def test_the_next_token_and_surprise_are_those_of_the_models_logits() -> None:
    model = make_native()
    tokens = np.random.default_rng(0).integers(0, 48, (30, 7))
    found = cw.text_concepts(cw.Examples(tokens), model, positions=["0", "4"], batch_size=8)
    with torch.no_grad():
        logs = model(torch.as_tensor(tokens)).log_softmax(-1).numpy()
    likeliest = logs[:, 4].argmax(axis=-1)
    texts = found.concepts["next token@4"]
    counts = {token: int((likeliest == token).sum()) for token in likeliest}
    expected = [str(token) if counts[token] > 1 else None for token in likeliest]
    assert texts.astype(object).where(texts.notna(), None).tolist() == expected
    each = np.arange(30)
    np.testing.assert_allclose(
        found.concepts["surprise@4"], -logs[each, 3, tokens[:, 4]], rtol=1e-4
    )
    np.testing.assert_allclose(
        found.concepts["next surprise@4"], -logs[:, 4].max(axis=-1), rtol=1e-4
    )
    # Before the first token there is nothing to be surprised after.
    assert "surprise@0" not in found.concepts


def test_a_bidirectional_model_has_no_next_token() -> None:
    model = make_native(attention_dir="bidirectional")
    tokens = np.random.default_rng(0).integers(0, 48, (20, 4))
    assert not any(
        "next" in name or "surprise" in name
        for name in cw.text_concepts(cw.Examples(tokens), model).concepts.columns
    )


@pytest.mark.parametrize("positions", ["nowhere", [], [3]])
def test_positions_that_are_not_there_are_refused(positions: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="position"):
        cw.text_concepts(cw.Examples([[1, 2], [2, 3]]), positions=positions)
