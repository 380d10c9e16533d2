"""Workbench: what all interventions on a model and examples share."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.examples import Examples
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.questions import questions
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.alignment import Alignment
from clusterwidget.interventions.patching import Patcher
from clusterwidget.interventions.runs import Run
from clusterwidget.interventions.usual import MOST_REFERENCES, UsualRange, references_for
from clusterwidget.model.batch import Batch
from clusterwidget.model.hooks import Model, is_causal

Ints = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]


_MOST_BYTES = 1 << 28
"""Bound of the runs that are kept for the next stage."""


class Workbench:
    """A model, its examples and their answers, for interventions.

    Parameters
    ----------
    model : Model
    examples : Examples
    stage_set : StageSet
        The model's stages.
    """

    def __init__(self, model: Model, examples: Examples, stage_set: StageSet) -> None:
        self.model = model
        self.examples = examples
        self.stage_set = stage_set
        self.causal = is_causal(model)
        self.answers = questions(examples, causal=self.causal)
        self._usual: UsualRange | None = None
        self._kept: OrderedDict[tuple[int, bytes], Run] = OrderedDict()
        self.patcher = Patcher(model, stage_set, [question.column for question in self.answers])

    @cached_property
    def references(self) -> Ints:
        """The reference examples: all, or 2,000 random ones where there are more."""
        n = len(self.examples)
        chosen = np.random.default_rng(0).choice(n, min(n, MOST_REFERENCES), replace=False)
        return np.sort(chosen)

    @cached_property
    def usual_references(self) -> Ints:
        """The reference examples that define the usual range: fewer for a large model."""
        inputs, known = self.examples.inputs, self.references
        count = references_for(self.model.cfg, inputs.width)
        if count >= len(known):
            return known
        return np.sort(np.random.default_rng(0).choice(known, count, replace=False))

    @property
    def is_small(self) -> bool:
        """Whether the model is so small that thousands of runs take no time."""
        cfg, width = self.model.cfg, self.examples.inputs.width
        return references_for(cfg, width) >= MOST_REFERENCES

    def extended(self, examples: Examples) -> Workbench:
        """Return a workbench of these examples and further ones, with the same references."""
        # Looked up here, so that the copy has them too.
        assert len(self.usual_references) <= len(self.references)
        other = copy.copy(self)
        other.examples = examples
        other.answers = questions(examples, causal=self.causal)
        # By number, an example of one workbench is another one's.
        other._kept = OrderedDict()
        return other

    @property
    def usual(self) -> UsualRange:
        """The model's last activations on the reference examples."""
        self.get_ready()
        assert self._usual is not None
        return self._usual

    def get_ready(self, watch: Watch | None = None) -> None:
        """Run the reference examples once; their final activations define the usual range."""
        if self.is_ready():
            return
        inputs = self.examples.inputs[self.usual_references]
        size = self.patcher.batch_size(inputs.width)
        seen: list[torch.Tensor] = []
        self.patcher.can_resume(self.patcher.batch(inputs[:1]))
        with (watch or Watch()).bar(len(inputs)) as watch:
            for start in range(0, len(inputs), size):
                batch = self.patcher.batch(inputs[start : start + size])
                seen.append(self.patcher.run(batch).final)
                watch.step(min(start + size, len(inputs)), len(inputs))
                # Between two batches another request may have run them all.
                if self.is_ready():
                    return
        self._usual = UsualRange(self.usual_references, torch.cat(seen).float().cpu().numpy())

    def is_ready(self) -> bool:
        """Whether the reference examples were run."""
        return self._usual is not None

    def batch(self, rows: Ints) -> Batch:
        """Return some examples as a batch."""
        return self.patcher.batch(self.examples.inputs[rows])

    def one(self, example: int) -> Batch:
        """Return one example as a batch."""
        return self.batch(np.array([example]))

    @property
    def donors(self) -> Inputs:
        """The examples whose activations can be put in."""
        return self.examples.inputs

    def aligned(self, others: Inputs) -> Alignment | None:
        """Return which tokens of others are put in; None where position p is token p in all."""
        return None

    @property
    def batch_size(self) -> int:
        """How many examples fit in a batch, logits included."""
        return self.patcher.batch_size(self.examples.inputs.width)

    def as_it_is(self, rows: Ints, start: int) -> Run:
        """Run examples with nothing replaced; the last of these runs are kept.

        Swap tests of many stages start from the same examples.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
        start : int
            Layer from which patched runs will start.
        """
        key = (start, rows.tobytes())
        run = self._kept.pop(key, None)
        if run is None:
            below = self._below(rows, start)
            run = self.patcher.run(self.batch(rows), start, below)
        self._kept[key] = run
        while sum(kept.nbytes for kept in self._kept.values()) > _MOST_BYTES:
            self._kept.popitem(last=False)
        return run

    def _below(self, rows: Ints, start: int) -> tuple[int, torch.Tensor] | None:
        """Return the nearest layer below for which these examples were run, and its stream."""
        asked = rows.tobytes()
        known = [
            (layer, run.start.entering)
            for (layer, of), run in self._kept.items()
            if of == asked and layer < start and run.start is not None
        ]
        return max(known, key=itemgetter(0), default=None)

    def release(self) -> None:
        """Let go of the runs that are kept."""
        self._kept.clear()

    def right_tokens(self, rows: Ints, without: Run) -> torch.Tensor:
        """Return the right tokens of some examples, shape (n, answers).

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
        without : Run
            Of these examples, as they are: the model's own answer is right where none is given.
        """
        columns = [
            without.logits[:, at].argmax(dim=-1)
            if question.right is None
            else self.patcher.tensor(question.right[rows])
            for at, question in enumerate(self.answers)
        ]
        return torch.stack(columns, dim=1)

    def answered(self, batch: Batch, run: Callable[[Batch], Run], *, free: bool) -> Run:
        """Run a batch, with the right earlier answers in its input or with the model's own.

        Raises
        ------
        ValueError
            Where the model's own answers are wanted and none of them is part of the input.
        """
        if not free:
            return run(batch)
        if not self.causal:
            raise ValueError(
                "this model sees the whole input at once, so it is not fed its own answers one "
                "after another: leave free=True out."
            )
        if not any(question.fed for question in self.answers):
            raise ValueError(
                "no answer is followed by itself in the examples' tokens, so the model's own "
                "answers cannot be fed back: leave free=True out."
            )
        logits, final = [], []
        for at, question in enumerate(self.answers):
            fed = run(batch)
            logits.append(fed.logits[:, at])
            final.append(fed.final[:, at])
            if question.fed:
                batch = batch.followed_by(question.column, fed.logits[:, at].argmax(dim=-1))
        return Run(torch.stack(logits, dim=1), torch.stack(final, dim=1))

    def unusual(self, run: Run, apart: Ints, column: int) -> npt.NDArray[np.float32]:
        """Return `UsualRange.unusual` of a run's last activations, shape (batch, answers).

        NaN for answers that the position with this index cannot reach.
        """
        final = run.final.float().cpu().numpy()
        ratios = np.full(final.shape[:2], np.nan, np.float32)
        for at, question in enumerate(self.answers):
            if question.reached_from(column):
                ratios[:, at] = self.usual.unusual(final[:, at], at, apart)
        return ratios

    def column(self, stage: Stage) -> int:
        """Return the index of a stage's position."""
        return self.stage_set.column(stage)


def losses(logits: torch.Tensor, right: torch.Tensor) -> Float64Array:
    """Return -log p of the right tokens in nats, shape (batch, answers)."""
    chances = torch.log_softmax(logits.double(), dim=-1)
    nats: Float64Array = -chances.gather(-1, right[..., None])[..., 0].cpu().numpy()
    return nats
