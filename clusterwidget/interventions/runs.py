"""Runs: what a batch led to, and running a part of a model's layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from clusterwidget.core.stages import Stage
from clusterwidget.interventions.prefix import Prefix
from clusterwidget.model.batch import Index, Rows
from clusterwidget.model.hooks import Model

Hook = tuple[str, Callable[..., "torch.Tensor | None"]]


@dataclass(frozen=True)
class Start:
    """What a batch held at one layer before anything was replaced.

    Attributes
    ----------
    entering : torch.Tensor, shape (batch, T, d_model)
        The residual stream that enters the layer.
    z : torch.Tensor, shape (batch, T, heads, d_head), or None
        Of the layer's heads, where the model has them.
    leaving : torch.Tensor, shape (batch, T, d_model), or None
        The residual stream after the layer.
    prefix : Prefix or None
        Keys and values from the layer up, where the model can do without the tokens before one.
    """

    entering: torch.Tensor
    z: torch.Tensor | None = None
    leaving: torch.Tensor | None = None
    prefix: Prefix | None = None


@dataclass(frozen=True)
class Run:
    """What a batch led to.

    Attributes
    ----------
    logits : torch.Tensor, shape (batch, answers, d_vocab), float32
        At the positions of the answers.
    final : torch.Tensor, shape (batch, answers, d_model)
        The residual stream after the last layer, there.
    start : Start or None
        Where patched runs of the batch can start.
    """

    logits: torch.Tensor
    final: torch.Tensor
    start: Start | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        start = self.start
        held = [self.logits, self.final]
        if start is not None:
            held += [one for one in (start.entering, start.z, start.leaving) if one is not None]
        prefix = 0 if start is None or start.prefix is None else start.prefix.nbytes
        return prefix + sum(one.numel() * one.element_size() for one in held)


def joined(parts: Sequence[tuple[Rows, Run]]) -> Run:
    """Return one run of parts of a batch, each with its rows."""
    n = sum(len(run.logits) for _, run in parts)
    first = parts[0][1]
    logits = first.logits.new_empty((n, *first.logits.shape[1:]))
    final = first.final.new_empty((n, *first.final.shape[1:]))
    for rows, run in parts:
        logits[rows], final[rows] = run.logits, run.final
    return Run(logits, final)


@contextmanager
def skipping(
    model: Model,
    start: int,
    end: int,
    output: Any,
    passed_on: Callable[[torch.Tensor], Any],
) -> Iterator[None]:
    """Have the blocks below `start` return this at once, and those above `end` what enters them.

    Bridges run the blocks below, and drop what they return.
    """
    blocks = list(getattr(model, "blocks", ()))
    below, above = blocks[:start], blocks[end + 1 :]
    skipped = [*below, *above]
    before = [block.__dict__.get("forward") for block in skipped]
    for block in below:
        object.__setattr__(block, "forward", lambda *_, **__: output)
    for block in above:
        object.__setattr__(block, "forward", lambda stream, *_, **__: passed_on(stream))
    try:
        yield
    finally:
        for block, forward in zip(skipped, before, strict=True):
            if forward is None:
                object.__delattr__(block, "forward")
            else:
                object.__setattr__(block, "forward", forward)


def start_of(stage: Stage, last: int) -> int:
    """Return the layer from which a run with this stage replaced can start."""
    return last if stage.kind == "ln_final" else stage.layer or 0


def keep(kept: list[torch.Tensor], index: Index | None = None) -> Callable[..., None]:
    """Return a hook that appends what fires, at some positions or at all, to a list."""

    def fired(activation: torch.Tensor, hook: Any) -> None:
        kept.append((activation if index is None else activation[index]).clone())

    return fired


def per_head(v: torch.Tensor, heads: int) -> torch.Tensor:
    """Return values, (batch, T, heads of v, d_head), repeated for the heads that share them."""
    return v.repeat_interleave(heads // v.shape[2], dim=2)
