"""Text index: which tokens, words and short runs of tokens stand where in each example.

Built once for examples. Patterns are tokens, runs of two and three tokens, and words whatever their
case; one that is in fewer than three examples is left out, for nothing can be said of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterwidget.core.inputs import Inputs
from clusterwidget.core.tokenkinds import plain_text

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

LONGEST = 3
"""Tokens in the longest pattern."""
LEAST = 3
"""Examples that a pattern must be in."""
MOST = 20_000_000
"""Tokens of all examples together up to which an index is built."""


@dataclass(frozen=True)
class Patterns:
    """The patterns of one sort, such as runs of two tokens.

    Attributes
    ----------
    codes : numpy.ndarray of int32, shape (N, T)
        The pattern that ends at each token; -1 where none does.
    first : numpy.ndarray of bool, shape (N, T)
        Whether the pattern ends there for the first time in its example.
    length : numpy.ndarray of int, shape (N, T)
        Tokens of the pattern that ends there.
    places : numpy.ndarray of int, shape (patterns, 2)
        An example, and the token of it, where each pattern ends.
    """

    codes: Codes
    first: Bools
    length: npt.NDArray[np.int8]
    places: Ints

    def __len__(self) -> int:
        return len(self.places)


class TextIndex:
    """The patterns of examples.

    Parameters
    ----------
    inputs : Inputs
    text_of : function of a token
        What a token looks like.

    Raises
    ------
    ValueError
        For more than 20,000,000 tokens.
    """

    def __init__(self, inputs: Inputs, text_of: Callable[[int], str]) -> None:
        if inputs.tokens.size > MOST:
            raise ValueError(
                f"{len(inputs):,} examples of {inputs.width:,} tokens are more than {MOST:,} "
                "tokens, too many to look for patterns in: take fewer examples."
            )
        self._inputs = inputs
        own = np.arange(inputs.width) < inputs.sizes[:, None]
        tokens = np.where(own, inputs.tokens.astype(np.int64), -1)
        self._texts = {int(t): plain_text(text_of(int(t))) for t in np.unique(tokens[own])}
        self._spaced = any(text[:1].isspace() for text in self._texts.values())
        runs = [tokens]
        for length in range(2, LONGEST + 1):
            runs.append(_longer(runs[-1], tokens, length))
        self.sorts = [_patterns(run, n) for n, run in enumerate(runs, start=1)]
        if self._spaced:
            self.sorts.append(_patterns(*self._words(tokens)))

    def text(self, sort: int, pattern: int) -> str:
        """Return a pattern as it stands in a text; a word in small letters."""
        patterns = self.sorts[sort]
        example, end = patterns.places[pattern]
        start = end + 1 - int(patterns.length[example, end])
        pieces = [self._texts[int(t)] for t in self._inputs.tokens[example, start : end + 1]]
        joined = ("" if self._spaced else " ").join(pieces)
        return joined.strip().lower() if self.is_word(sort) else joined

    def is_word(self, sort: int) -> bool:
        """Return whether the patterns of a sort are words, whatever their case."""
        return sort == LONGEST

    def _words(self, tokens: Ints) -> tuple[Ints, npt.NDArray[np.int8]]:
        """Return the word that ends at each token, -1 where none does, and how many tokens it has.

        A word that is always one and the same token is left out: it is a pattern already.
        """
        found = np.full(tokens.shape, -1, np.int64)
        lengths = np.zeros(tokens.shape, np.int8)
        codes: dict[str, int] = {}
        spelled: list[set[tuple[int, ...]]] = []
        for row, line in enumerate(tokens.tolist()):
            start = 0
            for at, token in enumerate(line):
                if token < 0:
                    break
                following = line[at + 1] if at + 1 < len(line) else -1
                if following >= 0 and self._goes_on(token, following):
                    continue
                word = "".join(self._texts[t] for t in line[start : at + 1]).strip().lower()
                if any(map(str.isalnum, word)) and at - start < np.iinfo(np.int8).max:
                    code = codes.setdefault(word, len(codes))
                    if code == len(spelled):
                        spelled.append(set())
                    if len(spelled[code]) < 2:
                        spelled[code].add(tuple(line[start : at + 1]))
                    found[row, at], lengths[row, at] = code, at + 1 - start
                start = at + 1
        kept = np.array(
            [len(ways) > 1 or len(next(iter(ways))) > LONGEST for ways in spelled] or [False]
        )
        found[(found >= 0) & ~kept[found]] = -1
        return found, lengths

    def _goes_on(self, token: int, following: int) -> bool:
        """Return whether a token goes on with the word that another one has begun."""
        before, after = self._texts[token][-1:], self._texts[following][:1]
        return before.isalnum() and after.isalnum()


def _longer(run: Ints, tokens: Ints, length: int) -> Ints:
    """Return runs of one more token, numbered; -1 where they would begin before the text."""
    found = np.full(tokens.shape, -1, np.int64)
    if tokens.shape[1] < length:
        return found
    before, last = run[:, :-1], tokens[:, 1:]
    there = (before >= 0) & (last >= 0)
    joint = before[there] * (int(tokens.max()) + 1) + last[there]
    # Numbered anew, so that the next product stays small.
    found[:, 1:][there] = np.unique(joint, return_inverse=True)[1]
    return found


def _patterns(run: Ints, length: int | npt.NDArray[np.int8]) -> Patterns:
    """Return the patterns that are in enough examples, numbered from 0."""
    rows, columns = np.nonzero(run >= 0)
    values = run[rows, columns]
    size = int(values.max(initial=-1)) + 1
    # np.nonzero goes through a row from left to right: the first of equals is the first in it.
    firsts = np.unique(rows * size + values, return_index=True)[1]
    counts = np.bincount(values[firsts], minlength=size)
    kept = np.flatnonzero(counts >= LEAST)
    number = np.full(size, -1, np.int32)
    number[kept] = np.arange(len(kept))
    codes = np.full(run.shape, -1, np.int32)
    codes[rows, columns] = number[values]
    first = np.zeros(run.shape, bool)
    first[rows[firsts], columns[firsts]] = True
    first &= codes >= 0
    places = np.zeros((len(kept), 2), np.int64)
    where = firsts[number[values[firsts]] >= 0]
    places[codes[rows[where], columns[where]]] = np.stack([rows[where], columns[where]], axis=1)
    lengths = np.broadcast_to(np.asarray(length, np.int8), run.shape)
    return Patterns(codes, first, lengths, places)
