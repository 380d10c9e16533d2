"""Answers in words: each must be one token."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clusterwidget.core.answers import Answer
from clusterwidget.core.checks import several, shown, text
from clusterwidget.core.texts.tokenizer import TextTokenizer

WAY_OUT = (
    "give a mapping of name to one string for each text, such as {'next': [' Paris', ' Rome']}."
)


def checked_answers(answers: Any, n: int, read_at: str) -> list[Answer]:
    """Return answers as they are given, in words or tokens, by name and position.

    Parameters
    ----------
    answers : None, string, sequence of strings, mapping of name to strings, or sequence of Answer
    n : int
        How many texts there are.
    read_at : str
        The position whose logits give those that name none.
    """
    if answers is None:
        return []
    if isinstance(answers, Answer):
        answers = [answers]
    elif isinstance(answers, str):
        answers = {"next": answers}
    if isinstance(answers, Mapping):
        made = [
            Answer(text("the name of an answer", name), read_at, _each(name, given, n))
            for name, given in answers.items()
        ]
    elif not several(answers):
        raise TypeError(f"answers must be by name, not {shown(answers)}: {WAY_OUT}")
    else:
        listed = list(answers)
        if listed and all(isinstance(one, Answer) for one in listed):
            # Those with no tokens get theirs from their rule.
            made = [
                replace(one, tokens=_each(one.name, one.tokens, n)) if len(one.tokens) else one
                for one in listed
            ]
        else:
            made = [Answer("next", read_at, _each("next", listed, n))] if listed else []
    return made


def answer_tokens(
    answer: Answer, texts: Sequence[str], tokenizer: TextTokenizer, *, at_end: bool
) -> Answer:
    """Return an answer with tokens in place of words.

    Parameters
    ----------
    answer : Answer
    texts : sequence of str
    tokenizer : TextTokenizer
    at_end : bool
        Whether it is what comes after the text: then a word that would run into the text's last
        one is warned of.

    Raises
    ------
    ValueError
        For what is not one token.
    """
    known: dict[str, int] = {}
    tokens = []
    for at, given in enumerate(answer.tokens):
        if isinstance(given, str):
            if given not in known:
                known[given] = _token(answer.name, given, f"text {at}", tokenizer)
            tokens.append(known[given])
            if at_end and _runs_on(texts[at], given, known[given], tokenizer):
                at_end = False
                warnings.warn(
                    f"the answer {answer.name!r} of text {at}, {given!r}, has no space in front, "
                    f"and {shown(texts[at])} none at its end: is {' ' + given!r} meant?",
                    UserWarning,
                    stacklevel=5,
                )
        elif isinstance(given, (int, np.integer)) and not isinstance(given, (bool, np.bool_)):
            tokens.append(int(given))
        else:
            raise TypeError(
                f"the answer {answer.name!r} of text {at} is {shown(given)}: give a string of one "
                "token, or a token's id."
            )
    return replace(answer, tokens=np.array(tokens, np.int64))


def _each(name: str, given: Any, n: int) -> Any:
    if isinstance(given, str):
        given = [given] * n
    if not several(given) or isinstance(given, Mapping):
        raise TypeError(f"the answer {name!r} is {shown(given)}: {WAY_OUT}")
    listed = list(given)
    if len(listed) != n:
        raise ValueError(
            f"the answer {name!r} has {len(listed):,} entries for {n:,} texts, {shown(given)}: "
            "give one each."
        )
    return np.array([*listed, None], object)[:-1]


def _token(name: str, given: str, where: str, tokenizer: TextTokenizer) -> int:
    ids = tokenizer.encode(text(f"the answer {name!r} of {where}", given), special=False).ids
    if len(ids) == 1:
        return ids[0]
    pieces = " + ".join(repr(tokenizer(token)) for token in ids) or "none"
    other = given[1:] if given.startswith(" ") else " " + given
    hint = ""
    if other.strip() and len(tokenizer.encode(other, special=False).ids) == 1:
        hint = f" {'Without' if given.startswith(' ') else 'With'} the space, {other!r}, it is one."
    raise ValueError(
        f"the answer {name!r} of {where}, {given!r}, is {len(ids)} tokens, {pieces}: an answer is "
        f"one token.{hint or ' Give its first token, or leave the text out.'}"
    )


def _runs_on(before: str, given: str, token: int, tokenizer: TextTokenizer) -> bool:
    """Whether a word is given without the space that would part it from the text's last word."""
    if not (before[-1:].isalnum() and given[:1].isalpha() and tokenizer(token)[:1].isalpha()):
        return False
    spaced = tokenizer.encode(" " + given, special=False).ids
    return len(spaced) == 1 and spaced != [token]
