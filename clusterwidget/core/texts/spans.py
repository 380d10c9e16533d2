"""Spans: where in a text something stands, and which token ends it."""

from __future__ import annotations

from typing import Any

import numpy as np

from clusterwidget.core.checks import shown
from clusterwidget.core.texts.tokenizer import Span


def is_span(value: Any) -> bool:
    """Whether a value is a pair of whole numbers."""
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, (int, np.integer)) for part in value)
        and not any(isinstance(part, bool) for part in value)
    )


def span_in(text: str, sought: str, name: str, where: str) -> Span:
    """Return where the one occurrence of a span is in a text; spaces around it do not count.

    Parameters
    ----------
    text, sought : str
    name : str
        Of the position, for messages.
    where : str
        Which text it is, for messages: ``"text 3"``.

    Raises
    ------
    ValueError
        Where it does not occur, or more than once.
    """
    bare = sought.strip()
    if not bare:
        raise ValueError(
            f"the position {name!r} of {where} is an empty span, {shown(sought)}: give a part of "
            "the text, or an offset such as -1."
        )
    first = text.find(bare)
    if first < 0:
        raise ValueError(
            f"the position {name!r}: {bare!r} is not in {where}, {shown(text)}. Give a part of the "
            "text as it is written there, or an offset such as -1."
        )
    if text.find(bare, first + 1) >= 0:
        raise ValueError(
            f"the position {name!r}: {bare!r} is in {where}, {shown(text)}, more than once. Give a "
            f"longer span that ends where it should, such as "
            f"{text[max(0, text.rfind(bare) - 8) : text.rfind(bare) + len(bare)]!r}, or its start "
            f"and end in characters, such as {(first, first + len(bare))}."
        )
    return first, first + len(bare)


def last_token(spans: list[Span], span: Span) -> int | None:
    """Return the index of the token that holds the last character of a span, if there is one.

    Where several hold parts of that character it is the last of them.
    """
    start, end = span
    found = None
    for at, (first, beyond) in enumerate(spans):
        if first < end <= beyond:
            found = at
    if found is None:
        # Some tokenizers drop characters, such as accents or the space after a word.
        within = [at for at, (_, beyond) in enumerate(spans) if start < beyond <= end]
        found = within[-1] if within else None
    return found
