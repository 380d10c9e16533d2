"""Swap tests: whether examples that are near, or share a concept, can stand in for each other.

Resampling ablation under a hypothesis, after Chan et al., "Causal scrubbing" (2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.questions import Question
from clusterwidget.core.stages import Stage
from clusterwidget.results.pairs import CONDITIONS, NEAR
from clusterwidget.results.recovered import recovered
from clusterwidget.results.verdict import NO_MATTER, Verdict, verdict

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
        The concept whose value donors share under the conditions ``concept`` and ``far``.
    answer : str
        The answer that the verdict is about.
    verdict : "enough", "insufficient" or "irrelevant"
    sentence : str
        The verdict in words.
    table : pandas.DataFrame
        One row for each answer and condition: ``answer``, ``title``, ``condition``, ``pairs``;
        ``loss`` in nats; ``right``, the share of pairs whose answer is right; ``recovered`` with
        its 95 % interval ``low`` to ``high``, NaN where the stage does not matter for the answer;
        ``unusual``, the distance of the activations after the swap to the nearest reference
        activation, over its usual size, median over the first 256 pairs. And for comparison
        ``cost``, the loss that random swaps add, ``right_without`` a swap, and ``right_constant``,
        of always giving the same answer.

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
    sentence: str
    table: pd.DataFrame

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
        word, sentence = verdict(bars, self.concept, str(bars["title"].iloc[0]))
        return replace(self, answer=answer, verdict=word, sentence=sentence)

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
        plain = {**asdict(self), "stage": str(self.stage)}
        table = self.table.astype(object).where(self.table.notna(), None)
        return {**plain, "table": table.to_dict("records")}

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
        return cls(**{**document, "stage": Stage.parse(document["stage"]), "table": table})


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
            "answer": test.answer,
            "concept": test.concept,
            "far": kept(test, "far"),
            "near": kept(test, "near"),
            "sentence": test.sentence,
        }
        for test in tests
    ]
    names = ["stage", "verdict", "answer", "concept", "far", "near", "sentence"]
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
    """

    done: int
    loss: dict[str, Floats]
    right: dict[str, Floats]
    unusual: dict[str, Floats]
    right_tokens: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, conditions: Sequence[str], pairs: int, answers: int) -> Outcomes:
        """Return the outcomes before any pair was run."""

        def nothing() -> dict[str, Floats]:
            return {name: np.full((pairs, answers), np.nan) for name in (WITHOUT, *conditions)}

        return cls(0, nothing(), nothing(), nothing(), np.full((pairs, answers), -1))


def concluded(
    stage: Stage,
    concept: str | None,
    answers: Sequence[tuple[int, Question]],
    outcomes: Outcomes,
    seed: int,
) -> SwapTest:
    """Return the test that outcomes amount to, its verdict on what random swaps cost most.

    Parameters
    ----------
    answers : sequence of (index, Question)
        The answers that the stage can reach.
    """
    rows = [row for at, question in answers for row in _rows(at, question, outcomes, seed)]
    table = pd.DataFrame(rows)
    worst = str(table["answer"].iloc[int(table["cost"].argmax())])
    test = SwapTest(stage, concept, worst, "irrelevant", "", table).about(worst)
    return replace(test, sentence=NO_MATTER) if test.verdict == "irrelevant" else test


def _rows(at: int, question: Question, outcomes: Outcomes, seed: int) -> list[dict[str, Any]]:
    done = slice(outcomes.done)
    without, random = (outcomes.loss[name][done, at] for name in (WITHOUT, "random"))
    _, counts = np.unique(outcomes.right_tokens[done, at], return_counts=True)
    rows = []
    for condition in CONDITIONS:
        if condition not in outcomes.loss:
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
                "right_without": _mean(outcomes.right[WITHOUT][done, at]),
                "right_constant": float(counts.max() / counts.sum()),
            }
        )
    return rows


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _median(values: Floats) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
