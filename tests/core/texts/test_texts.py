"""From texts to tokens, mask, positions and answers: held against the tokenizer itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clusterwidget import Answer
from clusterwidget.core.texts.making import Parts, recipe
from clusterwidget.core.texts.tokenizer import TextTokenizer
from tests.texts import byte_level, hugging_face

TEXTS = ["The keys to the cabinet", "The dog", "When Mary and John went"]
SUBJECTS = ["keys", "dog", "Mary"]


def made(texts: Any = TEXTS, tokenizer: Any = None, **how: Any) -> Parts:
    feed = {name: how.pop(name, None) for name in ("prepend_bos", "chat_template", "padding_side")}
    context = how.pop("context", None)
    return recipe(tokenizer or byte_level(), **feed, context=context).parts(texts, **how)


def at_columns(parts: Parts) -> list[list[str]]:
    """Return the text of the token at each position of each example."""
    return [
        [byte_level().decode([parts["tokens"][row][column]]) for column in columns]
        for row, columns in enumerate(parts["columns"])
    ]


@pytest.mark.parametrize("side", ["left", "right"])
def test_positions_are_the_tokens_that_are_meant_wherever_padding_goes(side: str) -> None:
    parts = made(positions={"subject": SUBJECTS, "last": -1, "first": 0}, padding_side=side)
    assert at_columns(parts) == [
        [" keys", " cabinet", "The"],
        [" dog", " dog", "The"],
        [" Mary", " went", "When"],
    ]
    assert parts["positions"] == ["subject", "last", "first"]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tokenizer", [byte_level, hugging_face])
def test_the_unmasked_tokens_are_those_of_the_text_alone(tokenizer: Any, side: str) -> None:
    parts = made(tokenizer=tokenizer(), padding_side=side)
    mask = parts["attention_mask"]
    alone = [byte_level().encode(text).ids for text in TEXTS]
    assert [row[own].tolist() for row, own in zip(parts["tokens"], mask, strict=True)] == alone
    assert mask[1, 0] == (side == "right")
    assert made(["The dog", "The keys"])["attention_mask"] is None


def test_padding_goes_where_the_tokenizer_puts_it_and_takes_its_token() -> None:
    parts = made(tokenizer=hugging_face(padding_side="left", pad_token="!"))
    assert parts["tokens"][1, 0] == byte_level().token_to_id("!")


def test_a_tokenizer_without_a_padding_token_works_all_the_same() -> None:
    tokenizer = hugging_face(bos_token=None)
    assert tokenizer.pad_token is None
    parts = made(tokenizer=tokenizer)
    assert parts["attention_mask"].sum(axis=1).tolist() == [5, 2, 5]


@pytest.mark.parametrize(("prepend", "begins"), [(True, True), (False, False), (None, False)])
def test_what_is_fed_begins_with_the_token_for_that_once_where_asked(
    prepend: bool | None, begins: bool
) -> None:
    parts = made(tokenizer=hugging_face(), prepend_bos=prepend, positions={"subject": SUBJECTS})
    assert [(row[0] == 0) for row in parts["tokens"]] == [begins] * 3
    assert (parts["tokens"][0] == 0).sum() == begins
    assert at_columns(parts) == [[" keys"], [" dog"], [" Mary"]]


def test_a_beginning_that_the_tokenizer_adds_is_kept_once_or_taken_off() -> None:
    from tokenizers import Tokenizer, processors

    adding = Tokenizer.from_str(byte_level().to_str())
    adding.post_processor = processors.TemplateProcessing(
        single="<s> $A <s>", special_tokens=[("<s>", 0)]
    )
    tokenizer = hugging_face(tokenizer_object=adding)
    for prepend, first in ((None, "<s>"), (True, "<s>"), (False, "The")):
        parts = made(["The dog", "The keys"], tokenizer, prepend_bos=prepend)
        texts = [
            byte_level().decode([token], skip_special_tokens=False) for token in parts["tokens"][0]
        ]
        assert texts[0] == first
        assert texts[-3:] == ["The", " dog", "<s>"]
    every = made(["The dog", "The keys"], tokenizer, positions="every token")
    assert every["labels"] == ["«The» dog", "The« dog»", "«The» keys", "The« keys»"]


CHAT = "{% for m in messages %}User: {{ m.content | trim }}{% endfor %}. Bot:"


@pytest.mark.parametrize("how", ["own", "given", "function"])
def test_a_chat_template_goes_around_the_text_and_spans_stay_of_the_text(how: str) -> None:
    templates: dict[str, Any] = {
        "own": True,
        "given": CHAT,
        "function": lambda text: f"User: {text}. Bot:",
    }
    tokenizer = hugging_face(chat_template=CHAT if how == "own" else None)
    # "The" is in the text once, whatever the template says.
    parts = made(
        tokenizer=tokenizer,
        chat_template=templates[how],
        positions={"subject": SUBJECTS, "last": -1},
    )
    mask = parts["attention_mask"]
    row = parts["tokens"][0][mask[0]].tolist()
    assert tokenizer.decode(row) == "User: The keys to the cabinet. Bot:"
    assert [found[0] for found in at_columns(parts)] == [" keys", " dog", " Mary"]
    assert [found[1] for found in at_columns(parts)] == [":"] * 3


def test_each_token_is_an_example_in_its_context() -> None:
    parts = made(positions="every token", concepts={"c": ["x", "y", "z"]})
    ids = [byte_level().encode(text).ids for text in TEXTS]
    at = parts["tokens"][np.arange(12), parts["columns"][:, 0]]
    assert at.tolist() == [token for row in ids for token in row]
    assert parts["concepts"]["c"].tolist() == ["x"] * 5 + ["y"] * 2 + ["z"] * 5
    assert parts["labels"][5:7] == ["«The» dog", "The« dog»"]
    assert parts["parse"]("The keys are")["labels"] == ["The keys« are»"]


def test_all_tokens_are_positions_of_texts_of_as_many() -> None:
    parts = made([TEXTS[0], TEXTS[2]], positions="all", answers=[" are", " to"])
    assert parts["positions"] == ["0", "1", "2", "3", "4"]
    assert parts["answers"][0].position == "4"
    assert "columns" not in parts


def test_answers_are_tokens_and_read_at_the_end() -> None:
    parts = made(positions={"subject": SUBJECTS}, answers={"next": [" are", " is", " to"]})
    assert parts["positions"] == ["subject", "last"]
    (answer,) = parts["answers"]
    assert (answer.name, answer.position) == ("next", "last")
    assert [byte_level().decode([token]) for token in answer.tokens] == [" are", " is", " to"]
    words: Any = [" are"] * 3
    own = made(positions={"end": -1}, answers=[Answer("x", "end", words, title="X")])
    assert (own["answers"][0].title, own["answers"][0].tokens.tolist()) == ("X", [310] * 3)
    assert made(positions={"end": -1}, answers=" are")["answers"][0].position == "end"


def test_an_answer_that_runs_into_the_text_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="has no space in front, and 'The keys to the cabinet'"):
        made(answers=["a", " is", " to"])
    # After a sign nothing runs on.
    made(["The dog,", "The keys,"], answers=["a", "a"])


def test_a_typed_text_becomes_an_example_as_the_others_did() -> None:
    parts = made(positions={"last": -1, "first": 0})
    typed = parts["parse"]("The keys are")
    assert typed["columns"].tolist() == [[2, 0]]
    parts = made(positions={"subject": SUBJECTS, "last": -1}, answers=[" are", " is", " to"])
    typed = parts["parse"]("The dog is here => subject: dog; next: is")
    assert typed["labels"] == ["The dog is here"]
    assert typed["columns"].tolist() == [[1, 3]]
    # The space in front that the other answers have.
    assert typed["answers"][0].tokens.tolist() == byte_level().encode(" is").ids
    parts = made(answers=[" are", " is", " to"])
    assert parts["parse"]("The dog => is")["answers"][0].tokens.tolist() == [266]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("The dog", r"type it as 'The dog => subject: …; next: …'"),
        ("The dog => next: is", "the position 'subject' of 'The dog' is not known"),
        ("The dog => subject: cat; next: is", "'cat' is not in the text, 'The dog'"),
        ("The dog => what: cat", "after => stands 'what: cat': write name: value"),
    ],
)  # fmt: skip
def test_what_a_typed_text_lacks_is_said_with_what_to_type(written: str, message: str) -> None:
    parts = made(positions={"subject": SUBJECTS, "last": -1}, answers=[" are", " is", " to"])
    with pytest.raises(ValueError, match=message):
        parts["parse"](written)


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"texts": "The dog"}, TypeError, "texts must be a list of strings, not 'The dog'"),
        ({"texts": []}, ValueError, r"there is no text, \[\]"),
        ({"texts": ["a", " ", ""]}, ValueError, "2 of 3 texts are empty, the first of them text 1"),
        ({"texts": ["a", 3]}, TypeError, "text 1 must be a string, not 3"),
        ({"texts": ["a", "\ud800"]}, ValueError, "text 1 .* lone surrogate"),
        ({"context": 3}, ValueError, r"2 of 3 .* and 4 tokens .* text 0, 'The k.* has 5"),
        ({"positions": {"s": "cat"}}, ValueError, "'cat' is not in text 0, 'The keys"),
        ({"positions": {"s": ["e", "d", "W"]}}, ValueError, r"'e' is in text 0, .* as \(2, 3\)"),
        ({"positions": {"s": [" ", "d", "W"]}}, ValueError, "of text 0 is an empty span, ' '"),
        ({"positions": {"s": -3}}, ValueError, r"'s' is -3, and text 1, 'The dog', has 2 tokens"),
        ({"positions": {"s": (3, 90)}}, ValueError, r"has 23 characters, and \(3, 90\) is no part"),
        ({"positions": {"s": ["keys"]}}, ValueError, r"'s' has 1 entries for 3 texts, \['keys'\]"),
        ({"positions": {"s": None}}, TypeError, "the position 's' is None"),
        ({"positions": {"s": [1.5] * 3}}, TypeError, "the position 's' of text 0 is 1.5"),
        ({"positions": "first"}, ValueError, "must be by name, not 'first'.*'every token'"),
        ({"positions": "all"}, ValueError, "texts have 2 to 5 tokens, 'The dog' and 'The keys"),
        ({"answers": ["are", " is", " to"]}, ValueError, r"'ar' \+ 'e': .* With the space, ' are'"),
        ({"answers": [" is"]}, ValueError, r"'next' has 1 entries for 3 texts, \[' is'\]"),
        ({"answers": 3}, TypeError, "answers must be by name, not 3"),
        ({"answers": [" is", " is", None]}, TypeError, "'next' of text 2 is None"),
        ({"answers": [" is"] * 3, "positions": "every token"}, ValueError, "leave them out"),
        ({"concepts": {"c": [1]}, "positions": "every token"}, ValueError, "'c' has 1 values"),
        ({"tokenizer": "gpt2"}, TypeError, r"a name, 'gpt2'.*AutoTokenizer.from_pretrained"),
        ({"tokenizer": 3}, TypeError, "must encode texts and decode tokens.*3 does not"),
        ({"prepend_bos": True}, ValueError, "no token for the beginning"),
        ({"prepend_bos": 1}, TypeError, "prepend_bos must be True or False, not 1"),
        ({"padding_side": "top"}, ValueError, "one of 'left', 'right', not 'top'"),
        ({"chat_template": True}, ValueError, "the tokenizer has no chat template"),
        ({"chat_template": 3}, TypeError, "chat_template must be True .* not 3"),
        ({"chat_template": lambda text: "hello"}, ValueError, "'hello' of a text, which does not"),
        ({"chat_template": str.upper}, ValueError, "does not hold it exactly once"),
        ({"chat_template": lambda text: 1 / 0}, ValueError, "fails on .*ZeroDivisionError"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_way_out(
    how: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        made(**how)


class Plain:
    """A tokenizer that only encodes and decodes, like those of sentencepiece and tiktoken."""

    def encode(self, text: str) -> list[int]:
        return byte_level().encode(text).ids  # type: ignore[no-any-return]

    def decode(self, tokens: list[int]) -> str:
        return byte_level().decode(tokens)  # type: ignore[no-any-return]


@pytest.mark.parametrize("text", ["The dog  is here.", "é 你好 😀, the keys", "\n The dog\n"])
def test_where_tokens_stand_is_found_by_decoding_where_no_offsets_are_given(text: str) -> None:
    found = TextTokenizer(Plain()).encode(text, special=False)
    exact = byte_level().encode(text)
    assert found.ids == exact.ids
    for token, (start, end), (first, beyond) in zip(
        exact.tokens, found.spans, exact.offsets, strict=True
    ):
        # A token that is part of a character ends where the one before it did, until the last.
        if all(ord(character) < 128 or character == "Ġ" for character in token):
            assert text[start:end].strip() == text[first:beyond].strip()
    assert found.spans[-1][1] == len(text.rstrip()) or found.spans[-1][1] == len(text)


def test_positions_by_decoding_are_those_by_offsets() -> None:
    texts = ["é 你好 the keys are", "😀😀 The dog is here"]
    how: dict[str, Any] = {"positions": {"s": ["你好", "😀😀"], "noun": ["keys", "dog"]}}
    by_offsets, by_decoding = (made(texts, one, **how) for one in (byte_level(), Plain()))
    assert by_decoding["columns"].tolist() == by_offsets["columns"].tolist()


def test_a_tokenizer_that_does_not_give_the_text_back_says_so_where_spans_are_asked_for() -> None:
    class Lossy(Plain):
        def decode(self, tokens: list[int]) -> str:
            return super().decode(tokens).lower()

    assert made(tokenizer=Lossy())["columns"].tolist() == [[4], [1], [4]]
    with pytest.raises(ValueError, match="cannot be told: they decode to 'the keys"):
        made(tokenizer=Lossy(), positions={"s": SUBJECTS})


@pytest.mark.parametrize("tokenizer", [byte_level, hugging_face, Plain])
def test_a_tokenizer_is_a_vocabulary(tokenizer: Any) -> None:
    texts = TextTokenizer(tokenizer())
    for token in (5, 260, 310):
        assert texts(token) == byte_level().decode([token])
    assert texts(10**6) == "<1000000>"


def test_a_part_of_a_character_is_shown_as_its_bytes() -> None:
    ids = byte_level().encode("😀").ids
    shown = [TextTokenizer(byte_level())(token) for token in ids]
    assert "".join(shown).replace("><", " ") == "<F0 9F 98 80>"
