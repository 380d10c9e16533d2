"""Explorer: answers every question about a model and examples. The widget shows its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations import Activations, given_activations
from clusterwidget.atlas import Atlas, atlas
from clusterwidget.captures import Captures
from clusterwidget.concepts import WIDE, shared_concepts
from clusterwidget.distances import checked_index, checked_k, l2, nearest_of
from clusterwidget.examples import Examples
from clusterwidget.hooks import Model, check_tokens, checked_model, model_stages
from clusterwidget.meaning import Meaning, meaning
from clusterwidget.partitions import Partitions, partitions
from clusterwidget.progress import Cancelled, Progress
from clusterwidget.significance import Correction, significance
from clusterwidget.stages import Stage

if TYPE_CHECKING:
    from clusterwidget.clusters import Clusters

Float32Array = npt.NDArray[np.float32]


class Explorer:
    """What a model holds to be the same: distances and neighbors at any stage.

    Activations are captured when they are first asked for, once, and kept within `memory`.

    Parameters
    ----------
    model : Model, optional
        Anything with the surface of TransformerLens's models.
    examples : Examples
    activations : mapping of Stage or address to array of shape (N, d), optional
        Activations that you already have, from any tool; then no model is needed.
    memory : int, optional
        Bytes that captured activations may take: 2 GiB by default. The least recently used are
        dropped, and captured again when they are needed.
    batch_size : int, optional
        Examples in one forward pass. By default about 14,000 tokens' worth.

    Raises
    ------
    TypeError, ValueError
        Where the parts do not fit together, before any work begins.
    """

    def __init__(
        self,
        model: Any = None,
        examples: Examples | None = None,
        *,
        activations: Mapping[Stage | str, npt.ArrayLike] | None = None,
        memory: int = 2 << 30,
        batch_size: int | None = None,
    ) -> None:
        if not isinstance(examples, Examples):
            raise TypeError(
                f"examples must be clusterwidget.Examples, not {type(examples).__name__}: make "
                "them with Examples(tokens, labels=…)."
            )
        if len(examples) < 2:
            raise ValueError("there is one example only: at least two are needed to compare.")
        if (model is None) == (activations is None):
            raise TypeError(
                "give a model or activations: Explorer(model, examples), or "
                "Explorer(examples=examples, activations={'L0.z@0': array})."
            )
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
        self.examples = examples
        self.model: Model | None = None
        if activations is None:
            self.model = checked_model(model)
            check_tokens(self.model, examples.tokens)
            held = Activations(memory)
            self.stage_set = model_stages(self.model, examples.positions)
        else:
            held, self.stage_set = given_activations(activations, len(examples), examples.positions)
        self._known: tuple[Examples, tuple[str, ...] | None, Partitions] | None = None
        self._captures = Captures(
            held, self.stage_set, self.model, lambda: self.examples.tokens, batch_size
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
        return self._captures.whole(Stage.of(stage)) is not None

    def release(self) -> None:
        """Drop what was captured, to free memory; it is captured again when it is asked for."""
        self._captures.release()

    def affordable(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return the stages, in order, that can be captured and held beside what is held now."""
        return self._captures.affordable(stages)

    def vectors(self, stage: Stage | str) -> Float32Array:
        """Return the vectors in the model's own basis, shape (N, d).

        As `matrix`, but for `result`, whose rows are then of length d_model.
        """
        stage = Stage.of(stage)
        matrix = self.matrix(stage)
        if stage.kind != "result" or self.model is None:
            return matrix
        from clusterwidget.recorder import result_basis

        assert stage.layer is not None
        assert stage.head is not None
        basis = result_basis(self.model, stage.layer, stage.head)[1].numpy()
        vectors: Float32Array = matrix @ basis.astype(np.float32)
        return vectors

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

    def shared(
        self,
        stage: Stage | str,
        example: int,
        k: int = 100,
        *,
        concepts: Iterable[str] | None = None,
    ) -> pd.DataFrame:
        """Return what the k neighbors share with an example, one row a concept, strongest first.

        The columns are those of `concepts.shared_concepts`.
        """
        n = len(self.examples)
        checked_k(k, n)
        distances = self.distances(stage, example)
        wide = nearest_of(distances, example, max(1, min(n - 1, round(WIDE * n))))
        near = nearest_of(distances, example, k)
        return shared_concepts(self._partitions(concepts), example, near, wide)

    def atlas(
        self,
        stages: Iterable[Stage | str] | None = None,
        concepts: Iterable[str] | None = None,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return the explained share of each concept at each stage, stages × concepts.

        All stages and all concepts by default; stages that are not held are not kept either.
        """
        wanted = self.stages() if stages is None else [Stage.of(stage) for stage in stages]
        return self.atlas_of(
            wanted, concepts=concepts, progress=progress, cancelled=cancelled
        ).table()

    def atlas_of(
        self,
        stages: Sequence[Stage],
        *,
        concepts: Iterable[str] | None = None,
        pairs: Sequence[tuple[str, str]] = (),
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Atlas:
        """Return the atlas as it is computed, with the shares of pairs of concepts as well."""
        known = self._partitions(concepts)
        joint = [known.named(b).within(known.named(a)) for a, b in pairs]
        return atlas(
            self._captures, stages, known, pairs=joint, progress=progress, cancelled=cancelled
        )

    def significance(
        self,
        stages: Iterable[Stage | str],
        concepts: Iterable[str] | None = None,
        *,
        permutations: int = 199,
        correction: Correction = "bh",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return p of each explained share, stages × concepts, by permuting the examples.

        The parameters are those of `significance.significance`: corrected for all stages and
        concepts that are asked for, by the false discovery rate or the largest share.
        """
        return significance(
            self._captures,
            [Stage.of(stage) for stage in stages],
            self._partitions(concepts),
            permutations=permutations,
            correction=correction,
            seed=seed,
            progress=progress,
        )

    def meaning(
        self,
        stage: Stage | str,
        *,
        concepts: Iterable[str] | None = None,
        most: float = 0.8,
        seed: int = 0,
    ) -> Meaning:
        """Return what a stage stands for: the coarsest concept that explains most of it.

        Parameters
        ----------
        stage : Stage or address
        concepts : iterable of str, optional
            Names to choose among; all by default.
        most : float
            Share of the best concept's explained share that the coarsest one must reach.
        seed : int
            Of the halves in which names are chosen and shares told, and of the permutations.
        """
        if not 0 < most <= 1:
            raise ValueError(f"most must be above 0 and at most 1, not {most}.")
        known = self._partitions(concepts).all
        if not known:
            raise ValueError(
                "there is no concept to name the stage by: give the examples concepts that differ "
                "between them."
            )
        return meaning(self.matrix(stage), known, most=most, seed=seed)

    def lens(self, stage: Stage | str, example: int, top: int = 5) -> pd.DataFrame:
        """Return the logit lens: what the model would answer if it stopped at a stage.

        Returns
        -------
        pandas.DataFrame
            The `top` tokens, likeliest first: ``token``, ``text``, and ``probability`` for the
            residual stream and the logits, or ``contribution`` to the logits for what is added to
            the stream.
        """
        example = checked_index(example, len(self.examples))
        logits, column = self._lens_values(Stage.of(stage), np.array([example]))
        order = np.argsort(-logits[0], kind="stable")[:top]
        return pd.DataFrame(
            {
                "token": order,
                "text": [self.examples.token_text(int(token)) for token in order],
                column: logits[0][order],
            }
        )

    def lens_agreement(self, stage: Stage | str, example: int, k: int = 100) -> tuple[int, int]:
        """Return at how many of the k neighbors the lens says the same token, and k."""
        near = self.neighbors(stage, example, k)["example"].to_numpy()
        values, _ = self._lens_values(Stage.of(stage), np.array([example, *near]))
        said = values.argmax(axis=1)
        return int((said[1:] == said[0]).sum()), k

    def _lens_values(self, stage: Stage, rows: npt.NDArray[np.int64]) -> tuple[Float32Array, str]:
        self.stage_set.width(stage)
        if self.model is None:
            raise ValueError(
                "the logit lens needs the model's unembedding: make the Explorer with the model."
            )
        from clusterwidget.lens import CONTRIBUTIONS, lens_logits, probabilities

        logits = lens_logits(self.model, stage, self.vectors, rows)
        if stage.kind in CONTRIBUTIONS:
            return logits, "contribution"
        return probabilities(logits), "probability"

    def clusters(
        self,
        stage: Stage | str,
        n: int | None = None,
        *,
        method: str = "kmeans",
        concepts: Iterable[str] | None = None,
        seed: int = 0,
    ) -> Clusters:
        """Return the clusters of a stage, each named by the concepts enriched in it.

        The parameters are those of `clusters.find_clusters`.
        """
        from clusterwidget.clusters import find_clusters

        known = self._partitions(concepts).all
        return find_clusters(self.matrix(stage), known, n, method=method, seed=seed)

    def partitions(self) -> Partitions:
        """Return the concepts as partitions of the examples."""
        return self._partitions(None)

    def _partitions(self, names: Iterable[str] | None) -> Partitions:
        """Return the concepts as partitions, worked out once for the examples as they are."""
        chosen = None if names is None else tuple(names)
        if self._known is None or self._known[:2] != (self.examples, chosen):
            self._known = (self.examples, chosen, partitions(self.examples.concepts, chosen))
        return self._known[2]

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
                + ("their activations were given." if self.model is None else "none can be typed.")
            )
        parsed = self._parsed(text)
        check_tokens(self.model, parsed.tokens)
        self.examples = self.examples.extended(parsed)
        return len(self.examples) - 1

    def _parsed(self, text: str) -> Examples:
        assert self.examples.parse is not None
        parsed = self.examples.parse(text)
        if len(parsed) != 1:
            raise ValueError(f"{text!r} was read as {len(parsed)} examples: type one.")
        return parsed
