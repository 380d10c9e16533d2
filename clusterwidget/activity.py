"""Activity: examples at the stages of a model, and how near they are to one another there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.activations import Activations
from clusterwidget.activations.cache import Cache
from clusterwidget.activations.given import given_activations
from clusterwidget.core.distances import checked_index, checked_k, l2, nearest_of
from clusterwidget.core.examples import Examples
from clusterwidget.model.hooks import Model, check_tokens, checked_model, model_stages
from clusterwidget.core.watch import Cancelled, Progress
from clusterwidget.core.stages import Stage

if TYPE_CHECKING:
    from clusterwidget.store.reading import Store

Float32Array = npt.NDArray[np.float32]


class Activity:
    """Stage matrices, distances and neighbors; the parameters are those of `Explorer`."""

    def __init__(
        self,
        model: Any = None,
        examples: Examples | None = None,
        *,
        activations: Mapping[Stage | str, npt.ArrayLike] | None = None,
        memory: int = 2 << 30,
        batch_size: int | None = None,
        saved: Store | None = None,
    ) -> None:
        if not isinstance(examples, Examples):
            raise TypeError(
                f"examples must be clusterwidget.Examples, not {type(examples).__name__}: make "
                "them with Examples(tokens, labels=…)."
            )
        if len(examples) < 2:
            raise ValueError("there is one example only: at least two are needed to compare.")
        if saved is None and (model is None) == (activations is None):
            raise TypeError(
                "give a model or activations: Explorer(model, examples), or "
                "Explorer(examples=examples, activations={'L0.z@0': array})."
            )
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
        self.examples = examples
        self.model: Model | None = None
        self.path = None if saved is None else saved.path
        held = Cache(memory)
        if model is not None:
            self.model = checked_model(model)
            check_tokens(self.model, examples.tokens)
            self.stage_set = model_stages(self.model, examples.positions)
            if saved is not None:
                saved.require_model(self.model, self.stage_set, examples.tokens)
        elif saved is not None:
            self.stage_set = saved.stage_set
        elif activations is not None:
            held, self.stage_set = given_activations(activations, len(examples), examples.positions)
        self._captures = Activations(
            held, self.stage_set, self.model, lambda: self.examples.tokens, batch_size, saved
        )

    def stages(
        self,
        kinds: str | Iterable[str] | None = None,
        layers: int | Iterable[int] | None = None,
        heads: int | Iterable[int] | None = None,
        positions: str | Iterable[str] | None = None,
    ) -> list[Stage]:
        """Return the stages of these kinds, layers, heads and positions; None means all."""
        return self.stage_set.select(kinds, layers, heads, positions)

    def matrix(
        self,
        stage: Stage | str,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Float32Array:
        """Return the stage matrix, shape (N, d), float32; captured first where it must be.

        `result` is in an orthonormal basis of the d_head-dimensional subspace that the head writes
        to, with the same distances; `vectors` gives it in the model's own basis.
        """
        return self._captures.matrix(Stage.of(stage), progress, cancelled)

    def holds(self, stage: Stage | str) -> bool:
        """Tell whether a stage's matrix is held, so that asking for it runs no model."""
        return self._captures.at_hand(Stage.of(stage))

    def release(self) -> None:
        """Drop what was captured, to free memory; it is captured again when it is asked for."""
        self._captures.release()

    def affordable(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return the stages, in order, that can be captured and held beside what is held now."""
        return self._captures.affordable(stages)

    def vectors(self, stage: Stage | str) -> Float32Array:
        """Return the vectors in the model's own basis, shape (N, d).

        As `matrix`, but for `result`, whose rows are then of length d_model. Activations that were
        given are returned as they are.
        """
        stage = Stage.of(stage)
        matrix = self.matrix(stage)
        basis = self._basis(stage) if stage.kind == "result" else None
        if basis is None:
            return matrix
        vectors: Float32Array = matrix @ basis
        return vectors

    def _basis(self, stage: Stage) -> Float32Array | None:
        """Return the rows that a `result` stage's numbers count; None where it was given."""
        assert stage.layer is not None
        assert stage.head is not None
        if self.model is None:
            saved = self._captures.saved
            return None if saved is None else saved.basis(stage.layer, stage.head)
        from clusterwidget.model.recorder import result_basis

        basis = result_basis(self.model, stage.layer, stage.head)[1].numpy()
        return basis.astype(np.float32)

    def capture(
        self,
        stages: Iterable[Stage | str] | None = None,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Capture stages ahead of need, together, in as few passes as memory allows.

        Parameters
        ----------
        stages : iterable of Stage or address, optional
            All of them by default.
        progress : function of (examples done, examples in all), optional
            By default a progress bar appears where the capture takes longer than a second.
        cancelled : function, optional
            Asked after each batch; where it returns true, ``CaptureCancelledError`` is raised and
            only passes that were completed are kept.
        """
        wanted = self.stages() if stages is None else [Stage.of(stage) for stage in stages]
        self._captures.capture(wanted, progress, cancelled)

    def distances(self, stage: Stage | str, example: int) -> Float32Array:
        """Return the L2 distance of every example to one, shape (N,), float32."""
        example = checked_index(example, len(self.examples))
        distances: Float32Array = l2(self.matrix(stage), example)
        return distances

    def neighbors(self, stage: Stage | str, example: int, k: int = 100) -> pd.DataFrame:
        """Return the k nearest examples: columns example, label, distance; nearest first."""
        checked_k(k, len(self.examples))
        distances = self.distances(stage, example)
        return self.neighbor_table(nearest_of(distances, example, k), distances)

    def neighbor_table(
        self, indices: npt.NDArray[np.int64], distances: Float32Array
    ) -> pd.DataFrame:
        """Return a table of examples in the order given."""
        return pd.DataFrame(
            {
                "example": indices,
                "label": [self.examples.labels[index] for index in indices],
                "distance": distances[indices],
            }
        )

    def find(self, text: str) -> int | None:
        """Return the first example that is what a person typed, or None.

        With ``examples.parse`` by its tokens, otherwise by its label.

        Raises
        ------
        ValueError
            From ``examples.parse``, where the text stands for no example.
        """
        if self.examples.parse is None:
            wanted = text.strip().casefold()
            labels = (label.casefold() for label in self.examples.labels)
            exact = [index for index, label in enumerate(labels) if label == wanted]
            return exact[0] if exact else None
        row = self._parsed(text).tokens[0]
        same = np.flatnonzero((self.examples.tokens == row).all(axis=1))
        return int(same[0]) if len(same) else None

    def add(self, text: str) -> int:
        """Return the index of the example that a person typed; append it where it is new.

        What was captured stays; the new row is captured when its stage is next asked for.
        """
        found = self.find(text)
        if found is not None:
            return found
        if self.examples.parse is None or self.model is None:
            raise ValueError(
                f"no example is called {text!r}. Only examples that are here can be chosen: "
                + self._why_none_is_added()
            )
        parsed = self._parsed(text)
        check_tokens(self.model, parsed.tokens)
        self.examples = self.examples.extended(parsed)
        return len(self.examples) - 1

    def _why_none_is_added(self) -> str:
        if self.path is not None:
            return "open the exploration with cw.open(path, model=model, parse=…) to type others."
        return "their activations were given." if self.model is None else "none can be typed."

    def _parsed(self, text: str) -> Examples:
        assert self.examples.parse is not None
        parsed = self.examples.parse(text)
        if len(parsed) != 1:
            raise ValueError(f"{text!r} was read as {len(parsed)} examples: type one.")
        return parsed
