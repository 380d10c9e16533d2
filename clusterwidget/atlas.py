"""The atlas: the explained share of every concept at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.captures import Captures
from clusterwidget.partitions import Partitions
from clusterwidget.progress import Cancelled, CaptureCancelledError, Progress, reported
from clusterwidget.shares import Groups, GroupSums
from clusterwidget.stages import Stage

if TYPE_CHECKING:
    import torch

Float32Array = npt.NDArray[np.float32]

_ROWS = 4096


def atlas(
    captures: Captures,
    stages: Sequence[Stage],
    partitions: Partitions,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> pd.DataFrame:
    """Return the explained share of each concept at each stage, stages × concepts.

    One pass over the activations: what is held is read, the rest streams out of the model and is
    not kept. Memory: the sums over groups, (groups, d) for each stage, plus one batch.

    Parameters
    ----------
    captures : Captures
    stages : sequence of Stage
    partitions : Partitions
    progress : function of (examples done, examples in all), optional
    cancelled : function, optional

    Returns
    -------
    pandas.DataFrame
        Index: addresses of stages. Columns: concepts, those that are the same on these examples
        under all their names. NaN where all examples are the same at a stage. ``attrs["notes"]``
        says what was dropped, merged or binned.
    """
    if not partitions.all:
        raise ValueError(
            "there is no concept to look for: give the examples concepts that differ between them."
        )
    sums = _Sums(Groups(partitions.all))
    held, missing = captures.divided(stages)
    n = captures.n
    total = n * (bool(held) + bool(missing))
    with reported(progress, total) as report:
        for start in range(0, n if held else 0, _ROWS):
            for stage, matrix in held.items():
                sums.add(stage, start, matrix[start : start + _ROWS])
            if cancelled is not None and cancelled():
                raise CaptureCancelledError
            report(min(start + _ROWS, n), total)
        if missing:
            before = total - n

            def consume(stage: Stage, start: int, rows: torch.Tensor) -> None:
                sums.add(stage, start, rows.float().cpu().numpy())

            captures.stream(
                missing, consume, lambda done, _: report(before + done, total), cancelled
            )
    shares = np.stack([sums.of[stage].shares() for stage in stages])
    table = pd.DataFrame(
        shares,
        index=pd.Index([str(stage) for stage in stages], name="stage"),
        columns=pd.Index([partition.name for partition in partitions.all], name="concept"),
    )
    table.attrs["notes"] = list(partitions.notes)
    return table


class _Sums:
    """The sums over groups of several stages; memberships are laid out once for each batch."""

    def __init__(self, groups: Groups) -> None:
        self.of: dict[Stage, GroupSums] = {}
        self._groups = groups
        self._part = slice(0, 0)
        self._one_hot = groups.one_hot(self._part)

    def add(self, stage: Stage, start: int, rows: Float32Array) -> None:
        if (self._part.start, self._part.stop) != (start, start + len(rows)):
            self._part = slice(start, start + len(rows))
            self._one_hot = self._groups.one_hot(self._part)
        if stage not in self.of:
            self.of[stage] = GroupSums(self._groups, rows.mean(axis=0))
        self.of[stage].add(self._one_hot, rows)
