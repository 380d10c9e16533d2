"""Templates: one sentence with gaps, and a table whose rows fill them."""

from __future__ import annotations

import inspect
import itertools
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from clusterwidget.core.answers import Answer
from clusterwidget.core.checks import shown, text
from clusterwidget.core.texts.feeding import Fed
from clusterwidget.core.texts.making import ALL, EVERY, Parts, Recipe
from clusterwidget.core.texts.positions import LAST
from clusterwidget.core.texts.tables import checked_table, require_words, words_of
from clusterwidget.core.texts.tokenizer import NOWHERE, Span, TextTokenizer
from clusterwidget.core.texts.typed import missing, typed

EXAMPLE = "'When {A} and {B} went to the {place},'"


@dataclass(frozen=True)
class Piece:
    """A part of a template: fixed text, or a gap.

    Attributes
    ----------
    name : str
        What its position is called: a gap by its field, ``"A"``, and the second time ``"A 2"``.
    said : str
        The text; of a gap the field.
    gap : bool
    """

    name: str
    said: str
    gap: bool


class Template:
    """A sentence with gaps, such as ``"When {A} and {B} went to the {place},"``.

    Raises
    ------
    TypeError, ValueError
        For what is no template. Gaps are names of columns and nothing more: what else Python's
        formats can do, such as reading attributes, is refused.
    """

    def __init__(self, written: Any) -> None:
        self.written = text("the template", written)
        try:
            parsed = list(string.Formatter().parse(self.written))
        except ValueError as error:
            raise ValueError(
                f"{shown(written)} is no template: {error}. Write gaps as in {EXAMPLE}, and braces "
                "of the text twice, '{{' and '}}'."
            ) from error
        self.pieces: list[Piece] = []
        for literal, field, form, conversion in parsed:
            if literal:
                self.pieces.append(Piece(literal, literal, gap=False))
            if field is None:
                continue
            if not field or form or conversion:
                gap = (
                    "{"
                    + field
                    + (f"!{conversion}" if conversion else "")
                    + (f":{form}" if form else "")
                    + "}"
                )
                raise ValueError(
                    f"the gap {gap!r} of the template {shown(written)} is not just the name of a "
                    f"column: write gaps as in {EXAMPLE}."
                )
            before = sum(1 for piece in self.pieces if piece.gap and piece.said == field)
            self.pieces.append(Piece(f"{field} {before + 1}" if before else field, field, gap=True))
        self.fields = list(dict.fromkeys(piece.said for piece in self.pieces if piece.gap))

    def require(self, columns: Sequence[str]) -> None:
        """Raise ValueError where a gap is no column."""
        for field in self.fields:
            if field not in columns:
                raise ValueError(
                    f"the template {shown(self.written)} has the gap {field!r}, and the table has "
                    f"the columns {list(columns)}."
                )

    def filled(self, row: Mapping[str, str]) -> tuple[str, list[Span]]:
        """Return the text of a row, and where each piece stands in it."""
        found, spans = "", []
        for piece in self.pieces:
            start = len(found)
            found += row[piece.said] if piece.gap else piece.said
            spans.append((start, len(found)))
        return found, spans

    def read(self, written: str) -> dict[str, str] | None:
        """Return what a text has in the gaps, or None where it does not fit the template."""
        found: dict[str, str] = {}
        at = 0
        for number, piece in enumerate(self.pieces):
            if not piece.gap:
                if not written.startswith(piece.said, at):
                    return None
                at += len(piece.said)
                continue
            rest = self.pieces[number + 1 :]
            if not rest:
                end = len(written)
            elif rest[0].gap:
                return None
            elif len(rest) == 1:
                end = len(written) - len(rest[0].said)
            else:
                end = written.find(rest[0].said, at + 1)
            if end <= at or found.setdefault(piece.said, written[at:end]) != written[at:end]:
                return None
            at = end
        return found if at == len(written) else None


class TemplateRecipe:
    """How rows of a table become examples, see `Examples.from_template`.

    Parameters
    ----------
    recipe : Recipe
    template : Template
    """

    def __init__(self, recipe: Recipe, template: Template) -> None:
        self.recipe = recipe
        self.template = template

    def parts(self, table: Any, positions: Any = None, answers: Any = None) -> Parts:
        """Return what the examples are made of."""
        concepts = checked_table(table)
        answers = {"next": answers} if isinstance(answers, str) else answers
        self.template.require(list(concepts.columns))
        needed = self.template.fields
        words = {name: words_of(name, concepts[name]) for name in concepts.columns}
        for name in needed:
            require_words(name, words[name])
        rows = [
            {name: column[at] or "" for name, column in words.items()}
            for at in range(len(concepts))
        ]
        filled = [self.template.filled(row) for row in rows]
        texts = [one for one, _ in filled]
        spans = [pieces for _, pieces in filled]
        names: Callable[[Sequence[Fed]], list[str]] | None = None
        chosen = positions
        if positions is None:
            chosen = self._gaps(spans)
        elif isinstance(positions, Mapping):
            chosen = {
                name: _filled_in(f"the position {name!r}", given, words)
                for name, given in positions.items()
            }
        elif isinstance(positions, str) and positions == ALL:
            names = partial(self._names, texts, spans)
        if isinstance(answers, Mapping):
            given_answers: Any = {
                name: _filled_in(f"the answer {name!r}", given, words)
                for name, given in answers.items()
            }
        else:
            given_answers = answers
        parts = self.recipe.parts(texts, chosen, given_answers, concepts, names)
        parts["answers"] = [
            self._ruled(one, answers, concepts) if isinstance(answers, Mapping) else one
            for one in parts["answers"]
        ]
        if not (isinstance(positions, str) and positions == EVERY):
            parts["parse"] = partial(self._parsed, list(concepts.columns), positions, answers)
        return parts

    def _gaps(self, spans: list[list[Span]]) -> dict[str, Any]:
        """Return the position of each gap, and of the end where none is there."""
        found: dict[str, Any] = {}
        for at, piece in enumerate(self.template.pieces):
            if piece.gap:
                found[piece.name] = [pieces[at] for pieces in spans]
        if LAST not in found:
            found[LAST] = -1
        return found

    def _names(self, texts: list[str], spans: list[list[Span]], fed: Sequence[Fed]) -> list[str]:
        """Return what each token is called where all are positions: by its gap, or its own text."""
        of_pieces = [
            [_piece_of(span, pieces) for span in one.spans]
            for one, pieces in zip(fed, spans, strict=True)
        ]
        for at, found in enumerate(of_pieces):
            if found != of_pieces[0]:
                raise ValueError(
                    f"positions='all', but the gaps of {shown(texts[at])} do not begin and end at "
                    f"the same tokens as those of {shown(texts[0])}: leave positions out, or keep "
                    "words of as many tokens."
                )
        called: list[str] = []
        for index, number in enumerate(of_pieces[0]):
            piece = None if number is None else self.template.pieces[number]
            if piece is not None and piece.gap:
                left = of_pieces[0][index:].count(number)
                name = piece.name if left == 1 else f"{piece.name} ({-left})"
            else:
                token = fed[0].encoded.ids[index]
                name = self.recipe.feeding.tokenizer(token).strip() or "space"
            others = (f"{name} {count}" for count in itertools.count(2))
            free = (one for one in itertools.chain([name], others) if one not in called)
            called.append(next(free))
        return called

    def _ruled(self, answer: Answer, given: Mapping[str, Any], concepts: pd.DataFrame) -> Answer:
        """Return an answer with its rule, where it is what one column says."""
        pattern = given[answer.name]
        fields = Template(pattern).fields if isinstance(pattern, str) else []
        if len(fields) != 1 or not fields[0].isidentifier():
            return answer
        rule = ColumnRule(answer.name, pattern, fields[0], self.recipe.feeding.tokenizer)
        return replace(answer, rule=rule)

    def _parsed(self, columns: list[str], positions: Any, answers: Any, written: str) -> Parts:
        """Return what the example of a typed text is made of."""
        others = [name for name in self._patterns(positions, answers) if name in columns]
        others = [name for name in others if name not in self.template.fields]
        found = typed(written, others)
        row = self.template.read(found.text)
        if row is None:
            raise ValueError(
                f"{found.text!r} does not fit the template {self.template.written!r}: type a text "
                "that does."
            )
        missing(found, others, [])
        table = pd.DataFrame([{**row, **found.said}])
        return self.parts(table, positions, answers)

    def _patterns(self, positions: Any, answers: Any) -> list[str]:
        """Return the columns that positions and answers are made of."""
        given = [
            pattern
            for part in (positions, answers)
            if isinstance(part, Mapping)
            for pattern in part.values()
            if isinstance(pattern, str)
        ]
        return list(dict.fromkeys(field for one in given for field in Template(one).fields))


class ColumnRule:
    """How an answer comes from a column: what the column says, put into words, as a token.

    Called with a value of the concept, as `Answer.rule` is.
    """

    def __init__(self, name: str, pattern: str, field: str, tokenizer: TextTokenizer) -> None:
        self._name = name
        self._template = Template(pattern)
        self._field = field
        self._tokenizer = tokenizer
        parameter = inspect.Parameter(field, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.__signature__ = inspect.Signature([parameter])

    def __call__(self, *values: Any, **named: Any) -> int:
        """Return the token for a value."""
        (value,) = (*values, *named.values())
        said, _ = self._template.filled({self._field: str(value)})
        ids = self._tokenizer.encode(said, special=False).ids
        if len(ids) != 1:
            raise ValueError(f"{said!r} is {len(ids)} tokens.")
        return ids[0]


def _filled_in(what: str, given: Any, words: Mapping[str, list[str | None]]) -> Any:
    """Return a text of columns, such as ``" {place}"``, for each row; anything else as it is."""
    if not isinstance(given, str):
        return given
    template = Template(given)
    for field in template.fields:
        if field not in words:
            raise ValueError(f"{what} is {given!r}, and the table has the columns {list(words)}.")
        require_words(field, words[field])
    n = len(next(iter(words.values())))
    return [
        template.filled({field: words[field][at] or "" for field in template.fields})[0]
        for at in range(n)
    ]


def _piece_of(span: Span, pieces: list[Span]) -> int | None:
    """Return which piece of a text a token is of: the one that has its last character."""
    if span == NOWHERE or span[1] <= 0 or span[1] > pieces[-1][1]:
        return None
    return next((at for at, (start, end) in enumerate(pieces) if start < span[1] <= end), None)
