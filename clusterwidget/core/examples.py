"""Examples: the inputs that are compared, and what is known about each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.answers import Answer, checked_answers
from clusterwidget.core.checks import checked_index, function, several, shown, text, whole
from clusterwidget.core.columns import (
    checked_axes,
    checked_concepts,
    checked_positions,
    checked_tokens,
    texts_of_concepts,
)
from clusterwidget.core.filters import matching
from clusterwidget.core.inputs import Inputs, Layout
from clusterwidget.core.padding import checked_columns, checked_mask, joined
from clusterwidget.core.places import Places
from clusterwidget.core.texts.tokenizer import TextTokenizer, is_tokenizer

Vocabulary = Sequence[str] | Callable[[int], str]


_ROWS = 100_000
"""Examples whose labels are put together at once."""


class Examples:
    """N inputs of T tokens each, or of any lengths, padded to T.

    Parameters
    ----------
    tokens : array of integers, shape (N, T)
        One row an example. A torch tensor or a nested list does as well.
    attention_mask : array of ones and zeros, shape (N, T), optional
        1 for an example's own tokens, 0 for padding before or after them. Every run then gives each
        example what it gets alone. By default all tokens are their own.
    columns : mapping of position to N token indices, or array, shape (N, P), optional
        Positions that are another token in each example, such as the last one of a subject:
        ``{"subject": […], "last": […]}``. The indices count from 0 in the rows of `tokens`. As an
        array beside `positions`, which then are P names.
    labels : sequence of N strings, optional
        What stands for an example on screen. By default its tokens, in words.
    positions : sequence of T (or P) distinct strings, optional
        Names of the positions. By default ``"0"`` to ``"T-1"``. In addresses of stages and in
        answers ``-1``, ``-2`` … count from the end of each example's own tokens.
    concepts : pandas.DataFrame or mapping of name to N values, optional
        What is known about every example, one column a concept.
    answers : iterable of Answer, optional
        The tokens that the model is asked for.
    vocabulary : sequence of strings, tokenizer, or function of a token's id, optional
        The text of a token. By default the id in decimal.
    axes : mapping of position to two concepts, optional
        How the grid is arranged, as (rows, columns), for stages at a position.
    families : mapping of concept to str, optional
        What kind of concept it is, in words: concepts of a family share a color on screen.
    descriptions : mapping of concept to str, optional
        What a concept says, in one plain sentence: shown wherever its name stands on screen.
    parse : function of a text, optional
        Makes one example (an ``Examples`` of length 1) of what a person typed, or raises
        ``ValueError`` with a message for that person.

    Raises
    ------
    TypeError, ValueError
        Where the parts do not fit together. The message names the part and the way out.

    See Also
    --------
    Answer : a token that the model is asked for.
    Explorer : answers questions about examples.
    from_text, from_template, from_dataset : examples of texts.

    Examples
    --------
    >>> examples = cw.Examples(
    ...     [[1, 2], [3, 3], [2, 0]], positions=["a", "b"], concepts={"sum": [3, 6, 2]}
    ... )
    >>> examples
    Examples(3 of 2 tokens, 1 concepts, 0 answers; first: '1 2')
    """

    def __init__(
        self,
        tokens: npt.ArrayLike,
        *,
        attention_mask: npt.ArrayLike | None = None,
        columns: Mapping[str, npt.ArrayLike] | npt.ArrayLike | None = None,
        labels: Sequence[str] | None = None,
        positions: Sequence[str] | None = None,
        concepts: pd.DataFrame | Mapping[str, npt.ArrayLike] | None = None,
        answers: Iterable[Answer] = (),
        vocabulary: Vocabulary | None = None,
        axes: Mapping[str, tuple[str, str]] | None = None,
        families: Mapping[str, str] | None = None,
        descriptions: Mapping[str, str] | None = None,
        parse: Callable[[str], Examples] | None = None,
    ) -> None:
        self.tokens = checked_tokens(tokens)
        n, t = self.tokens.shape
        self.attention_mask = checked_mask(attention_mask, self.tokens.shape)
        self.columns, positions = checked_columns(
            columns, positions, self.tokens.shape, self.attention_mask
        )
        self.positions = checked_positions(
            positions, t if self.columns is None else self.columns.shape[1]
        )
        self.vocabulary = _checked_vocabulary(vocabulary)
        self.labels = self._checked_labels(labels)
        self.concepts = checked_concepts(concepts, n)
        self.answers = checked_answers(answers, n, self.places, self.concepts)
        known = list(self.concepts.columns)
        self.axes = checked_axes(axes, self.positions, known)
        self.families = texts_of_concepts("families", "the family", families, known)
        self.descriptions = texts_of_concepts(
            "descriptions", "the description", descriptions, known
        )
        self.parse = function("parse", parse)

    @classmethod
    def from_text(
        cls,
        tokenizer: Any,
        texts: Iterable[str],
        *,
        positions: Mapping[str, Any] | str | None = None,
        answers: Mapping[str, Any] | Iterable[Any] | str | None = None,
        concepts: pd.DataFrame | Mapping[str, npt.ArrayLike] | None = None,
        prepend_bos: bool | None = None,
        chat_template: bool | str | Callable[[str], str] | None = None,
        padding_side: str | None = None,
        context: int | None = None,
    ) -> Examples:
        """Return examples of texts, of any lengths: shorter ones are padded, and the mask kept.

        Parameters
        ----------
        tokenizer : tokenizer
            What encodes texts and decodes tokens: of transformers, tokenizers, sentencepiece or
            tiktoken. It is the vocabulary too.
        texts : sequence of N strings
            They are the labels.
        positions : mapping of name to place, ``"all"`` or ``"every token"``, optional
            A place is a part of the text, whose last token it is; the start and end of one in
            characters, as a tuple; or an offset, from the end where it is negative: one for all
            texts, or a list of one for each. By default ``{"last": -1}``. With ``"all"`` each token
            is a position, for texts of as many tokens, as with ``Examples(tokens)``; a trace needs
            that. With ``"every token"`` there is an example for each token of each text, in its
            context; tokens that are added to the text are left out.
        answers : mapping of name to strings, sequence of strings, or sequence of Answer, optional
            What comes after the text: one string for each text, or one for all, of one token each,
            with its space in front if it has one. Without a name it is the answer ``"next"``. An
            `Answer` whose tokens are strings is read at its own position.
        concepts : pandas.DataFrame or mapping of name to N values, optional
            What is known about every text.
        prepend_bos : bool, optional
            Whether what is fed begins with the token for that, exactly one. By default as the
            tokenizer does by itself.
        chat_template : bool, str or function of a text, optional
            True makes each text a user's message in the tokenizer's own chat template, followed by
            what the assistant's answer begins with. A string is another template of that kind, and
            a function returns what is fed for a text. Offsets count in what is fed; spans are of
            the text.
        padding_side : {"left", "right"}, optional
            By default where the tokenizer has it. It makes no difference to any result.
        context : int, optional
            The most tokens that the model reads; longer texts are refused. By default what the
            tokenizer says.

        Raises
        ------
        TypeError, ValueError
            For texts that are no strings, empty, or longer than the context; a span that is not in
            its text exactly once; an answer that is not one token.

        Warns
        -----
        UserWarning
            Where an answer would run into the last word of its text: a space is missing in front.

        See Also
        --------
        fed : the tokens that are really fed.
        Explorer.from_text : with the tokenizer of a model.

        Examples
        --------
        >>> texts = ["The keys to the cabinet", "The dog"]
        >>> examples = cw.Examples.from_text(
        ...     tokenizer, texts, positions={"subject": ["keys", "dog"], "last": -1},
        ...     answers=[" are", " is"], concepts={"number": ["plural", "singular"]},
        ... )
        >>> examples.positions
        ('subject', 'last')
        >>> examples.token_text(int(examples.answers["next"].tokens[0]))
        ' are'
        """
        from clusterwidget.core.texts.making import recipe

        made = recipe(tokenizer, prepend_bos, chat_template, padding_side, context)
        return cls._made(made.parts(texts, positions, answers, concepts))

    @classmethod
    def from_template(
        cls,
        template: str,
        table: pd.DataFrame | Mapping[str, npt.ArrayLike] | Iterable[Mapping[str, Any]],
        *,
        tokenizer: Any,
        positions: Mapping[str, Any] | str | None = None,
        answers: Mapping[str, Any] | Iterable[Any] | str | None = None,
        prepend_bos: bool | None = None,
        chat_template: bool | str | Callable[[str], str] | None = None,
        padding_side: str | None = None,
        context: int | None = None,
    ) -> Examples:
        """Return examples of one sentence whose gaps are filled from the rows of a table.

        Its columns are the concepts, those without a gap as well.

        Parameters
        ----------
        template : str
            Such as ``"When {A} and {B} went to the {place},"``: gaps are names of columns.
        table : pandas.DataFrame, mapping of name to N values, or sequence of N mappings
        tokenizer : tokenizer
            As in `from_text`.
        positions : mapping of name to place, ``"all"`` or ``"every token"``, optional
            By default one for each gap, called as its column (the second time ``"A 2"``), and
            ``"last"``. With ``"all"`` each token is a position, called by its gap or by its own
            text; the gaps must be filled with as many tokens in each row. Otherwise as in
            `from_text`; strings may have gaps.
        answers : mapping of name to string or strings, or as in `from_text`, optional
            A string with gaps, such as ``" {A}"``, is filled from each row; with one gap it is the
            answer's rule too, so that swap tests say whether the answer follows the column.
        prepend_bos, chat_template, padding_side, context
            As in `from_text`.

        Raises
        ------
        TypeError, ValueError
            For a gap that is no column or is filled with nothing, and as in `from_text`.

        See Also
        --------
        from_text, fed

        Examples
        --------
        >>> table = {"noun": ["keys", "dog"], "verb": ["are", "is"]}
        >>> examples = cw.Examples.from_template(
        ...     "The {noun} to the cabinet", table, tokenizer=tokenizer, answers={"next": " {verb}"}
        ... )
        >>> examples.labels, examples.positions
        (['The keys to the cabinet', 'The dog to the cabinet'], ('noun', 'last'))
        """
        from clusterwidget.core.texts.making import recipe
        from clusterwidget.core.texts.templates import Template, TemplateRecipe

        made = recipe(tokenizer, prepend_bos, chat_template, padding_side, context)
        return cls._made(TemplateRecipe(made, Template(template)).parts(table, positions, answers))

    @classmethod
    def from_dataset(
        cls,
        dataset: Any,
        text: str,
        *,
        tokenizer: Any,
        positions: Mapping[str, Any] | str | None = None,
        answers: Mapping[str, Any] | str | None = None,
        concepts: Iterable[str] | None = None,
        prepend_bos: bool | None = None,
        chat_template: bool | str | Callable[[str], str] | None = None,
        padding_side: str | None = None,
        context: int | None = None,
    ) -> Examples:
        """Return examples of the texts in a dataset.

        Parameters
        ----------
        dataset : datasets.Dataset, pandas.DataFrame, or mapping of name to values
        text : str
            The column of the texts.
        tokenizer : tokenizer
            As in `from_text`.
        positions : mapping of name to column or offset, ``"all"`` or ``"every token"``, optional
            The column has a part of each text. Otherwise as in `from_text`.
        answers : mapping of name to column, or one column, optional
        concepts : sequence of columns, optional
            By default all others that have single values.
        prepend_bos, chat_template, padding_side, context
            As in `from_text`.

        Raises
        ------
        TypeError, ValueError
            For what is no dataset, a column that it has not, and as in `from_text`.

        See Also
        --------
        from_text, from_template

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"text": ["The keys", "The dog"], "number": ["many", "one"]})
        >>> examples = cw.Examples.from_dataset(table, "text", tokenizer=tokenizer)
        >>> examples.concepts["number"].tolist()
        ['many', 'one']
        """
        from clusterwidget.core.texts.datasets import dataset_parts
        from clusterwidget.core.texts.making import recipe

        made = recipe(tokenizer, prepend_bos, chat_template, padding_side, context)
        return cls._made(made.parts(**dataset_parts(dataset, text, positions, answers, concepts)))

    @classmethod
    def _made(cls, parts: Mapping[str, Any]) -> Examples:
        """Return the examples of texts that are made of these arguments."""
        parse = parts["parse"]
        return cls(**{**parts, "parse": lambda typed: cls._made(parse(typed))})

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        sizes = self.inputs.sizes
        least, most = int(sizes.min()), int(sizes.max())
        length = str(most) if least == most else f"{least} to {most}"
        return (
            f"Examples({len(self):,} of {length} tokens, {self.concepts.shape[1]} concepts, "
            f"{len(self.answers)} answers; first: {self.labels[0]!r})"
        )

    @cached_property
    def inputs(self) -> Inputs:
        """What a model is fed of each example: tokens, then padding.

        See Also
        --------
        places

        Examples
        --------
        >>> padded = cw.Examples([[0, 5, 6], [7, 8, 9]], attention_mask=[[0, 1, 1], [1, 1, 1]])
        >>> padded.inputs.sizes.tolist()
        [2, 3]
        """
        return Inputs.of(self.tokens, self.attention_mask, self.columns)

    @cached_property
    def places(self) -> Places:
        """The names of the positions, and where they are in each example.

        See Also
        --------
        inputs

        Examples
        --------
        >>> cw.addition.from_numbers([1, 2], [3, 4]).places.names[:5]
        ('L3', 'L2', 'L1', 'L0', '+')
        """
        return Places(self.positions, Layout.of(self.inputs, len(self.positions)))

    def token_text(self, token: int) -> str:
        """Return what a token looks like on screen.

        Raises
        ------
        ValueError
            Where the vocabulary does not cover the token.

        See Also
        --------
        captions

        Examples
        --------
        >>> cw.Examples([[0, 1], [1, 0]], vocabulary=["yes", "no"]).token_text(1)
        'no'
        """
        token = whole("a token", token, 0)
        if self.vocabulary is None:
            return str(token)
        if callable(self.vocabulary):
            return str(self.vocabulary(token))
        if token >= len(self.vocabulary):
            raise ValueError(
                f"token {token} has no text: the vocabulary has {len(self.vocabulary)} entries, "
                f"{shown(self.vocabulary)}. Pass a vocabulary that covers every token, or a "
                "function of the token's id."
            )
        return str(self.vocabulary[token])

    def texts_at(self, example: int) -> list[str]:
        """Return the texts of an example's tokens at the positions, empty where it has none.

        See Also
        --------
        token_text

        Examples
        --------
        >>> examples = cw.Examples([[5, 6, 7], [8, 9, 9]], columns={"last": [2, 1]})
        >>> examples.texts_at(1)
        ['9']
        """
        example = checked_index(example, len(self))
        (row,) = self.inputs[example : example + 1].tokens_at(len(self.positions)).tolist()
        return [self.token_text(token) if token >= 0 else "" for token in row]

    def fed(self, example: int) -> pd.DataFrame:
        """Return the tokens of an example as a model is fed them: columns token, text, position.

        One row a token, without padding. The position is the name of the one that the token is at,
        several are parted by commas, and a token that is at none has an empty text there.

        See Also
        --------
        from_text : whose ``prepend_bos`` and ``chat_template`` add tokens to a text.

        Examples
        --------
        >>> examples = cw.Examples.from_text(
        ...     tokenizer, ["The keys", "The dog is"], positions={"noun": ["keys", "dog"]}
        ... )
        >>> examples.fed(1)
           token  text position
        0    259   The
        1    305   dog     noun
        2    266    is
        """
        example = checked_index(example, len(self))
        own = self.inputs[np.array([example])]
        tokens = own.tokens[0, : own.sizes[0]].tolist()
        names: list[list[str]] = [[] for _ in tokens]
        for column, name in enumerate(self.positions):
            at = int(own.at(column)[0])
            if 0 <= at < len(names):
                names[at].append(name)
        return pd.DataFrame(
            {
                "token": tokens,
                "text": [self.token_text(token) for token in tokens],
                "position": [", ".join(several) for several in names],
            }
        )

    def captions(self, example: int) -> dict[str, str]:
        """Return the caption of each answer, filled in for one example.

        See Also
        --------
        Answer.captioned

        Examples
        --------
        >>> cw.addition.from_numbers(1234, 5678).captions(0)["S2"]
        '2+6+1=9'
        """
        example = checked_index(example, len(self))
        return {
            name: answer.captioned(self.concepts, example) for name, answer in self.answers.items()
        }

    def extended(self, other: Examples) -> Examples:
        """Return these examples followed by those of `other`.

        Concepts that `other` lacks are missing there; its own further concepts are dropped.

        Raises
        ------
        ValueError
            Where the positions differ, or `other` lacks an answer.

        See Also
        --------
        Explorer.add

        Examples
        --------
        >>> examples = cw.addition.from_numbers([1, 2], [3, 4])
        >>> examples.extended(cw.addition.parse("12+34")).labels
        ['0001+0003=00004', '0002+0004=00006', '0012+0034=00046']
        """
        if not isinstance(other, Examples):
            raise TypeError(
                f"only Examples can be added, not {shown(other)}: make them with Examples(tokens)."
            )
        if other.positions != self.positions:
            raise ValueError(
                f"the new examples have positions {list(other.positions)}, these have "
                f"{list(self.positions)}: examples must be tokenized alike to stand side by side."
            )
        answers = []
        for name, answer in self.answers.items():
            if name not in other.answers:
                raise ValueError(
                    f"the new examples lack the answer {name!r}: give them all answers."
                )
            tokens = np.concatenate([answer.tokens, other.answers[name].tokens])
            answers.append(replace(answer, tokens=tokens))
        concepts = None
        if self.concepts.shape[1]:
            added = other.concepts.reindex(columns=self.concepts.columns)
            concepts = pd.concat([self.concepts, added], ignore_index=True)
        rows, mask, columns = joined(
            (self.tokens, self.attention_mask, self.columns),
            (other.tokens, other.attention_mask, other.columns),
        )
        for column in self.places.present:
            if column not in other.places.present:
                raise ValueError(
                    f"the new examples have padding at position {self.positions[column]!r}, and "
                    "these have a token there: give all of them a token at each position."
                )
        return Examples(
            rows,
            attention_mask=mask,
            columns=columns,
            labels=[*self.labels, *other.labels],
            positions=self.positions,
            concepts=concepts,
            answers=answers,
            vocabulary=self.vocabulary,
            axes=self.axes,
            families=self.families,
            descriptions=self.descriptions,
            parse=self.parse,
        )

    def with_concept(
        self,
        name: str,
        values: npt.ArrayLike,
        family: str | None = None,
        description: str | None = None,
    ) -> Examples:
        """Return these examples with a further concept, or another one in place of that name.

        Parameters
        ----------
        name : str
        values : array-like, shape (N,)
        family : str, optional
            What kind of concept it is, in words.
        description : str, optional
            What it says, in one plain sentence. The description of a concept that is replaced
            is dropped: the new values may mean something else.

        Raises
        ------
        TypeError, ValueError
            For what cannot be a concept.

        See Also
        --------
        Explorer.add_concept

        Examples
        --------
        >>> examples = cw.addition.from_numbers([1, 2], [3, 4])
        >>> examples.with_concept("even", [True, False]).concepts["even"].tolist()
        [True, False]
        """
        name = text("the name of a concept", name)
        if not several(values) or len(values) != len(self):  # type: ignore[arg-type]
            raise ValueError(
                f"the concept {name!r} needs {len(self):,} values, one for each example, not "
                f"{shown(values)}."
            )
        added = checked_concepts({name: values}, len(self))
        concepts = self.concepts.copy()
        concepts[name] = added[name]
        families = dict(self.families)
        if family is not None:
            families[name] = family
        descriptions = {key: said for key, said in self.descriptions.items() if key != name}
        if description is not None:
            descriptions[name] = description
        return Examples(
            self.tokens,
            attention_mask=self.attention_mask,
            columns=self.columns,
            labels=self.labels,
            positions=self.positions,
            concepts=concepts,
            answers=self.answers.values(),
            vocabulary=self.vocabulary,
            axes=self.axes,
            families=families,
            descriptions=descriptions,
            parse=self.parse,
        )

    def where(self, text: str) -> npt.NDArray[np.int64]:
        """Return the examples that a filter lets through, in order.

        Parameters
        ----------
        text
            Comparisons of concepts, such as ``"carry2 = 1 and L0 > 5"``: ``=``, ``!=``, ``<``,
            ``<=``, ``>``, ``>=``, joined by ``and``, ``or``, ``not`` and parentheses; values are
            compared as numbers where they are numbers. Any other text stands for the labels
            that contain it, whatever its case. Quotes go around names and values with spaces, and
            around any text with signs or these words in it.

        Returns
        -------
        ndarray
            Their indices, int64; all of them for an empty text.

        Raises
        ------
        TypeError, ValueError
            For what is no filter of these examples.

        See Also
        --------
        ClusterWidget.filtered : those of the filter on screen.

        Examples
        --------
        >>> problems = cw.addition.problems(1000, seed=0)
        >>> found = problems.where("carry2 = 1 and L0 > 5")
        >>> int(problems.concepts["L0"][found].min())
        6
        """
        return matching(text, self.concepts, self.labels)

    def _checked_labels(self, labels: Sequence[str] | None) -> list[str]:
        if labels is None:
            own = self.tokens if self.attention_mask is None else self.tokens[self.attention_mask]
            occurring = np.unique(own)
            texts = np.array([self.token_text(token) for token in occurring.tolist()], object)
            found: list[str] = []
            for start in range(0, len(self), _ROWS):
                part = slice(start, start + _ROWS)
                places = np.searchsorted(occurring, self.inputs.tokens[part])
                rows = texts[np.minimum(places, len(occurring) - 1)].tolist()
                if self.attention_mask is None:
                    found += map(" ".join, rows)
                else:
                    sizes = self.inputs.sizes[part].tolist()
                    found += [" ".join(row[:size]) for row, size in zip(rows, sizes, strict=True)]
        elif not several(labels):
            raise TypeError(
                f"labels must be one string for each example, not one string {shown(labels)}."
                if isinstance(labels, (str, bytes))
                else f"labels must be one string for each example, not {shown(labels)}."
            )
        else:
            found = [str(label) for label in labels]
        if len(found) != len(self.tokens):
            raise ValueError(
                f"there are {len(found):,} labels for {len(self.tokens):,} examples: give one "
                f"each, not {shown(labels)}."
            )
        try:
            "".join(found).encode()
        except UnicodeEncodeError:
            for label in found:
                text("the label", label)
        return found


def _checked_vocabulary(vocabulary: Vocabulary | None) -> Vocabulary | None:
    if is_tokenizer(vocabulary):
        return TextTokenizer(vocabulary)
    if vocabulary is None or callable(vocabulary):
        return vocabulary
    # No array is made of it: one of unequal parts would end in numpy's own words.
    listed = isinstance(vocabulary, str) or (
        isinstance(vocabulary, (Sequence, np.ndarray)) and several(vocabulary)
    )
    if listed and not any(several(entry) for entry in vocabulary if not isinstance(entry, str)):
        return vocabulary
    raise TypeError(
        "vocabulary must be a list of the tokens' texts or a function of a token's id, not "
        f"{shown(vocabulary)}; of a mapping, pass its get."
    )
