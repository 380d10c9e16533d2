"""Captures: every stage matrix that is asked for, captured once and held within a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clusterwidget.activations import Activations
from clusterwidget.hooks import Model
from clusterwidget.progress import Cancelled, Progress, reported
from clusterwidget.stages import Stage, StageSet

if TYPE_CHECKING:
    from clusterwidget.capture import Consumer

Matrix = npt.NDArray[np.float32]

_PASS_BYTES = 1 << 30


class Captures:
    """The activations behind an explorer: held, or captured from the model when needed.

    Parameters
    ----------
    held : Activations
    stage_set : StageSet
    model : Model or None
        None where all activations were given.
    tokens : function
        Returns the tokens as they are now, shape (N, T): examples may be appended to.
    batch_size : int or None
    """

    def __init__(
        self,
        held: Activations,
        stage_set: StageSet,
        model: Model | None,
        tokens: Callable[[], npt.NDArray[np.integer[Any]]],
        batch_size: int | None,
    ) -> None:
        self.stage_set = stage_set
        self.model = model
        self._held = held
        self._tokens = tokens
        self._batch_size = batch_size
        self._capturing = threading.RLock()

    @property
    def n(self) -> int:
        """Number of examples."""
        return len(self._tokens())

    def whole(self, stage: Stage) -> Matrix | None:
        """Return a stage's matrix if it is held, for all examples that there are now."""
        matrix = self._held.get(stage)
        return matrix if matrix is not None and len(matrix) == len(self._tokens()) else None

    def matrix(
        self, stage: Stage, progress: Progress | None, cancelled: Cancelled | None
    ) -> Matrix:
        """Return a stage's matrix, captured first where it must be."""
        self.stage_set.width(stage)
        matrix = self.whole(stage)
        if matrix is not None:
            return matrix
        # Under the lock, so that nothing captured meanwhile drops the matrix before it is read.
        with self._capturing:
            self.capture([stage], progress, cancelled)
            matrix = self.whole(stage)
        assert matrix is not None
        return matrix

    def capture(
        self, stages: Iterable[Stage], progress: Progress | None, cancelled: Cancelled | None
    ) -> None:
        """Capture what is missing of these stages."""
        wanted = list(dict.fromkeys(stages))
        for stage in wanted:
            self.stage_set.width(stage)
        with self._capturing:
            missing = [stage for stage in wanted if self.whole(stage) is None]
            if missing and self.model is not None:
                self._run_passes(self.model, missing, progress, cancelled)

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
        progress: Progress | None,
        cancelled: Cancelled | None,
    ) -> None:
        """Run the model on all examples and hand on what these stages hold; keep nothing."""
        from clusterwidget.capture import stream
        from clusterwidget.threads import threads

        assert self.model is not None
        # What consumes the batches computes with numpy. The threads of torch and those of numpy's
        # BLAS each wait for work by spinning, so that the two in turn take thrice as long.
        with self._capturing, threads(1):
            stream(
                self.model,
                self._tokens(),
                stages,
                self.stage_set,
                consume,
                batch_size=self._batch_size,
                progress=progress,
                cancelled=cancelled,
            )

    def release(self) -> None:
        """Drop what was captured; it is captured again when it is asked for."""
        if self.model is not None:
            self._held.clear()

    def affordable(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return the stages, in order, that can be held beside what is held now."""
        room = None if self._held.bound is None else self._held.bound - self._held.nbytes
        chosen = []
        for stage in stages:
            if room is not None and self.whole(stage) is None:
                room -= 4 * len(self._tokens()) * self.stage_set.width(stage)
                if room < 0:
                    break
            chosen.append(stage)
        return chosen

    def _run_passes(
        self,
        model: Model,
        missing: Sequence[Stage],
        progress: Progress | None,
        cancelled: Cancelled | None,
    ) -> None:
        from clusterwidget.capture import capture

        tokens = self._tokens()
        passes = self._passes(missing)
        total = sum(len(tokens) - start for start, _ in passes)
        done = 0
        with reported(progress, total) as report:
            for start, group in passes:

                def passed(n: int, _: int, before: int = done) -> None:
                    report(before + n, total)

                captured = capture(
                    model,
                    tokens[start:],
                    group,
                    self.stage_set,
                    batch_size=self._batch_size,
                    progress=passed,
                    cancelled=cancelled,
                )
                done += len(tokens) - start
                for stage, matrix in captured.items():
                    old = self._held.get(stage) if start else None
                    self._held.put(stage, matrix if old is None else np.concatenate([old, matrix]))

    def _passes(self, missing: Sequence[Stage]) -> list[tuple[int, list[Stage]]]:
        """Group stages by the row from which they are missing, a bounded share of memory each."""
        n = len(self._tokens())
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
