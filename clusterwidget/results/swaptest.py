"""Swap tests: whether examples that are near, or share a concept, can stand in for each other.

Resampling ablation under a hypothesis, after Chan et al., "Causal scrubbing" (2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.questions import Question
from clusterwidget.core.stages import Stage
from clusterwidget.results.follows import COLUMNS, KINDS, Sets, follows_sentence, sets_of
from clusterwidget.results.pairs import CONDITIONS, NEAR
from clusterwidget.results.recovered import mean_interval, recovered
from clusterwidget.results.verdict import NO_MATTER, Verdict, does_not_matter, verdict

Floats = npt.NDArray[np.float64]

WITHOUT = "without"
"""Stands among the conditions for the run without a swap."""


@dataclass(frozen=True)
class SwapTest:
    """What swaps at a stage do to the answers.

    Attributes
    ----------
    stage : Stage
    concept : str or None
        The concept whose value donors share under the conditions ``concept`` and ``far``; several,
        whose values they all share, are joined by "and".
    answer : str
        The answer that the verdict is about.
    verdict : "enough", "insufficient", "irrelevant" or "undecided"
        "enough": nothing else that the stage holds matters; the lower ends of what is recovered are
        above 0.9. "irrelevant": any example's vector does as well; random swaps cost less than 0.05
        nats, the upper end, and change fewer than 1 % of answers. "undecided": there are too few
        pairs to tell.
    sets : "sets", "shares", "no" or None
        Whether the stage sets the answer by this concept, shares in it with others, or does not;
        None where no rule says what would follow. See `results.follows`.
    sentence : str
        The verdict in words.
    table : pandas.DataFrame
        One row for each answer and condition: ``answer``, ``title``, ``condition``, ``pairs``;
        ``loss`` in nats; ``right``, the share of pairs whose answer is right; ``recovered`` with
        its 95 % interval ``low`` to ``high``, NaN where the stage does not matter for the answer;
        ``unusual``, the distance of the activations after the swap to the nearest reference
        activation, over its usual size, median over the first 256 pairs. And for comparison
        ``cost``, the loss that random swaps add, with its 95 % interval ``cost_low`` to
        ``cost_high``, the share of answers that they have ``changed``, ``right_without`` a swap,
        and ``right_constant``, of always giving the same answer.
    follows : pandas.DataFrame
        One row for each answer that a rule says to depend on the concept, and each kind of pairs:
        see `results.follows.follows_table`.
    how : "vector" or "part"
        What is put in where it is asked whether the answer follows: the donor's whole vector, or
        only its mean of the concept's value in place of the receiver's.

    See Also
    --------
    Explorer.swap_test, Explorer.swap_tests

    Examples
    --------
    >>> test = ex.swap_test("L1H0.result@S3", pairs=100)
    >>> test.verdict, test.concept, test.answer
    ('enough', 'carry2', 'S2')
    """

    stage: Stage
    concept: str | None
    answer: str
    verdict: Verdict
    sets: Sets | None
    sentence: str
    table: pd.DataFrame
    follows: pd.DataFrame
    how: str = "vector"

    def __str__(self) -> str:
        return f"{self.stage}: {self.sentence}"

    def about(self, answer: str) -> SwapTest:
        """Return the same test with the verdict on another answer.

        Raises
        ------
        ValueError
            Where the stage does not reach the answer.

        See Also
        --------
        bars

        Examples
        --------
        >>> ex.swap_test("L1H0.result@S3", pairs=100).about("S1").verdict
        'irrelevant'
        """
        bars = self.bars(answer)
        if bars.empty:
            reached = ", ".join(self.table["answer"].unique())
            raise ValueError(
                f"{self.stage} comes after the answer {answer!r} has been read: it does not reach "
                f"it and cannot matter for it. It reaches {reached}."
            )
        title = str(bars["title"].iloc[0])
        word, sentence = verdict(bars, self.concept, title)
        rows = self.follows[self.follows["answer"] == answer]
        sets = None
        if word != "irrelevant" and self.concept is not None and len(rows):
            sets = sets_of(rows)
            sentence += " " + follows_sentence(rows, self.concept, title)
        return replace(self, answer=answer, verdict=word, sets=sets, sentence=sentence)

    def bars(self, answer: str) -> pd.DataFrame:
        """Return the rows of one answer, indexed by condition.

        See Also
        --------
        about

        Examples
        --------
        >>> bars = ex.swap_test("L1H0.result@S3", pairs=100).bars("S2")
        >>> bars.index.tolist()
        ['nearest', 'near', 'concept', 'far', 'random', 'mean']
        >>> bool(bars.loc["far", "recovered"] > 0.9)
        True
        """
        return self.table[self.table["answer"] == answer].set_index("condition")

    def document(self) -> dict[str, Any]:
        """Return the test as plain values, for JSON.

        See Also
        --------
        of_document : the inverse.

        Examples
        --------
        >>> ex.swap_test("L1H0.result@S3", pairs=100).document()["stage"]
        'L1H0.result@S3'
        """
        plain = {name: getattr(self, name) for name in _FIELDS}
        return {
            **plain,
            "stage": str(self.stage),
            "table": _records(self.table),
            "follows": _records(self.follows),
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> SwapTest:
        """Return the test that `document` made plain values of.

        See Also
        --------
        document : the inverse.

        Examples
        --------
        >>> test = ex.swap_test("L1H0.result@S3", pairs=100)
        >>> type(test).of_document(test.document()).sentence == test.sentence
        True
        """
        table = pd.DataFrame(document["table"])
        numbers = table.columns.difference(["answer", "title", "condition", "pairs"])
        table[numbers] = table[numbers].astype(float)
        follows = pd.DataFrame(document["follows"], columns=list(COLUMNS))
        numbers = follows.columns.difference(["answer", "title", "pairs", "n"])
        follows[numbers] = follows[numbers].astype(float)
        stage = Stage.parse(document["stage"])
        return cls(**{**document, "stage": stage, "table": table, "follows": follows})


HOW = ("vector", "part")
"""What is put in to see whether the answer follows."""

_FIELDS = ("stage", "concept", "answer", "verdict", "sets", "sentence", "how")


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


def condition_texts(concept: str | None) -> dict[str, str]:
    """Return what the conditions are called on screen."""
    texts = {
        "nearest": "its nearest neighbor",
        "near": f"one of the {NEAR} nearest",
        "concept": f"same {concept}",
        "far": f"same {concept}, far away",
        "random": "any example",
        "mean": "the mean of all",
    }
    return texts if concept else {n: t for n, t in texts.items() if n not in ("concept", "far")}


def verdicts(tests: Sequence[SwapTest]) -> pd.DataFrame:
    """Return the verdicts of tests, indexed by stage: see `Explorer.swap_tests`."""

    def kept(test: SwapTest, condition: str) -> float:
        bars = test.bars(test.answer)["recovered"]
        return float(bars.get(condition, np.nan))

    rows = [
        {
            "stage": str(test.stage),
            "verdict": test.verdict,
            "sets": test.sets,
            "answer": test.answer,
            "concept": test.concept,
            "far": kept(test, "far"),
            "near": kept(test, "near"),
            "sentence": test.sentence,
        }
        for test in tests
    ]
    names = ["stage", "verdict", "sets", "answer", "concept", "far", "near", "sentence"]
    return pd.DataFrame(rows, columns=names).set_index("stage")


@dataclass
class Outcomes:
    """What came of the pairs so far; rows of pairs that were not run yet are NaN.

    Attributes
    ----------
    done : int
        How many pairs were run.
    loss, right, unusual : dict of condition to numpy.ndarray, shape (pairs, answers)
        `WITHOUT` is among the conditions, less its `unusual`.
    right_tokens : numpy.ndarray, shape (pairs, answers)
    answered : dict of condition to numpy.ndarray, shape (pairs, answers)
        The tokens that came out, of `WITHOUT`, of random donors and of those runs that ask whether
        the answer follows; -1 where there was no run.
    """

    done: int
    loss: dict[str, Floats]
    right: dict[str, Floats]
    unusual: dict[str, Floats]
    right_tokens: npt.NDArray[np.int64]
    answered: dict[str, npt.NDArray[np.int64]]

    def do_not_matter(self, answers: Sequence[int]) -> bool:
        """Tell whether random donors changed none of these answers, and cost hardly anything."""
        done = slice(self.done)
        for at in answers:
            lost = self.loss["random"][done, at] - self.loss[WITHOUT][done, at]
            changed = self.answered["random"][done, at] != self.answered[WITHOUT][done, at]
            if changed.any() or not does_not_matter(mean_interval(lost)[1], 0.0):
                return False
        return True

    @classmethod
    def empty(cls, conditions: Sequence[str], pairs: int, answers: int) -> Outcomes:
        """Return the outcomes before any pair was run."""

        def nothing() -> dict[str, Floats]:
            return {name: np.full((pairs, answers), np.nan) for name in (WITHOUT, *conditions)}

        none = np.full((pairs, answers), -1)
        answered = {name: none.copy() for name in (WITHOUT, *conditions, *KINDS)}
        return cls(0, nothing(), nothing(), nothing(), none, answered)


def concluded(
    stage: Stage,
    concept: str | None,
    answers: Sequence[tuple[int, Question]],
    outcomes: Outcomes,
    follows: pd.DataFrame,
    settings: tuple[int, str],
) -> SwapTest:
    """Return the test that outcomes amount to, its verdict on what random swaps cost most.

    Parameters
    ----------
    stage : Stage
    concept : str or None
    answers : sequence of (index, Question)
        The answers that the stage can reach.
    outcomes : Outcomes
    follows : pandas.DataFrame
    settings : tuple
        The seed of the bootstrap, and `how`.
    """
    seed, how = settings
    rows = [row for at, question in answers for row in _rows(at, question, outcomes, seed)]
    table = pd.DataFrame(rows)
    worst = str(table["answer"].iloc[int(table["cost"].argmax())])
    test = SwapTest(stage, concept, worst, "irrelevant", None, "", table, follows, how)
    test = test.about(worst)
    return replace(test, sentence=NO_MATTER) if test.verdict == "irrelevant" else test


def _rows(at: int, question: Question, outcomes: Outcomes, seed: int) -> list[dict[str, Any]]:
    done = slice(outcomes.done)
    without, random = (outcomes.loss[name][done, at] for name in (WITHOUT, "random"))
    _, counts = np.unique(outcomes.right_tokens[done, at], return_counts=True)
    changed = outcomes.answered["random"][done, at] != outcomes.answered[WITHOUT][done, at]
    cost_low, cost_high = mean_interval(random - without)
    rows = []
    for condition in CONDITIONS:
        if condition not in outcomes.loss or not np.isfinite(outcomes.loss[condition][done]).any():
            continue
        loss = outcomes.loss[condition][done, at]
        share = recovered(loss, random, without, seed)
        rows.append(
            {
                "answer": question.name,
                "title": question.title,
                "condition": condition,
                "pairs": int(np.isfinite(loss).sum()),
                "loss": _mean(loss),
                "right": _mean(outcomes.right[condition][done, at]),
                "recovered": share.share,
                "low": share.low,
                "high": share.high,
                "unusual": _median(outcomes.unusual[condition][done, at]),
                "cost": float((random - without).mean()),
                "cost_low": cost_low,
                "cost_high": cost_high,
                "changed": float(changed.mean()),
                "right_without": _mean(outcomes.right[WITHOUT][done, at]),
                "right_constant": float(counts.max() / counts.sum()),
            }
        )
    return rows


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _median(values: Floats) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
