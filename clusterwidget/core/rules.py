"""Rules: how an answer comes from concepts, and what it would be with other values of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.checks import several, shown

Ints = npt.NDArray[np.int64]

UNKNOWN = -1
"""In place of a token: a concept of the rule is missing."""

_MOST_SOUGHT = 6
"""Parameters among which those that a concept stands for are sought."""
_EXAMPLES_EACH = 4
"""Examples for each combination of values, on average, for a dependence to be more than luck."""


@dataclass(frozen=True)
class Rule:
    """One way in which an answer comes from concepts.

    Attributes
    ----------
    answer : str
        The answer that it is of, for messages.
    function : function of concepts' values
        Called with the values of one example; returns the token's id.
    names : tuple of str
        Its parameters, which are names of concepts.
    """

    answer: str
    function: Callable[..., Any]
    names: tuple[str, ...]

    def tokens(self, columns: Mapping[str, npt.NDArray[Any]]) -> Ints:
        """Return the token for each row of these values, shape (n,); `UNKNOWN` for missing ones.

        Each combination of values is asked for once.

        Raises
        ------
        ValueError
            Where the rule raises, or returns no token.
        """
        series = [pd.Series(columns[name]) for name in self.names]
        codes = _joint([_codes(one) for one in series])
        firsts = np.empty(codes.max(initial=-1) + 1, np.int64)
        firsts[codes[::-1]] = np.arange(len(codes))[::-1]
        values = zip(*(one.iloc[firsts].tolist() for one in series), strict=True)
        each = [
            UNKNOWN if any(map(pd.isna, combination)) else self._token(combination)
            for combination in values
        ]
        return np.array(each, np.int64)[codes]

    def _token(self, values: Sequence[Any]) -> int:
        given = ", ".join(f"{n}={v!r}" for n, v in zip(self.names, values, strict=True))
        way_out = "A rule takes concepts' values of one example and returns the token's id."
        try:
            token = self.function(*values)
        except Exception as error:
            raise ValueError(
                f"the rule of the answer {self.answer!r} fails at {given}: "
                f"{type(error).__name__}: {error}. {way_out}"
            ) from error
        if isinstance(token, (bool, np.bool_)):
            return int(token)
        # Whole numbers of which some are missing are floats in pandas.
        if isinstance(token, (float, np.floating)) and float(token).is_integer():
            token = int(token)
        if not isinstance(token, (int, np.integer)) or token < 0:
            raise ValueError(
                f"the rule of the answer {self.answer!r} gives {shown(token)} at {given}, which is "
                f"no token. {way_out}"
            )
        return int(token)


def checked_rules(answer: str, rule: Any, concepts: pd.DataFrame) -> tuple[Rule, ...]:
    """Return the rules of an answer, given as None, one function or several.

    Raises
    ------
    TypeError, ValueError
        For what is no function, and for a parameter that is no concept.
    """
    if rule is None:
        return ()
    given = list(rule) if several(rule) else [rule]
    return tuple(_checked(answer, one, concepts) for one in given)


def _checked(answer: str, rule: Any, concepts: pd.DataFrame) -> Rule:
    example = "rule=lambda L0, R0: (L0 + R0) % 10"
    if isinstance(rule, Rule):
        rule = rule.function
    if not callable(rule):
        raise TypeError(
            f"the rule of the answer {answer!r} must be a function whose parameters are concepts, "
            f"such as {example}, not {shown(rule)}."
        )
    try:
        parameters = inspect.signature(rule).parameters.values()
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"the parameters of the rule of the answer {answer!r}, {shown(rule)}, cannot be read: "
            f"wrap it, {example}."
        ) from error
    names = tuple(parameter.name for parameter in parameters)
    if not names or any(
        p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters
    ):
        raise TypeError(
            f"the rule of the answer {answer!r} must have concepts as its parameters, such as "
            f"{example}, not {names or 'none'}."
        )
    for name in names:
        if name not in concepts.columns:
            raise ValueError(
                f"the rule of the answer {answer!r} names the concept {name!r}, which is not among "
                f"{list(concepts.columns)}."
            )
    return Rule(answer, rule, names)


def require_tokens(rule: Rule, tokens: Ints, concepts: pd.DataFrame) -> None:
    """Raise ValueError where the rule gives other tokens than the answer has."""
    given = rule.tokens({name: concepts[name].to_numpy() for name in rule.names})
    wrong = np.flatnonzero((given != UNKNOWN) & (given != tokens))
    if len(wrong):
        row = int(wrong[0])
        values = ", ".join(f"{name}={concepts[name].iloc[row]}" for name in rule.names)
        raise ValueError(
            f"the rule of the answer {rule.answer!r} gives token {given[row]} at {values}, and the "
            f"right token of example {row} is {tokens[row]}: mend the rule or the tokens. It "
            f"differs for {len(wrong):,} of {len(tokens):,} examples."
        )


class Change:
    """What a rule gives when one example's values of some concepts are those of another.

    Parameters
    ----------
    rule : Rule
    moved : tuple of str
        The parameters that take the donor's values.
    """

    def __init__(self, rule: Rule, moved: tuple[str, ...]) -> None:
        self.rule = rule
        self.moved = moved

    def tokens(self, concepts: pd.DataFrame, receivers: Ints, donors: Ints) -> Ints:
        """Return the token that follows for each pair, shape (n,)."""
        return self.rule.tokens(
            {
                name: concepts[name].to_numpy()[donors if name in self.moved else receivers]
                for name in self.rule.names
            }
        )


def change_of(
    rules: Iterable[Rule], tokens: Ints, concepts: pd.DataFrame, names: Sequence[Sequence[str]]
) -> Change | None:
    """Return what changes in an answer with the values of some concepts; None if no rule says.

    Parameters
    ----------
    rules : iterable of Rule
        Of the answer; the first that covers all the concepts is taken.
    tokens : numpy.ndarray, shape (N,)
        The right tokens of the answer.
    concepts : pandas.DataFrame
    names : sequence of sequences of str
        Each concept with the other names that it goes by.
    """
    for rule in rules:
        moved: set[str] = set()
        for synonyms in names:
            found = _moved_by(rule, tokens, concepts, synonyms)
            if found is None:
                break
            moved |= found
        else:
            return Change(rule, tuple(sorted(moved)))
    return None


def _moved_by(
    rule: Rule, tokens: Ints, concepts: pd.DataFrame, synonyms: Sequence[str]
) -> set[str] | None:
    """Return the parameters that change with a concept.

    The concept itself where it is one; else the fewest that determine it, if the answer depends on
    them through it alone: ``L2 + R2`` stands for L2 and R2 in ``(L2 + R2 + carry2) % 10``.
    """
    for name in synonyms:
        if name in rule.names:
            return {name}
    concept = _codes(concepts[synonyms[0]])
    answer = _codes(pd.Series(tokens))
    if _determines([concept], answer) and _determines([answer], concept):
        return set(rule.names)
    columns = {name: _codes(concepts[name]) for name in rule.names}
    if len(columns) > _MOST_SOUGHT or not _determines(list(columns.values()), concept):
        return None
    for count in range(1, len(columns) + 1):
        for some in combinations(columns, count):
            inside = [columns[name] for name in some]
            outside = [columns[name] for name in columns if name not in some]
            joint = _joint(inside)
            if (joint.max() + 1) * _EXAMPLES_EACH > len(joint):
                continue
            if _determines(inside, concept) and _determines([concept, *outside], answer):
                return set(some)
    return None


def _codes(column: pd.Series) -> Ints:
    return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], np.int64)


def _joint(columns: Sequence[Ints]) -> Ints:
    """Return codes, from 0 up, of the combinations of several columns' codes."""
    joint = columns[0]
    for column in columns[1:]:
        joint = np.asarray(pd.factorize(joint * (column.max() + 1) + column)[0], np.int64)
    return joint


def _determines(columns: Sequence[Ints], other: Ints) -> bool:
    joint = _joint(columns)
    return int(_joint([joint, other]).max()) == int(np.asarray(pd.factorize(joint)[0]).max())
