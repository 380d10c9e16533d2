"""Tokens' texts: what kind of character one begins with, whether it is capital, what is special."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

SPACES = ("Ġ", "▁")
"""What tokenizers write for the space before a word, where they show it."""

_SPECIAL = re.compile(r"<[^<>\s]*>|\[[A-Z]{2,}\]|<\|[^|]*\|>")


def plain_text(text: str) -> str:
    """Return a token's text with a space where a tokenizer shows another sign for it."""
    for sign in SPACES:
        text = text.replace(sign, " ")
    return text.replace("Ċ", "\n")


def are_words(texts: Iterable[str]) -> bool:
    """Return whether tokens with these texts make up texts: at least half of them have letters."""
    letters = [any(map(str.isalpha, text)) for text in texts]
    return 2 * sum(letters) >= len(letters) > 0


def kind_of(token: int, text: str, vocabulary: Any = None) -> str:
    """Return the kind of a token's first character that is no space.

    One of "letter", "digit", "punctuation", "space" for a token of spaces alone, and "special" for
    what stands for no text, such as ``<s>``; a vocabulary that knows its special tokens is asked.
    """
    if token in (getattr(vocabulary, "all_special_ids", None) or ()) or _SPECIAL.fullmatch(text):
        return "special"
    shown = plain_text(text).strip()
    if not shown:
        return "space"
    if shown[0].isalpha():
        return "letter"
    return "digit" if shown[0].isdigit() else "punctuation"


def is_capital(text: str) -> bool | None:
    """Return whether a token's first letter is a capital; None where it begins with none."""
    shown = plain_text(text).strip()
    return shown[0].isupper() if shown[:1].isalpha() else None
