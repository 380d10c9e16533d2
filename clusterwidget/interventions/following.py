"""Following: what answers become by their rules with another value of a concept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.concepts import Partition
from clusterwidget.core.examples import Examples
from clusterwidget.core.questions import Question
from clusterwidget.core.rules import UNKNOWN, Change, change_of
from clusterwidget.interventions.pairs import draw_matched
from clusterwidget.results.follows import Asked, Followed, follows_table
from clusterwidget.results.pairs import NOBODY, Pairs
from clusterwidget.results.swaptest import WITHOUT, Outcomes

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Following:
    """Which answers a concept decides by their rules.

    Parameters
    ----------
    examples : Examples
    answers : sequence of Question
    reached : sequence of int
        Indices of the answers that the stage can reach.
    concept : Partition
    names : sequence of sequences of str
        The concepts that it is made of, each with the other names that it goes by.
    """

    def __init__(
        self,
        examples: Examples,
        answers: Sequence[Question],
        reached: Sequence[int],
        concept: Partition,
        names: Sequence[Sequence[str]],
    ) -> None:
        self.concept = concept
        self._examples = examples
        self._answers = answers
        self._reached = list(reached)
        self._changes: dict[int, Change] = {}
        for at in reached:
            answer = examples.answers.get(answers[at].name)
            if answer is None or not answer.rule:
                continue
            tokens = np.asarray(answer.tokens, np.int64)
            change = change_of(answer.rule, tokens, examples.concepts, names)
            if change is not None:
                self._changes[at] = change

    def __bool__(self) -> bool:
        return bool(self._changes)

    def matched(self, known: Sequence[Partition], receivers: Ints, seed: int) -> Ints:
        """Return donors that differ in the concept and in as little else as there is.

        Parameters
        ----------
        known : sequence of Partition
            What is to be alike, the concept itself aside.
        receivers : numpy.ndarray of int, shape (n,)
        seed : int
        """
        others = [part for part in known if part.name != self.concept.name]
        return draw_matched(self.concept, others, receivers, seed)

    def table(self, pairs: Pairs, outcomes: Outcomes, how: str) -> pd.DataFrame:
        """Return `follows_table` of the runs that were made."""
        any_pairs = "any" if how == "part" else "random"
        kinds = {"any": (any_pairs, pairs.donors["random"])}
        if pairs.matched is not None:
            kinds["matched"] = ("matched", pairs.matched)
        done = slice(outcomes.done)
        receivers, right = pairs.receivers[done], outcomes.right_tokens[done]
        random = outcomes.answered["random"][done]
        followed = {}
        for kind, (runs, donors) in kinds.items():
            target = self._targets(receivers, donors[done])
            # Of matched pairs the random donors are others anyway.
            other = target
            if kind == "any":
                other = self._targets(receivers, np.roll(donors[done], 1))
            answered = outcomes.answered[runs][done]
            followed[kind] = Followed(answered, right, target, random, other)
        asked = [Asked(self._answers[at].name, self._answers[at].title, at) for at in self._changes]
        return follows_table(asked, self._reached, outcomes.answered[WITHOUT][done], followed)

    def _targets(self, receivers: Ints, donors: Ints) -> Ints:
        """Return what each answer becomes by its rule, shape (n, answers); `UNKNOWN` for none."""
        targets = np.full((len(receivers), len(self._answers)), UNKNOWN, np.int64)
        there = donors != NOBODY
        codes = self.concept.codes
        there &= (codes[receivers] >= 0) & (codes[donors] >= 0)
        there &= codes[receivers] != codes[donors]
        for at, change in self._changes.items():
            targets[there, at] = change.tokens(
                self._examples.concepts, receivers[there], donors[there]
            )
        return targets


class PartsPutIn:
    """The vectors of receivers with the donors' part of a concept in place of their own.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (N, d)
    concept : Partition
    """

    def __init__(self, vectors: Float32Array, concept: Partition) -> None:
        self._vectors, self._codes = vectors, concept.codes
        sums = np.zeros((len(concept.groups), vectors.shape[1]))
        known = self._codes >= 0
        np.add.at(sums, self._codes[known], vectors[known])
        self._means = (sums / np.maximum(concept.sizes, 1)[:, None]).astype(np.float32)

    def of(self, receivers: Ints, donors: Ints) -> Float32Array:
        """Return ``x - mean[c(receiver)] + mean[c(donor)]``, shape (n, d)."""
        own, other = self._codes[receivers], self._codes[donors]
        change = self._means[other] - self._means[own]
        change[(own < 0) | (other < 0)] = 0
        put: Float32Array = self._vectors[receivers] + change
        return put
