"""Extended: the activations of common examples, followed by those of a few more.

The common ones stay where they are, shared by all who look at them; only the rows of the further
examples are held apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from clusterwidget.activations.activations import Activations, Consumer
from clusterwidget.activations.cache import Cache, Matrix
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch


class Extended(Activations):
    """Common activations, and those of further examples after them.

    Parameters
    ----------
    common : Activations
        Left as they are.
    inputs : Inputs
        Of the common examples and of the further ones.
    """

    def __init__(self, common: Activations, inputs: Inputs) -> None:
        self._common = common
        self._n_common = common.n
        self._own = Activations(
            Cache(),
            common.stage_set,
            common.model,
            inputs[self._n_common :],
            common._batch_size,
        )
        super().__init__(
            common._held, common.stage_set, common.model, inputs, common._batch_size, common.saved
        )
        self.transforms = common.transforms

    @property
    def inputs(self) -> Inputs:
        """The inputs of all N + M examples."""
        return self._inputs

    @inputs.setter
    def inputs(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._own.inputs = inputs[self._n_common :]

    def in_memory(self, stage: Stage) -> Matrix | None:
        """Return a stage's matrix if its rows are held, of all examples."""
        common, own = self._common.in_memory(stage), self._own.in_memory(stage)
        return None if common is None or own is None else self._joined(common, own)

    def at_hand(self, stage: Stage) -> bool:
        """Whether a stage's matrix is at hand, of all examples."""
        return self._common.at_hand(stage) and self._own.at_hand(stage)

    def matrix(self, stage: Stage, watch: Watch) -> Matrix:
        """Return a stage's matrix, of all examples."""
        common = self._common.matrix(stage, watch)
        return self._joined(common, self._own.matrix(stage, watch.quiet()))

    def capture(self, stages: Iterable[Stage], watch: Watch) -> None:
        """Read or capture what is missing of these stages."""
        wanted = list(stages)
        self._common.capture(wanted, watch)
        self._own.capture(wanted, watch.quiet())

    def stream(
        self,
        stages: Sequence[Stage],
        consume: Consumer,
        watch: Watch,
        first: int | None = None,
    ) -> None:
        """Pass on the vectors of these stages in batches; keep nothing."""
        before = self._n_common
        self._common.stream(stages, consume, watch, before if first is None else min(first, before))
        if first is not None and first <= before:
            return

        def consume_own(stage: Stage, start: int, rows: Matrix) -> None:
            consume(stage, before + start, rows)

        own = None if first is None else first - before
        self._own.stream(stages, consume_own, watch.quiet(), own)

    def release(self) -> None:
        """Drop the rows of the further examples; the common ones are others' as well."""
        self._own.release()

    def affordable(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return the first of these stages that fit into memory, as for the common examples."""
        return self._common.affordable(stages)

    def _joined(self, common: Matrix, own: Matrix) -> Matrix:
        joined: Matrix = np.concatenate([common[: self._n_common], own])
        return joined
