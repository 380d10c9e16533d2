"""Answers: the tokens that a model is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.checks import several, shown, text, unmasked
from clusterwidget.core.places import Places
from clusterwidget.core.rules import UNKNOWN, Rule, checked_rules, require_tokens

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Answer:
    """A token that the model is asked for.

    Attributes
    ----------
    name : str
        What the answer is called, e.g. ``"S3"``.
    position : str
        The position whose logits give it, e.g. ``"S4"``; ``"-1"`` for each example's last token.
    tokens : numpy.ndarray, shape (N,)
        The right token of each example. By default what the rule gives.
    title : str
        What it is called where a person chooses one, e.g. ``"1000s"``; the name by default.
    caption : str
        How it comes about in an example, with names of concepts in braces for their values, e.g.
        ``"{L3}+{R3}+{carry3}={S3}"``.
    rule : function, or sequence of functions
        How it comes from concepts: its parameters are named as concepts, and it returns the token's
        id for one example's values. Several are several ways to say it, for instance with coarser
        and with finer concepts. A swap test then also says whether the answer follows a concept.

    See Also
    --------
    Examples : takes the answers.

    Examples
    --------
    >>> answer = cw.Answer("sum", "b", np.array([3, 6]), caption="{x}+{y}")
    >>> cw.Examples(
    ...     [[1, 2], [3, 3]], positions=["a", "b"], concepts={"x": [1, 3], "y": [2, 3]},
    ...     answers=[answer],
    ... ).captions(1)
    {'sum': '3+3'}
    >>> ruled = cw.Answer("sum", "b", rule=lambda x, y: x + y)
    >>> examples = cw.Examples([[1, 2], [3, 3]], positions=["a", "b"],
    ...     concepts={"x": [1, 3], "y": [2, 3]}, answers=[ruled])
    >>> examples.answers["sum"].tokens
    array([3, 6])
    """

    name: str
    position: str
    tokens: npt.NDArray[np.integer] = field(default_factory=lambda: np.empty(0, np.int64))
    title: str = ""
    caption: str = ""
    rule: Any = None

    def __post_init__(self) -> None:
        for part in ("name", "position", "title", "caption"):
            text(f"the {part} of an answer", getattr(self, part))

    def captioned(self, concepts: pd.DataFrame, example: int) -> str:
        """Return the caption with an example's values of the concepts, ``?`` for missing ones.

        See Also
        --------
        Examples.captions

        Examples
        --------
        >>> examples = cw.addition.from_numbers(1234, 5678)
        >>> examples.answers["S1"].captioned(examples.concepts, 0)
        '3+7+1=1'
        """

        def value(found: re.Match[str]) -> str:
            # Column by column: a row of a DataFrame would turn whole numbers into floats.
            known = concepts[found[1]].iloc[example]
            return "?" if pd.isna(known) else str(known)

        return _PLACEHOLDER.sub(value, self.caption)

    def captions(self, concepts: pd.DataFrame) -> list[str]:
        """Return the caption of every example, as `captioned` does, many times faster.

        See Also
        --------
        captioned

        Examples
        --------
        >>> examples = cw.addition.from_numbers([1234, 99], [5678, 1])
        >>> examples.answers["S1"].captions(examples.concepts)
        ['3+7+1=1', '9+0+1=0']
        """
        # A pattern with one group splits into texts and, between them, names.
        texts = _PLACEHOLDER.split(self.caption)
        pieces = [
            ["?" if pd.isna(value) else str(value) for value in concepts[part]]
            if at % 2
            else [part] * len(concepts)
            for at, part in enumerate(texts)
        ]
        return ["".join(row) for row in zip(*pieces, strict=True)]


def checked_answers(
    answers: Iterable[Answer], n: int, places: Places, concepts: pd.DataFrame
) -> dict[str, Answer]:
    """Return the answers by name, or raise ValueError where they do not fit the examples."""
    way_out = "give a list, [Answer(name, position, tokens), …]."
    if isinstance(answers, Answer):
        raise TypeError(f"answers must be a list, not one Answer, {answers.name!r}: {way_out}")
    if isinstance(answers, Mapping):
        raise TypeError(
            f"answers must be a list, not a {type(answers).__name__}, {shown(answers)}: each "
            f"Answer has its own name; {way_out}"
        )
    if not several(answers):
        raise TypeError(f"answers must be a list of Answer, not {shown(answers)}: {way_out}")
    checked: dict[str, Answer] = {}
    for answer in answers:
        if not isinstance(answer, Answer):
            raise TypeError(f"answers must be a list of Answer, not of {shown(answer)}: {way_out}")
        rules = checked_rules(answer.name, answer.rule, concepts)
        tokens = _tokens(answer)
        if rules and tokens.shape == (0,):
            tokens = _ruled(answer, rules[0], concepts)
        if answer.name in checked:
            raise ValueError(
                f"answer names must differ, but {answer.name!r} occurs more than once."
            )
        column = places.column(answer.position)
        if column is None:
            trouble = places.trouble(answer.position)
            raise ValueError(
                f"the answer {answer.name!r} is read at position {answer.position!r}; "
                + (trouble or f"there are {list(places.names)}.")
            )
        if tokens.shape == (0,) and not rules and n:
            raise ValueError(
                f"the answer {answer.name!r} has no rule, and its tokens are "
                f"{shown(answer.tokens)}: give {n:,} integer tokens, one for each example, or "
                "rule=lambda …, a function of concepts."
            )
        if tokens.shape != (n,) or not np.issubdtype(tokens.dtype, np.integer):
            raise ValueError(
                f"the answer {answer.name!r} needs {n:,} integer tokens, one for each example, not "
                f"{tokens.dtype} of shape {tokens.shape}, {shown(answer.tokens)}."
            )
        if tokens.min() < 0:
            raise ValueError(
                f"the answer {answer.name!r} has the token {tokens.min()}: tokens are ids, "
                "counted from 0. Leave out the examples that have no right answer."
            )
        for concept in _PLACEHOLDER.findall(answer.caption):
            if concept not in concepts.columns:
                raise ValueError(
                    f"the caption of the answer {answer.name!r} names the concept {concept!r}, "
                    f"which is not among {list(concepts.columns)}."
                )
        for rule in rules:
            require_tokens(rule, tokens.astype(np.int64), concepts)
        position = places.name(column)
        checked[answer.name] = replace(answer, position=position, tokens=tokens, rule=rules)
    return checked


def _ruled(answer: Answer, rule: Rule, concepts: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the tokens that the rule gives, or raise ValueError where a concept is missing."""
    tokens = rule.tokens({name: concepts[name].to_numpy() for name in rule.names})
    missing = np.flatnonzero(tokens == UNKNOWN)
    if len(missing):
        raise ValueError(
            f"the rule of the answer {answer.name!r} gives no token for example {missing[0]}: one "
            f"of {', '.join(rule.names)} is missing there. Give the answer's tokens, or leave "
            "such examples out."
        )
    return tokens


def _tokens(answer: Answer) -> npt.NDArray[np.integer]:
    given = unmasked(f"the tokens of the answer {answer.name!r}", answer.tokens)
    try:
        return np.asarray(given)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the answer {answer.name!r} needs one integer token for each example, not "
            f"{shown(given)}."
        ) from error
