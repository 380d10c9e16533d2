"""Capture: run a model on examples and keep the stage matrices that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import psutil
import torch

from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.model.batch import Batch
from clusterwidget.model.hooks import Model
from clusterwidget.model.overflow import Hooks, is_finite, overflow
from clusterwidget.model.recorder import Recorder
from clusterwidget.model.running import evaluating, running

Matrix = npt.NDArray[np.float32]
Consumer = Callable[[Stage, int, torch.Tensor], None]
"""Told a stage, the first example of a batch, and the batch's vectors, shape (batch, d)."""

_TOKENS_IN_BATCH = 14_336


def capture(
    model: Model,
    inputs: Inputs,
    stages: Sequence[Stage],
    stage_set: StageSet,
    *,
    batch_size: int | None = None,
    watch: Watch | None = None,
) -> dict[Stage, Matrix]:
    """Run the model on all examples once, up to the last layer needed, and keep some stages.

    Memory: the stage matrices, plus the activations of one batch.

    Parameters
    ----------
    model : Model
    inputs : Inputs
        Of N examples.
    stages : sequence of Stage
    stage_set : StageSet
        The model's stages.
    batch_size, watch
        As in `stream`.

    Returns
    -------
    dict of Stage to numpy.ndarray, shape (N, d), float32
        `result` is in an orthonormal basis of the subspace that its head writes to, which leaves
        all distances as they are: see `recorder.result_basis`.

    Raises
    ------
    CaptureCancelledError, MemoryError
    ValueError
        Where a stage holds NaN or infinity.
    """
    n = len(inputs)
    _require_memory(n, stages, stage_set)
    matrices = {stage: np.empty((n, stage_set.width(stage)), np.float32) for stage in stages}
    targets = {stage: torch.from_numpy(matrix) for stage, matrix in matrices.items()}

    def keep(stage: Stage, start: int, rows: torch.Tensor) -> None:
        kept = targets[stage][start : start + len(rows)]
        kept.copy_(rows)
        _require_finite(stage, start, kept)

    try:
        stream(model, inputs, stages, stage_set, keep, batch_size=batch_size, watch=watch)
    except _NotFinite as found:
        raise _told(model, inputs, found) from None
    return matrices


def stream(
    model: Model,
    inputs: Inputs,
    stages: Sequence[Stage],
    stage_set: StageSet,
    consume: Consumer,
    *,
    batch_size: int | None = None,
    watch: Watch | None = None,
) -> None:
    """Run the model on all examples once and hand on each batch of each stage; keep nothing.

    Parameters
    ----------
    model, inputs, stages, stage_set
        As in `capture`.
    consume : function of a stage, the index of the first example and vectors of shape (batch, d)
    batch_size : int, optional
        Examples in one forward pass. By default about 14,000 tokens' worth.
    watch : Watch, optional
        Told after each batch how many examples are done.
    """
    n = len(inputs)
    size = batch_rows(model, inputs, stages, stage_set, batch_size)
    inputs = inputs.cut(_length_needed(model, stages, stage_set, inputs))
    device = getattr(model.cfg, "device", None)
    recorder = Recorder(model, stages, stage_set, consume)
    watch = watch or Watch()
    watch.step(0, n)
    with torch.no_grad(), evaluating(model):
        for start, stop in pairwise(_bounds(inputs, size)):
            recorder.run(Batch.of(inputs[start:stop], device, shared=True), start)
            watch.step(stop, n)


def batch_rows(
    model: Model,
    inputs: Inputs,
    stages: Sequence[Stage],
    stage_set: StageSet,
    batch_size: int | None = None,
) -> int:
    """Return how many examples are run at once: as given, or about 14,000 tokens' worth."""
    width = min(inputs.width, _length_needed(model, stages, stage_set, inputs))
    return batch_size or max(1, _TOKENS_IN_BATCH // width)


def _bounds(inputs: Inputs, size: int) -> list[int]:
    """Return where batches of `size` different rows of tokens begin, and where the last one ends.

    Neighboring examples that are positions of one text are one row.
    """
    n = len(inputs)
    if inputs.columns is None:
        return [*range(0, n, size), n]
    return [*np.flatnonzero(~inputs.is_repeated())[::size].tolist(), n]


def _length_needed(
    model: Model, stages: Sequence[Stage], stage_set: StageSet, inputs: Inputs
) -> int:
    """Return how many tokens have to be run: in a causal model, none after the last stage's.

    A pattern has a number for each token, those ahead included.
    """
    causal = getattr(model.cfg, "attention_dir", None) == "causal"
    if not causal or any(stage.kind == "pattern" for stage in stages):
        return inputs.width
    columns = {stage_set.column(stage) for stage in stages}
    if inputs.lengths is None and min(columns, default=0) < 0:
        return inputs.width
    return 1 + max((int(inputs.at(column).max()) for column in columns), default=0)


class _NotFinite(ValueError):  # noqa: N818 - told as an error of what was captured
    """Raised inside a run, where the model cannot be run once more to see where it comes from."""

    def __init__(self, stage: Stage, example: int) -> None:
        super().__init__(stage, example)
        self.stage, self.example = stage, example


def _require_finite(stage: Stage, start: int, rows: torch.Tensor) -> None:
    if not is_finite(rows):
        raise _NotFinite(stage, start + int((~rows.isfinite()).any(dim=1).nonzero()[0]))


def _told(model: Model, inputs: Inputs, found: _NotFinite) -> ValueError:
    """Return the error that says where the model overflows."""
    one = Batch.of(inputs[found.example : found.example + 1], getattr(model.cfg, "device", None))
    one = one.cut(int(one.sizes[0]))

    def run(hooks: Hooks) -> None:
        with torch.no_grad(), evaluating(model), running(model):
            model.run_with_hooks(one.tokens, fwd_hooks=list(hooks))

    return ValueError(
        f"stage {found.stage} of example {found.example} holds NaN or infinity: "
        f"{overflow(model, run)}. Leave that example out, or run the model in float32."
    )


def _require_memory(n: int, stages: Sequence[Stage], stage_set: StageSet) -> None:
    needed = 4 * n * sum(stage_set.width(stage) for stage in stages)
    free = psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"{len(stages)} stages of {n:,} examples need {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free: ask for fewer stages or fewer examples."
        )
