"""Measured: the activations as a metric sees them, mapped once so that plain L2 does the rest.

The statistics of a map are those of the examples that the explorer was made or opened with. Where
examples are typed later, they are mapped as the others are, and nothing moves.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clusterwidget.core.metrics import Float32Array, Metric, Moments, Transform, transform_of
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch

if TYPE_CHECKING:
    from clusterwidget.activations.activations import Activations, Consumer

_ROWS = 2048
_KEPT_BYTES = 256 << 20
_MOST_MOMENTS = 4096
_TRANSFORM_BYTES = 64 << 20


class Transforms:
    """What metrics need to know of stages, from the first so many examples.

    Shared by all explorers of these examples, whatever is added to each of them.

    Parameters
    ----------
    first : int
        How many examples the statistics are of.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self._moments: OrderedDict[Stage, Moments] = OrderedDict()
        self._transforms: OrderedDict[tuple[Stage, Metric], Transform] = OrderedDict()
        self._mapped: OrderedDict[tuple[Stage, Metric], Float32Array] = OrderedDict()
        self._lock = threading.RLock()

    def moments(
        self, stages: Sequence[Stage], activations: Activations, watch: Watch
    ) -> list[Moments]:
        """Return mean and spread of the stages' coordinates, in the model's own basis."""
        with self._lock:
            found = {stage: self._moments[stage] for stage in stages if stage in self._moments}
        missing = [stage for stage in dict.fromkeys(stages) if stage not in found]
        if missing:
            for stage, matrix in activations.each(missing, watch):
                found[stage] = Moments.of(matrix[: self.first], _basis(stage, activations))
            with self._lock:
                self._moments.update(found)
                while len(self._moments) > _MOST_MOMENTS:
                    self._moments.popitem(last=False)
        return [found[stage] for stage in stages]

    def transform(
        self, stage: Stage, metric: Metric, matrix: Float32Array, of: Activations
    ) -> Transform:
        """Return a stage's transform, given its matrix."""
        key = stage, metric
        with self._lock:
            found = self._transforms.get(key)
        if found is None:
            found = transform_of(metric, matrix[: self.first], _basis(stage, of))
            with self._lock:
                self._transforms[key] = found
                _drop_oldest(self._transforms, _TRANSFORM_BYTES)
        return found

    def mapped(
        self, stage: Stage, metric: Metric, matrix: Float32Array, of: Activations
    ) -> Float32Array:
        """Return a stage matrix mapped; the rows of the first examples are kept for a while."""
        transform = self.transform(stage, metric, matrix, of)
        key = stage, metric
        with self._lock:
            first = self._mapped.get(key)
            if first is not None:
                self._mapped.move_to_end(key)
        if first is None:
            first = transform.apply(matrix[: self.first])
            with self._lock:
                self._mapped[key] = first
                _drop_oldest(self._mapped, _KEPT_BYTES)
        if len(matrix) == len(first):
            return first
        joined: Float32Array = np.concatenate([first, transform.apply(matrix[self.first :])])
        return joined

    def release(self) -> None:
        """Let go of mapped matrices."""
        with self._lock:
            self._mapped.clear()


def _drop_oldest(kept: OrderedDict[tuple[Stage, Metric], Any], most: int) -> None:
    """Drop what was kept first until the rest takes at most so many bytes; the newest stays."""
    while len(kept) > 1 and sum(each.nbytes for each in kept.values()) > most:
        kept.popitem(last=False)


class Measured:
    """Activations as a metric other than L2 sees them.

    Parameters
    ----------
    activations : Activations
    metric : "cosine", "standardized" or "whitened"
    """

    def __init__(self, activations: Activations, metric: Metric) -> None:
        self._activations, self._metric = activations, metric

    @property
    def n(self) -> int:
        """Number of examples."""
        return self._activations.n

    @property
    def stage_set(self) -> StageSet:
        """The stages."""
        return self._activations.stage_set

    def matrix(self, stage: Stage, watch: Watch) -> Float32Array:
        """Return a stage's vectors mapped, shape (N, d) or narrower."""
        return self._mapped(stage, self._activations.matrix(stage, watch))

    def each(self, stages: Sequence[Stage], watch: Watch) -> Iterator[tuple[Stage, Float32Array]]:
        """Yield mapped matrices one at a time."""
        for stage, matrix in self._activations.each(stages, watch):
            yield stage, self._mapped(stage, matrix)

    def divided(self, stages: Sequence[Stage]) -> tuple[dict[Stage, Float32Array], list[Stage]]:
        """Return no matrix as held: each is worked out as it streams by."""
        return {}, list(stages)

    def stream(
        self, stages: Sequence[Stage], consume: Consumer, watch: Watch, first: int | None = None
    ) -> None:
        """Pass on the mapped vectors of these stages, one stage after another, in batches."""
        for stage, matrix in self.each(stages, watch):
            for start in range(0, len(matrix[:first]), _ROWS):
                consume(stage, start, matrix[:first][start : start + _ROWS])

    def _mapped(self, stage: Stage, matrix: Float32Array) -> Float32Array:
        transforms = self._activations.transforms
        return transforms.mapped(stage, self._metric, matrix, self._activations)


def _basis(stage: Stage, activations: Activations) -> Float32Array | None:
    """Return the basis in which `result` is held; its coordinates are those of the model."""
    return activations.basis(stage) if stage.kind == "result" else None
