"""Filters: which examples a text such as `carry2 = 1 and L0 > 5` stands for.

`js/src/compute/filter.ts` is the page's own reading of the same texts; vectors hold the two
together, error messages included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.checks import shown
from clusterwidget.core.checks import text as checked_text

Mask = npt.NDArray[np.bool_]

LONGEST = 1000
DEEPEST = 50
_LISTED = 12
_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>[()]|==|!=|<=|>=|[=<>])|(?P<quote>"(?:[^"]|"")*"|'(?:[^']|'')*')"""
    r"""|(?P<word>[^\s()=<>!"'][^\s()=<>!"]*))"""
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_WORDS = ("and", "or", "not")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True)
class Text:
    """Labels that contain a text, whatever its case."""

    text: str


@dataclass(frozen=True)
class Comparison:
    """Values of a concept, compared as numbers where both sides are; < and so on need numbers."""

    name: str
    sign: str
    value: str


@dataclass(frozen=True)
class Not:
    """What another filter leaves out."""

    of: Filter


@dataclass(frozen=True)
class Several:
    """What all, or any, of some filters let through."""

    how: Literal["and", "or"]
    of: tuple[Filter, ...]


Filter = Text | Comparison | Not | Several


def matching(text: str, concepts: pd.DataFrame, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the examples that a filter lets through, in order; all of them for an empty text.

    Raises
    ------
    TypeError, ValueError
        For what is no filter of these concepts.
    """
    try:
        return np.flatnonzero(passing(checked_text("filter", text), concepts, labels))
    except ValueError as error:
        raise ValueError(f"filter {shown(text)}: {error}") from None


def passing(text: str, concepts: pd.DataFrame, labels: Sequence[str]) -> Mask:
    """Return whether each example passes, shape (N,); errors are those that the page shows."""
    found = parse(text)
    return np.ones(len(labels), bool) if found is None else _mask(found, concepts, labels)


def parse(text: str) -> Filter | None:
    """Read a filter; None for an empty text.

    Raises
    ------
    ValueError
        Where it cannot be read; says why in words.
    """
    if len(text) > LONGEST:
        raise ValueError(f"A filter has at most {LONGEST:,} characters.")
    return _Reader(text).whole()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


class _Reader:
    """Reads one text from left to right: or, and, not, parentheses; then comparisons and texts."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Filter | None:
        if not self._tokens:
            return None
        found = self._several("or")
        left = self._peek()
        if left is None:
            return found
        if left.text == ")" and left.kind == "sign":
            raise ValueError("A “)” closes nothing.")
        raise ValueError(f"Put “and” or “or” before “{left.text}”, or quotes around a text.")

    def _several(self, how: Literal["and", "or"]) -> Filter:
        parts = [self._part(how)]
        while self._takes("word", how):
            parts.append(self._part(how))
        return parts[0] if len(parts) == 1 else Several(how, tuple(parts))

    def _part(self, how: Literal["and", "or"]) -> Filter:
        return self._several("and") if how == "or" else self._single()

    def _single(self) -> Filter:
        negates = self._takes("word", "not")
        if negates or self._takes("sign", "("):
            self._depth += 1
            if self._depth > DEEPEST:
                raise ValueError(f"A filter has at most {DEEPEST} parentheses in each other.")
            inner = self._single() if negates else self._several("or")
            if not negates and not self._takes("sign", ")"):
                raise ValueError("A “(” is not closed.")
            self._depth -= 1
            return Not(inner) if negates else inner
        first = self._at
        name = self._operand()
        sign = self._peek()
        if sign is None or sign.kind != "sign" or sign.text in "()":
            if name is None:
                raise ValueError(self._nothing())
            return Text(name)
        if name is None:
            raise ValueError(f"There is no name before “{sign.text}”.")
        if self._at - first > 1:
            raise ValueError(f"Put quotes around “{name}”.")
        self._at += 1
        value = self._operand(most=1)
        if value is None:
            raise ValueError(f"There is no value after “{sign.text}”.")
        if sign.text not in ("=", "==", "!=") and _number(value) is None:
            raise ValueError(f"“{sign.text}” compares numbers, and “{value}” is none.")
        return Comparison(name, "=" if sign.text == "==" else sign.text, value)

    def _operand(self, most: int = LONGEST) -> str | None:
        """Take one quoted text, or some words in a row with what is between them."""
        first = self._peek()
        if first is None or first.kind == "sign" or _is_word(first, *_WORDS):
            return None
        self._at += 1
        if first.kind == "quote":
            return first.text
        last = first
        for token in self._tokens[self._at : self._at + most - 1]:
            if token.kind != "word" or _is_word(token, *_WORDS):
                break
            last = token
            self._at += 1
        return self._text[first.start : last.end]

    def _nothing(self) -> str:
        if self._at == 0:
            return f"There is nothing before “{self._tokens[0].text}”."
        return f"There is nothing after “{self._tokens[self._at - 1].text}”."

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _takes(self, kind: str, text: str) -> bool:
        token = self._peek()
        if token is None or token.kind != kind or token.text.lower() != text:
            return False
        self._at += 1
        return True


def _is_word(token: _Token, *words: str) -> bool:
    return token.kind == "word" and token.text.lower() in words


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            if rest[0] == "!":
                raise ValueError("“!” stands before “=” only: write “not”.")
            raise ValueError("A quote is not closed.")
        kind = match.lastgroup or ""
        written = match[kind]
        if kind == "quote":
            written = written[1:-1].replace(written[0] * 2, written[0])
        found.append(_Token(kind, written, match.start(kind), match.end()))
        at = match.end()
    return found


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _mask(found: Filter, concepts: pd.DataFrame, labels: Sequence[str]) -> Mask:
    if isinstance(found, Text):
        sought = found.text.lower()
        return np.fromiter((sought in label.lower() for label in labels), bool, len(labels))
    if isinstance(found, Not):
        return ~_mask(found.of, concepts, labels)
    if isinstance(found, Several):
        masks = [_mask(part, concepts, labels) for part in found.of]
        combine = np.logical_and if found.how == "and" else np.logical_or
        return np.asarray(combine.reduce(masks))
    return _compared(found, concepts)


def _compared(found: Comparison, concepts: pd.DataFrame) -> Mask:
    if found.name not in concepts.columns:
        known = [str(name) for name in concepts.columns]
        listed = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
        there = f"there are {listed}" if known else "there are none"
        raise ValueError(
            f"There is no concept “{found.name}”; {there}. Quotes around all of it look for "
            "the text in labels."
        )
    codes, values = pd.factorize(concepts[found.name])
    texts = [str(value) for value in values]
    if found.sign == "!=":
        return ~_holds("=", texts, found.value)[codes]
    if found.sign != "=" and not any(_number(text) is not None for text in texts):
        raise ValueError(f"“{found.sign}” compares numbers, and {found.name} has none.")
    return _holds(found.sign, texts, found.value)[codes]


def _holds(sign: str, texts: Sequence[str], value: str) -> Mask:
    """Return whether each value satisfies a comparison; last, that a missing one does not."""
    sought = _number(value)
    holds = np.zeros(len(texts) + 1, bool)
    for i, text in enumerate(texts):
        own = _number(text)
        if own is not None and sought is not None:
            holds[i] = _COMPARE[sign](own, sought)
        elif sign == "=":
            holds[i] = text == value
    return holds
