"""Activations: every stage matrix that is asked for, captured once and held within a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from clusterwidget.activations.cache import Cache
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.model.hooks import Model

if TYPE_CHECKING:
    import torch

Matrix = npt.NDArray[np.float32]
Consumer = Callable[[Stage, int, Matrix], None]
"""Told a stage, the first example of a batch, and the batch's vectors, shape (batch, d)."""

_PASS_BYTES = 1 << 30
_ROWS_READ = 8192


class Saved(Protocol):
    """Stage matrices of n examples that can be read when they are asked for."""

    n: int

    @property
    def stages(self) -> frozenset[Stage]:
        """The stages that there are."""

    def rows(self, stage: Stage, start: int = 0, stop: int | None = None) -> Matrix:
        """Return rows of a stage's matrix."""

    def basis(self, layer: int, head: int) -> Matrix | None:
        """Return the vectors in whose terms a head's `result` is; None where it is as given."""


class Activations:
    """The activations behind an explorer: held, read, or captured from the model when needed.

    Parameters
    ----------
    held : Cache
    stage_set : StageSet
    model : Model or None
        None where all activations were given.
    tokens : numpy.ndarray of integers, shape (N, T)
        Replaced by longer ones as examples are appended.
    batch_size : int or None
    saved : Saved or None
        What need not be captured.
    """

    def __init__(
        self,
        held: Cache,
        stage_set: StageSet,
        model: Model | None,
        tokens: npt.NDArray[np.integer[Any]],
        batch_size: int | None,
        saved: Saved | None = None,
    ) -> None:
        self.stage_set = stage_set
        self.model = model
        self._held = held
        self.tokens = tokens
        self._batch_size = batch_size
        self.saved = saved
        self._capturing = threading.RLock()

    @property
    def n(self) -> int:
        """Number of examples."""
        return len(self.tokens)

    def whole(self, stage: Stage) -> Matrix | None:
        """Return a stage's matrix if it is held, for all examples that there are now."""
        matrix = self._held.get(stage)
        return matrix if matrix is not None and len(matrix) == len(self.tokens) else None

    def at_hand(self, stage: Stage) -> bool:
        """Tell whether a stage's matrix can be had without running a model."""
        return self.whole(stage) is not None or self._is_saved(stage)

    def held_stages(self) -> list[Stage]:
        """Return the stages whose matrices can be had without running a model."""
        return [stage for stage in self.stage_set.select() if self.at_hand(stage)]

    def matrix(self, stage: Stage, watch: Watch) -> Matrix:
        """Return a stage's matrix, captured first where it must be."""
        self.stage_set.width(stage)
        matrix = self.whole(stage)
        if matrix is not None:
            return matrix
        # Under the lock, so that nothing captured meanwhile drops the matrix before it is read.
        with self._capturing:
            self.capture([stage], watch)
            matrix = self.whole(stage)
        assert matrix is not None
        return matrix

    def capture(self, stages: Iterable[Stage], watch: Watch) -> None:
        """Capture what is missing of these stages."""
        wanted = list(dict.fromkeys(stages))
        for stage in wanted:
            self.stage_set.width(stage)
        with self._capturing:
            missing = [stage for stage in wanted if self.whole(stage) is None]
            for stage in missing:
                if self.saved and stage in self.saved.stages and self._held.get(stage) is None:
                    self._held.put(stage, self.saved.rows(stage))
            missing = [stage for stage in missing if self.whole(stage) is None]
            if missing and self.model is not None:
                self._run_passes(self.model, missing, watch)

    def each(self, stages: Sequence[Stage], watch: Watch) -> Iterator[tuple[Stage, Matrix]]:
        """Yield matrices one at a time, captured together as far as memory allows."""
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

    def _groups(self, stages: Iterable[Stage]) -> list[list[Stage]]:
        """Group stages that can be held together."""
        limit = min(_PASS_BYTES, self._held.bound or _PASS_BYTES)
        groups: list[list[Stage]] = []
        size = 0
        for stage in stages:
            added = 4 * self.n * self.stage_set.width(stage)
            if not groups or size + added > limit:
                groups.append([])
                size = 0
            groups[-1].append(stage)
            size += added
        return groups

    def divided(self, stages: Iterable[Stage]) -> tuple[dict[Stage, Matrix], list[Stage]]:
        """Return the matrices that are held, and the stages that are not."""
        held: dict[Stage, Matrix] = {}
        missing: list[Stage] = []
        for stage in stages:
            self.stage_set.width(stage)
            matrix = self.whole(stage)
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
        """Hand on what these stages hold, read or from a run of the model; keep nothing.

        Of all examples, or only of the `first` so many.
        """
        n = self.n if first is None else min(first, self.n)
        read = [stage for stage in stages if self._is_saved(stage)]
        run = [stage for stage in stages if not self._is_saved(stage)]
        if read:
            self._read(read, n, consume, watch.quiet() if run else watch)
        if not run:
            return
        from clusterwidget.model.capture import stream
        from clusterwidget.model.running import threads

        def consume_tensor(stage: Stage, start: int, rows: torch.Tensor) -> None:
            consume(stage, start, rows.float().cpu().numpy())

        assert self.model is not None
        # What consumes the batches computes with numpy. The threads of torch and those of numpy's
        # BLAS each wait for work by spinning, so that the two in turn take thrice as long.
        with self._capturing, threads(1):
            stream(
                self.model,
                self.tokens[:n],
                run,
                self.stage_set,
                consume_tensor,
                batch_size=self._batch_size,
                watch=watch,
            )

    def _is_saved(self, stage: Stage) -> bool:
        return self.saved is not None and self.saved.n == self.n and stage in self.saved.stages

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
                consume(stage, start, self.saved.rows(stage, start, stop))
                watch.check()
            watch.step(stop, n)

    def vectors(self, stage: Stage) -> Matrix:
        """Return the vectors in the model's own basis, shape (N, d); see `Explorer.vectors`."""
        matrix = self.matrix(stage, Watch())
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
        if self.model is None:
            return None if self.saved is None else self.saved.basis(stage.layer, stage.head)
        from clusterwidget.model.recorder import result_basis

        basis = result_basis(self.model, stage.layer, stage.head)[1].numpy()
        return basis.astype(np.float32)

    def release(self) -> None:
        """Drop what can be had again: it is captured or read anew when it is asked for."""
        if self.model is not None or self.saved is not None:
            self._held.clear()

    def affordable(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return the stages, in order, that can be held beside what is held now."""
        room = None if self._held.bound is None else self._held.bound - self._held.nbytes
        chosen = []
        for stage in stages:
            if room is not None and self.whole(stage) is None:
                room -= 4 * len(self.tokens) * self.stage_set.width(stage)
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

        tokens = self.tokens
        passes = self._passes(missing)
        total = sum(len(tokens) - start for start, _ in passes)
        done = 0
        with watch.bar(total) as watch:
            for start, group in passes:
                captured = capture(
                    model,
                    tokens[start:],
                    group,
                    self.stage_set,
                    batch_size=self._batch_size,
                    watch=watch.onward(done, total),
                )
                done += len(tokens) - start
                for stage, matrix in captured.items():
                    old = self._held.get(stage) if start else None
                    self._held.put(stage, matrix if old is None else np.concatenate([old, matrix]))

    def _passes(self, missing: Sequence[Stage]) -> list[tuple[int, list[Stage]]]:
        """Group stages by the row from which they are missing, a bounded share of memory each."""
        n = len(self.tokens)
        passes: list[tuple[int, list[Stage]]] = []
        size: dict[int, int] = {}
        limit = min(_PASS_BYTES, self._held.bound or _PASS_BYTES)
        current: dict[int, list[Stage]] = {}
        for stage in missing:
            matrix = self._held.get(stage)
            start = 0 if matrix is None else len(matrix)
            added = 4 * (n - start) * self.stage_set.width(stage)
            if start not in current or size[start] + added > limit:
                current[start], size[start] = [], 0
                passes.append((start, current[start]))
            current[start].append(stage)
            size[start] += added
        return passes
