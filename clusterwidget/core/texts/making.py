"""From texts to what examples are made of: tokens, mask, positions, answers, labels, concepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from clusterwidget.core.answers import Answer
from clusterwidget.core.checks import choice, several, shown, text, whole
from clusterwidget.core.columns import checked_concepts
from clusterwidget.core.texts.answers import answer_tokens, checked_answers
from clusterwidget.core.texts.feeding import Fed, Feeding
from clusterwidget.core.texts.positions import (
    LAST,
    WAY_OUT,
    Ints,
    TextPosition,
    checked_text_positions,
)
from clusterwidget.core.texts.tokenizer import TextTokenizer
from clusterwidget.core.texts.typed import missing, typed

Parts = dict[str, Any]
"""The arguments of `Examples`."""

ALL, EVERY = "all", "every token"
_AROUND = 40
"""Characters of a text that a label shows on each side of its token."""


@dataclass(frozen=True)
class Recipe:
    """How texts become examples; kept, so that a text that is typed becomes one in the same way.

    Attributes
    ----------
    feeding : Feeding
    side : str
        Where padding goes: ``"left"`` or ``"right"``.
    """

    feeding: Feeding
    side: str

    def parts(
        self,
        texts: Any,
        positions: Any = None,
        answers: Any = None,
        concepts: pd.DataFrame | Mapping[str, Any] | None = None,
        names: Callable[[Sequence[Fed]], list[str]] | None = None,
        width: int | None = None,
    ) -> Parts:
        """Return what examples of texts are made of, see `Examples.from_text`.

        Parameters
        ----------
        texts, positions, answers, concepts
            As there.
        names : function, optional
            What every token is called where all are positions; by default as `Examples` does.
        width : int, optional
            How many tokens there must be where all are positions.
        """
        listed = checked_texts(texts)
        n = len(listed)
        if isinstance(positions, str) and positions == EVERY:
            if answers is not None:
                raise ValueError(
                    f"answers are given, {shown(answers)}, and with positions='every token' an "
                    "example is one token of a text: leave them out, or name positions."
                )
            return self._of_every_token(listed, checked_concepts(concepts, n))
        if isinstance(positions, str) and positions == ALL:
            return self._of_all(listed, answers, concepts, names, width)
        if isinstance(positions, str):
            raise ValueError(f"positions must be by name, not {shown(positions)}: {WAY_OUT}")
        chosen = checked_text_positions(positions, n)
        answers = checked_answers(answers, n, _read_at(chosen))
        if any(answer.position == LAST for answer in answers) and all(
            one.name != LAST for one in chosen
        ):
            chosen = [*chosen, TextPosition(LAST, -1, alike=True)]
        fed = self.feeding.fed(listed)
        tokens, mask, shift = self._padded(fed)
        columns = np.stack([one.indices(listed, fed) for one in chosen], axis=1)
        ends = np.array([len(one) for one in fed]) - 1
        at_end = {one.name: bool((columns[:, p] == ends).all()) for p, one in enumerate(chosen)}
        return {
            "tokens": tokens,
            "attention_mask": mask,
            "columns": columns + shift[:, None],
            "positions": [one.name for one in chosen],
            "labels": listed,
            "concepts": concepts,
            "answers": self._answers(answers, listed, at_end),
            "vocabulary": self.feeding.tokenizer,
            "parse": partial(self._parsed, chosen, answers, None),
        }

    def _of_all(
        self,
        texts: list[str],
        answers: Any,
        concepts: Any,
        names: Callable[[Sequence[Fed]], list[str]] | None,
        width: int | None,
    ) -> Parts:
        """Return examples whose every token is a position."""
        fed = self.feeding.fed(texts)
        lengths = [len(one) for one in fed]
        if len(set(lengths)) > 1:
            short, long = lengths.index(min(lengths)), lengths.index(max(lengths))
            raise ValueError(
                f"positions='all', but the texts have {min(lengths)} to {max(lengths)} tokens, "
                f"{shown(texts[short])} and {shown(texts[long])}: name positions that each text "
                "has, such as {'last': -1}, or keep texts of one length."
            )
        called = [str(at) for at in range(lengths[0])] if names is None else names(fed)
        if width is not None and len(called) != width:
            raise ValueError(
                f"{shown(texts[0])} has {len(called)} tokens, and the examples have {width}, each "
                "of them a position: type a text of as many."
            )
        answers = checked_answers(answers, len(texts), called[-1])
        return {
            "tokens": np.array([one.encoded.ids for one in fed], np.int64),
            "positions": called,
            "labels": texts,
            "concepts": concepts,
            "answers": self._answers(answers, texts, {called[-1]: True}),
            "vocabulary": self.feeding.tokenizer,
            "parse": partial(self._parsed, ALL, answers, len(called)),
        }

    def _of_every_token(self, texts: list[str], concepts: pd.DataFrame) -> Parts:
        """Return an example for each token of the texts, in its context."""
        fed = self.feeding.fed(texts)
        tokens, mask, shift = self._padded(fed)
        own = [one.own for one in fed]
        rows = np.repeat(np.arange(len(texts)), [len(indices) for indices in own])
        if not len(rows):
            raise ValueError(f"no text has a token of its own: {shown(texts)}.")
        columns = np.array([index for indices in own for index in indices], np.int64)
        labels = [
            _around(text, one.spans[index])
            for text, one, indices in zip(texts, fed, own, strict=True)
            for index in indices
        ]
        return {
            "tokens": tokens[rows],
            "attention_mask": None if mask is None else mask[rows],
            "columns": (columns + shift[rows])[:, None],
            "positions": ["token"],
            "labels": labels,
            "concepts": concepts.iloc[rows].reset_index(drop=True)
            if len(concepts.columns)
            else None,
            "answers": [],
            "vocabulary": self.feeding.tokenizer,
            "parse": self._parsed_token,
        }

    def _padded(self, fed: Sequence[Fed]) -> tuple[Ints, Any, Ints]:
        """Return rows of one length, which tokens are the texts' own, and how far they moved."""
        lengths = np.array([len(one) for one in fed])
        width = int(lengths.max())
        shift = width - lengths if self.side == "left" else np.zeros_like(lengths)
        tokens = np.full((len(fed), width), self.feeding.tokenizer.pad, np.int64)
        at = np.arange(width)
        mask = (at >= shift[:, None]) & (at < (shift + lengths)[:, None])
        tokens[mask] = np.concatenate([one.encoded.ids for one in fed])
        return tokens, None if mask.all() else mask, shift

    def _answers(
        self, answers: list[Answer], texts: list[str], at_end: Mapping[str, bool]
    ) -> list[Answer]:
        return [
            answer_tokens(
                answer, texts, self.feeding.tokenizer, at_end=at_end.get(answer.position, False)
            )
            if len(answer.tokens)
            else answer
            for answer in answers
        ]

    def _parsed(
        self,
        chosen: list[TextPosition] | str,
        answers: list[Answer],
        width: int | None,
        written: str,
    ) -> Parts:
        """Return what the example of a typed text is made of."""
        asked = [] if isinstance(chosen, str) else [p.name for p in chosen if not p.alike]
        found = typed(written, [*asked, *(answer.name for answer in answers)])
        missing(found, asked, [answer.name for answer in answers])
        positions = (
            chosen
            if isinstance(chosen, str)
            else {one.name: one.given if one.alike else found.said[one.name] for one in chosen}
        )
        made = [
            replace(
                answer,
                tokens=np.array([_like(found.said[answer.name], answer)], object),
                rule=None,
            )
            for answer in answers
        ]
        return self.parts([found.text], positions, made or None, width=width)

    def _parsed_token(self, written: str) -> Parts:
        """Return the example of a typed text's last token."""
        parts = self._of_every_token(checked_texts([written]), pd.DataFrame(index=range(1)))
        return {
            **parts,
            **{
                name: parts[name][-1:]
                for name in ("tokens", "columns", "labels", "attention_mask")
                if parts[name] is not None
            },
        }


def checked_texts(texts: Any) -> list[str]:
    """Return texts as a list, or raise where they are no texts."""
    if isinstance(texts, (str, bytes)) or not several(texts) or isinstance(texts, Mapping):
        raise TypeError(f"texts must be a list of strings, not {shown(texts)}.")
    listed = list(texts)
    if not listed:
        raise ValueError(f"there is no text, {shown(texts)}: give at least two to compare.")
    empty = [at for at, one in enumerate(listed) if isinstance(one, str) and not one.strip()]
    for at, one in enumerate(listed):
        if not isinstance(one, str):
            raise TypeError(f"text {at} must be a string, not {shown(one)}.")
        text(f"text {at}", one)
    if empty:
        raise ValueError(
            f"{len(empty):,} of {len(listed):,} texts {'is' if len(empty) == 1 else 'are'} empty, "
            f"the first of them text {empty[0]}, {listed[empty[0]]!r}: leave such texts out."
        )
    return [str(one) for one in listed]


def recipe(
    tokenizer: Any,
    prepend_bos: bool | None,
    chat_template: Any,
    padding_side: str | None,
    context: int | None = None,
) -> Recipe:
    """Return how texts become examples, see `Examples.from_text`; `context` is a model's."""
    reader = TextTokenizer(tokenizer)
    if context is not None:
        whole("context", context, least=1)
    side = reader.side
    if padding_side is not None:
        side = choice("padding_side", padding_side, ("left", "right"))
    return Recipe(Feeding(reader, prepend_bos, chat_template, context), side)


def _like(said: str, answer: Answer) -> str:
    """Return a typed answer with the space in front that the other answers have."""
    others = [given for given in answer.tokens if isinstance(given, str)]
    spaced = bool(others) and all(given.startswith(" ") for given in others)
    return " " + said if spaced and not said.startswith(" ") else said


def _read_at(chosen: Sequence[TextPosition]) -> str:
    """Return the position whose logits give what comes after the text."""
    for one in chosen:
        if one.alike and one.given == -1:
            return one.name
    return LAST


def _around(text: str, span: tuple[int, int]) -> str:
    """Return a part of a text with a token marked in it."""
    start, end = max(0, span[0]), min(len(text), span[1])
    first, beyond = max(0, start - _AROUND), min(len(text), end + _AROUND)
    before = ("…" if first else "") + text[first:start]
    return f"{before}«{text[start:end]}»{text[end:beyond]}{'…' if beyond < len(text) else ''}"
