"""Activations: stage matrices, captured when they are first needed and held within a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clusterwidget.activations.cache import Cache, Matrix
from clusterwidget.activations.measured import Measured, Transforms
from clusterwidget.activations.passes import groups_within
from clusterwidget.activations.saved import Saved
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.metrics import Metric
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.model.hooks import Model
from clusterwidget.model.lazy import LazyModel

if TYPE_CHECKING:
    import torch

Consumer = Callable[[Stage, int, Matrix], None]
"""Takes a stage, the index of the first example of a batch, and vectors, shape (batch, d)."""

_PASS_BYTES = 1 << 30
_ROWS_READ = 8192


class Activations:
    """The activations behind an explorer: in memory, in a store, or captured from the model.

    Parameters
    ----------
    held : Cache
    stage_set : StageSet or None
        None for the model's own, which are known once it is loaded.
    model : LazyModel or None
        None where all activations were given.
    inputs : Inputs
        Of the examples. Replaced by longer ones when examples are appended.
    batch_size : int or None
    saved : Saved or None
        A store whose stages need not be captured.
    """

    def __init__(
        self,
        held: Cache,
        stage_set: StageSet | None,
        model: LazyModel | None,
        inputs: Inputs,
        batch_size: int | None,
        saved: Saved | None = None,
    ) -> None:
        self._stage_set = stage_set
        self.model = model
        self._held = held
        self.inputs = inputs
        self._batch_size = batch_size
        self.saved = saved
        self.transforms = Transforms(len(inputs))
        """What metrics know of the stages."""
        self._capturing = threading.RLock()

    @property
    def stage_set(self) -> StageSet:
        """The stages that can be asked about."""
        if self._stage_set is None:
            assert self.model is not None
            self._stage_set = self.model.stages()
        return self._stage_set

    @property
    def runs_at_once(self) -> bool:
        """Whether there is a model that need not be loaded first."""
        return self.model is not None and self.model.loaded is not None

    @property
    def n(self) -> int:
        """Number of examples."""
        return len(self.inputs)

    def in_memory(self, stage: Stage) -> Matrix | None:
        """Return a stage's matrix if it is held for all examples, those appended included."""
        matrix = self._held.get(self.stage_set.named(stage))
        return matrix if matrix is not None and len(matrix) == len(self.inputs) else None

    def at_hand(self, stage: Stage) -> bool:
        """Whether a stage's matrix is in memory or in the store: no model needs to run."""
        return self.in_memory(stage) is not None or self._is_saved(stage)

    def held_stages(self) -> list[Stage]:
        """Return the stages whose matrices are in memory or in the store."""
        return [stage for stage in self.stage_set.select() if self.at_hand(stage)]

    def matrix(self, stage: Stage, watch: Watch) -> Matrix:
        """Return a stage's matrix, read or captured first where it is not in memory."""
        self.stage_set.width(stage)
        stage = self.stage_set.named(stage)
        matrix = self.in_memory(stage)
        if matrix is not None:
            return matrix
        if self._is_saved(stage):
            # A capture that is under way need not be waited for.
            assert self.saved is not None
            matrix = self.saved.rows(stage)
            self._held.put(stage, matrix)
            return matrix
        # Under the lock, so that nothing captured meanwhile drops the matrix before it is read.
        with self._capturing:
            self.capture([stage], watch)
            matrix = self.in_memory(stage)
        assert matrix is not None
        return matrix

    def measured(self, metric: Metric) -> Activations | Measured:
        """Return the activations as a metric sees them."""
        return self if metric == "l2" else Measured(self, metric)

    def capture(self, stages: Iterable[Stage], watch: Watch) -> None:
        """Read or capture those of these stages, or their rows, that are not in memory."""
        wanted = []
        for stage in stages:
            self.stage_set.width(stage)
            wanted.append(self.stage_set.named(stage))
        wanted = list(dict.fromkeys(wanted))
        with self._capturing:
            missing = [stage for stage in wanted if self.in_memory(stage) is None]
            for stage in missing:
                if self.saved and stage in self.saved.stages and self._held.get(stage) is None:
                    self._held.put(stage, self.saved.rows(stage))
            missing = [stage for stage in missing if self.in_memory(stage) is None]
            if missing and self.model is not None:
                self._run_passes(self.model.get(watch), missing, watch)

    def each(self, stages: Sequence[Stage], watch: Watch) -> Iterator[tuple[Stage, Matrix]]:
        """Yield matrices one at a time; as many as fit into memory are captured in one pass."""
        groups = self._groups(stages)
        total = self.n * len(groups)
        with watch.bar(total) as watch:
            for before, group in enumerate(groups):
                part = watch.onward(before * self.n, total)
                self.capture(group, part)
                for stage in group:
                    watch.check()
                    yield stage, self.matrix(stage, watch.quiet())
                watch.step((before + 1) * self.n, total)

    def _groups(self, stages: Iterable[Stage], start: int = 0) -> list[list[Stage]]:
        """Group stages whose rows from `start` on can be held together."""
        limit = min(_PASS_BYTES, self._held.bound or _PASS_BYTES)
        rows = self.n - start
        return groups_within(
            ((stage, 4 * rows * self.stage_set.width(stage)) for stage in stages), limit
        )

    def divided(self, stages: Iterable[Stage]) -> tuple[dict[Stage, Matrix], list[Stage]]:
        """Return the matrices that are in memory, and the stages that are not."""
        held: dict[Stage, Matrix] = {}
        missing: list[Stage] = []
        for stage in stages:
            self.stage_set.width(stage)
            matrix = self.in_memory(stage)
            if matrix is None:
                missing.append(stage)
            else:
                held[stage] = matrix
        return held, missing

    def stream(
        self,
        stages: Sequence[Stage],
        consume: Consumer,
        watch: Watch,
        first: int | None = None,
    ) -> None:
        """Pass on the vectors of these stages in batches, read or captured; keep nothing.

        Parameters
        ----------
        stages : sequence of Stage
        consume : function
            See `Consumer`.
        watch : Watch
        first : int, optional
            Only the first so many examples; all by default.
        """
        n = self.n if first is None else min(first, self.n)
        read = [stage for stage in stages if self._is_saved(stage)]
        run = [stage for stage in stages if not self._is_saved(stage)]
        if read:
            self._read(read, n, consume, watch.quiet() if run else watch)
        if not run:
            return
        assert self.model is not None
        model = self.model.get(watch)
        from clusterwidget.model.capture import stream
        from clusterwidget.model.running import threads

        def consume_tensor(stage: Stage, start: int, rows: torch.Tensor) -> None:
            consume(stage, start, rows.float().cpu().numpy())

        # `consume` computes with numpy. The threads of torch and of numpy's BLAS wait for work by
        # spinning: taking turns, the two took three times as long.
        with self._capturing, threads(1):
            stream(
                model,
                self.inputs[:n],
                run,
                self.stage_set,
                consume_tensor,
                batch_size=self._batch_size,
                watch=watch,
            )

    def batch_rows(self, stages: Sequence[Stage]) -> int:
        """Return how many examples the model is run on at once for these stages."""
        assert self.model is not None
        from clusterwidget.model.capture import batch_rows

        return batch_rows(self.model.get(), self.inputs, stages, self.stage_set, self._batch_size)

    def run(self, stages: Sequence[Stage], rows: slice, consume: Consumer, watch: Watch) -> None:
        """Run the model on some examples and pass on the vectors of these stages; keep nothing.

        `consume` counts examples from the first of these.
        """
        assert self.model is not None
        model = self.model.get(watch)
        from clusterwidget.model.capture import stream

        def consume_tensor(stage: Stage, start: int, vectors: torch.Tensor) -> None:
            consume(stage, start, vectors.float().cpu().numpy())

        with self._capturing:
            stream(
                model,
                self.inputs[rows],
                stages,
                self.stage_set,
                consume_tensor,
                batch_size=self.batch_rows(stages),
                watch=watch,
            )

    def _is_saved(self, stage: Stage) -> bool:
        if self.saved is None or self.saved.n != self.n:
            return False
        return self.stage_set.named(stage) in self.saved.stages

    def _read(
        self,
        stages: Sequence[Stage],
        n: int,
        consume: Consumer,
        watch: Watch,
    ) -> None:
        assert self.saved is not None
        for start in range(0, n, _ROWS_READ):
            stop = min(start + _ROWS_READ, n)
            for stage in stages:
                rows = self.saved.rows(self.stage_set.named(stage), start, stop)
                consume(stage, start, rows)
                watch.check()
            watch.step(stop, n)

    def vectors(self, stage: Stage, rows: npt.NDArray[np.int64] | None = None) -> Matrix:
        """Return the vectors of some or all examples in the model's own basis, shape (n, d).

        See `Explorer.vectors`.
        """
        matrix = self.matrix(stage, Watch())
        if rows is not None:
            matrix = matrix[rows]
        basis = self.basis(stage) if stage.kind == "result" else None
        if basis is None:
            return matrix
        vectors: Matrix = matrix @ basis
        return vectors

    def basis(self, stage: Stage) -> Matrix | None:
        """Return the orthonormal basis of a `result` stage, shape (d, d_model).

        None where the activations were given.
        """
        assert stage.layer is not None
        assert stage.head is not None
        if not self.runs_at_once:
            found = None if self.saved is None else self.saved.basis(stage.layer, stage.head)
            if found is not None or self.model is None:
                return found
        assert self.model is not None
        model = self.model.get()
        from clusterwidget.model.recorder import result_basis

        basis = result_basis(model, stage.layer, stage.head)[1].numpy()
        return basis.astype(np.float32)

    def release(self) -> None:
        """Drop the matrices that can be captured or read again."""
        self.transforms.release()
        if self.model is not None or self.saved is not None:
            self._held.clear()

    def affordable(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return the first of these stages that fit into memory beside what is held now."""
        room = None if self._held.bound is None else self._held.bound - self._held.nbytes
        chosen = []
        for stage in stages:
            if room is not None and self.in_memory(stage) is None:
                room -= 4 * len(self.inputs) * self.stage_set.width(stage)
                if room < 0:
                    break
            chosen.append(stage)
        return chosen

    def _run_passes(
        self,
        model: Model,
        missing: Sequence[Stage],
        watch: Watch,
    ) -> None:
        from clusterwidget.model.capture import capture

        inputs = self.inputs
        passes = self._passes(missing)
        total = sum(len(inputs) - start for start, _ in passes)
        done = 0
        with watch.bar(total) as watch:
            for start, group in passes:
                captured = capture(
                    model,
                    inputs[start:],
                    group,
                    self.stage_set,
                    batch_size=self._batch_size,
                    watch=watch.onward(done, total),
                )
                done += len(inputs) - start
                for stage, matrix in captured.items():
                    old = self._held.get(stage) if start else None
                    self._held.put(stage, matrix if old is None else np.concatenate([old, matrix]))

    def _passes(self, missing: Sequence[Stage]) -> list[tuple[int, list[Stage]]]:
        """Group stages that one pass can capture, by the first row that they lack."""
        lacking: dict[int, list[Stage]] = {}
        for stage in missing:
            matrix = self._held.get(stage)
            lacking.setdefault(0 if matrix is None else len(matrix), []).append(stage)
        return [
            (start, group)
            for start, stages in lacking.items()
            for group in self._groups(stages, start)
        ]
