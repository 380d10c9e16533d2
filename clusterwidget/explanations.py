"""Explanations: what stages stand for, in terms of concepts, clusters and the logit lens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activity import Activity
from clusterwidget.meaning.atlas import Atlas, atlas
from clusterwidget.meaning.neighbors import WIDE, shared_concepts
from clusterwidget.core.distances import checked_index, checked_k, nearest_of
from clusterwidget.core.examples import Examples
from clusterwidget.meaning.meaning import Meaning, meaning
from clusterwidget.core.concepts import Partitions, partitions
from clusterwidget.core.watch import Cancelled, Progress
from clusterwidget.meaning.significance import Correction, significance
from clusterwidget.core.stages import Stage

if TYPE_CHECKING:
    from clusterwidget.meaning.clusters import Clusters

Float32Array = npt.NDArray[np.float32]


class Explanations(Activity):
    """What examples that are near one another share; the parameters are those of `Explorer`."""

    _known: tuple[Examples, tuple[str, ...] | None, Partitions] | None = None

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
                "the logit lens needs the model's unembedding: make the Explorer with the model, "
                "or open a saved exploration with it, cw.open(path, model=model)."
            )
        from clusterwidget.model.lens import CONTRIBUTIONS, lens_logits, probabilities

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
        from clusterwidget.meaning.clusters import find_clusters

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
