"""Swaps: run one example with another's vector put in at a stage, and see what is answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from clusterwidget.core.checks import checked_index, shown, unmasked
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.questions import require_reached
from clusterwidget.core.stages import Stage
from clusterwidget.interventions.runs import Run, start_of
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.batch import Batch
from clusterwidget.model.hooks import check_inputs
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
    (own, own_row), (other, other_row) = _inputs(bench, receiver), _inputs(bench, donor)
    if bench.stage_set.layout is None and own.width != other.width:
        raise ValueError(
            f"the receiver has {own.width} tokens and the donor {other.width}: a vector can "
            "only be put in at the same position of an input of the same length."
        )
    for inputs in (own, other):
        _check_inputs(bench, inputs)
    column = bench.column(stage)
    require_reached(bench.answers, column, stage)
    start = start_of(stage, patcher.last)
    values = patcher.vectors(patcher.batch(other), stage)
    one = patcher.batch(own)

    def swapped(batch: Batch) -> Run:
        return patcher.patched(batch, stage, values, patcher.run(batch, start))

    before = bench.answered(one, patcher.run, free=free)
    after = bench.answered(one, swapped, free=free)
    apart = np.array([[own_row, other_row]])

    def unusual() -> float:
        ratios = bench.unusual(after, apart, column)
        return float(np.nanmax(ratios)) if np.isfinite(ratios).any() else float("nan")

    return Swap(stage, _table(bench, own_row, column, before, after), free, unusual)


def _inputs(bench: Workbench, chosen: Chosen) -> tuple[Inputs, int]:
    """Return the inputs of one example or row of tokens, and which example it is, if it is one."""
    if not isinstance(chosen, (list, tuple)) and getattr(chosen, "ndim", 0) == 0:
        row = checked_index(chosen, len(bench.examples))  # type: ignore[arg-type]
        return bench.examples.inputs[row : row + 1], row
    if bench.stage_set.layout is not None:
        raise ValueError(
            f"{shown(chosen)} is a row of tokens, and nothing says where the positions are in it: "
            "in these examples they are other tokens in each. Give the index of an example."
        )
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
    return Inputs(tokens[None]), NOBODY


def _check_inputs(bench: Workbench, inputs: Inputs) -> None:
    wanted = bench.examples.inputs.width
    if inputs.width != wanted:
        raise ValueError(
            f"the rows have {inputs.width} tokens and the examples {wanted}: positions are "
            "named for rows of that length."
        )
    least = inputs.tokens.min()
    if least < 0:
        raise ValueError(f"tokens must not be negative, but {least} occurs.")
    check_inputs(bench.model, inputs)


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
