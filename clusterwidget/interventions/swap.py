"""Swaps: run one example with another's vector put in at a stage, and see what is answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from clusterwidget.core.checks import checked_index, shown, unmasked
from clusterwidget.core.questions import require_reached
from clusterwidget.core.stages import Stage
from clusterwidget.interventions.runs import Run, start_of
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.hooks import check_tokens
from clusterwidget.results.pairs import NOBODY
from clusterwidget.results.swap import Swap

Chosen = int | Sequence[int] | npt.NDArray[np.integer]
"""An example by its index, or a row of tokens."""


def swap(bench: Workbench, stage: Stage, receiver: Chosen, donor: Chosen, *, free: bool) -> Swap:
    """Run `receiver` with `donor`'s vector at a stage.

    The donor is run as it stands; the receiver with the right earlier answers in its input, or,
    where `free`, with those that the model gives after the swap.
    """
    patcher = bench.patcher
    patcher.carrier(stage)
    (own, own_row), (other, other_row) = _tokens(bench, receiver), _tokens(bench, donor)
    if own.shape != other.shape:
        raise ValueError(
            f"the receiver has {own.shape[1]} tokens and the donor {other.shape[1]}: a vector can "
            "only be put in at the same position of an input of the same length."
        )
    for row in (own, other):
        _check_tokens(bench, row)
    column = bench.column(stage)
    require_reached(bench.answers, column, stage)
    start = start_of(stage, patcher.last)
    values = patcher.vectors(patcher.tensor(other), stage)
    tokens = patcher.tensor(own)

    def swapped(batch: torch.Tensor) -> Run:
        return patcher.patched(batch, stage, values, patcher.run(batch, start))

    before = bench.answered(tokens, patcher.run, free=free)
    after = bench.answered(tokens, swapped, free=free)
    apart = np.array([[own_row, other_row]])
    ratios = bench.unusual(after, apart, column)
    return Swap(
        stage,
        _table(bench, own_row, column, before, after),
        float(np.nanmax(ratios)) if np.isfinite(ratios).any() else float("nan"),
        free,
    )


def _tokens(bench: Workbench, chosen: Chosen) -> tuple[npt.NDArray[np.integer], int]:
    """Return a row of tokens, shape (1, T), and which example it is, if it is one."""
    if not isinstance(chosen, (list, tuple)) and getattr(chosen, "ndim", 0) == 0:
        row = checked_index(chosen, len(bench.examples))  # type: ignore[arg-type]
        return bench.examples.tokens[row][None], row
    unmasked("the tokens of the receiver and the donor", chosen)
    try:
        tokens = np.asarray(chosen)
    except ValueError:
        tokens = np.empty(0)
    if tokens.ndim != 1 or not np.issubdtype(tokens.dtype, np.integer):
        raise TypeError(
            "the receiver and the donor are each the index of an example or one row of tokens, "
            f"not {shown(chosen)}."
        )
    return tokens[None], NOBODY


def _check_tokens(bench: Workbench, tokens: npt.NDArray[np.integer]) -> None:
    wanted = bench.examples.tokens.shape[1]
    if tokens.shape[1] != wanted:
        raise ValueError(
            f"the rows have {tokens.shape[1]} tokens and the examples {wanted}: positions are "
            "named for rows of that length."
        )
    if tokens.min() < 0:
        raise ValueError(f"tokens must not be negative, but {tokens.min()} occurs.")
    check_tokens(bench.model, tokens)


def _table(bench: Workbench, receiver: int, column: int, before: Run, after: Run) -> pd.DataFrame:
    text = bench.examples.token_text
    rows = []
    for at, question in enumerate(bench.answers):
        said, chance = _top(before.logits[0, at])
        said_after, chance_after = _top(after.logits[0, at])
        known = question.right is not None and receiver != NOBODY
        right = int(question.right[receiver]) if known else said  # type: ignore[index]
        rows.append(
            {
                "answer": question.name,
                "title": question.title,
                "right": text(right),
                "before": text(said),
                "before_probability": chance,
                "after": text(said_after),
                "after_probability": chance_after,
                "changed": said_after != said,
                "reached": question.reached_from(column),
            }
        )
    return pd.DataFrame(rows)


def _top(logits: torch.Tensor) -> tuple[int, float]:
    token = int(logits.argmax())
    return token, float(torch.softmax(logits, dim=-1)[token])
