"""Examples: the inputs that are compared, and what is known about each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

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

Vocabulary = Sequence[str] | Callable[[int], str]


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
    vocabulary : sequence of strings, or a function of a token's id, optional
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
        """What a model is fed of each example."""
        return Inputs.of(self.tokens, self.attention_mask, self.columns)

    @cached_property
    def places(self) -> Places:
        """The names of the positions, and where they are in each example."""
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
            texts = {int(token): self.token_text(int(token)) for token in np.unique(own)}
            rows = zip(self.inputs.tokens.tolist(), self.inputs.sizes.tolist(), strict=True)
            found = [" ".join(texts[token] for token in row[:size]) for row, size in rows]
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
