"""Setting: what every question of an explorer needs, worked out once for its examples."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from clusterwidget.activations.activations import Activations
from clusterwidget.activations.measured import Measured
from clusterwidget.core.concepts import Partition, Partitions, partitions, usable
from clusterwidget.core.examples import Examples
from clusterwidget.core.metrics import METRICS, Metric
from clusterwidget.core.questions import Question, questions
from clusterwidget.core.stages import StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.aside import Asides
from clusterwidget.meaning.sharedtexts import TextSearch
from clusterwidget.meaning.spread import MeasuredScales, Scales
from clusterwidget.meaning.textindex import TextIndex
from clusterwidget.model.hooks import Model, is_causal
from clusterwidget.model.lazy import LazyModel

if TYPE_CHECKING:
    from clusterwidget.interventions.replacements import Replacements
    from clusterwidget.interventions.unrolled import Unrolled
    from clusterwidget.interventions.workbench import Workbench


@dataclass(frozen=True)
class Setting:
    """A model, its stages, examples and their activations.

    Attributes
    ----------
    lazy : LazyModel or None
        None where the activations were given or saved, and nothing can be run.
    examples : Examples
    activations : Activations
    """

    lazy: LazyModel | None
    examples: Examples
    activations: Activations

    @property
    def model(self) -> Model | None:
        """The model, if there is one; loaded first where it must be."""
        return None if self.lazy is None else self.lazy.get()

    @property
    def stages(self) -> StageSet:
        """The stages that can be asked about."""
        return self.activations.stage_set

    @cached_property
    def concepts(self) -> Partitions:
        """The examples' concepts, as groups of examples; warns of those that group none."""
        found = partitions(self.examples.concepts)
        if found.left_out:
            warnings.warn("\n".join(found.left_out), stacklevel=2)
        return found

    @cached_property
    def texts(self) -> TextSearch:
        """What finds patterns in the examples' texts."""
        inputs = self.examples.inputs
        return TextSearch(TextIndex(inputs, self.examples.token_text), inputs)

    @cached_property
    def digest(self) -> str:
        """What tells these examples from others: their tokens, and the groups that concepts make.

        Named by it, what was worked out for examples stays theirs.
        """
        digest = hashlib.sha256(np.ascontiguousarray(self.examples.tokens, np.int64).tobytes())
        digest.update(self.examples.inputs.marks())
        for partition in self.usable_concepts:
            digest.update(repr((partition.names, partition.groups)).encode())
            digest.update(np.ascontiguousarray(partition.codes, np.int64).tobytes())
        for answer in self.examples.answers.values():
            digest.update(repr((answer.name, answer.position)).encode())
            digest.update(np.ascontiguousarray(answer.tokens, np.int64).tobytes())
        return digest.hexdigest()[:32]

    @cached_property
    def usable_concepts(self) -> list[Partition]:
        """Those that group examples at all: an odd one does not spoil what is not about it."""
        return usable(self.examples.concepts)

    def grouped(self, name: str) -> list[Partition]:
        """Return the groups of one concept by itself; none where it groups no examples."""
        return usable(self.examples.concepts[[name]])

    @property
    def causal(self) -> bool:
        """Whether positions are known to see only themselves and those before them."""
        return self.model is None or is_causal(self.model)

    @cached_property
    def answers(self) -> tuple[Question, ...]:
        """The answers that the model is asked for."""
        return questions(self.examples, causal=self.causal)

    def measured(self, metric: Metric) -> Activations | Measured:
        """Return the activations as a metric sees them."""
        return self.activations.measured(metric)

    @cached_property
    def asides(self) -> dict[Metric, Asides]:
        """Stage matrices with concepts set aside, by metric."""
        concepts = self.examples.concepts
        return {metric: Asides(self.measured(metric), concepts) for metric in METRICS}

    @cached_property
    def scales(self) -> Scales:
        """What the spread of a stage is compared with."""
        return Scales(self.activations)

    def scales_of(self, metric: Metric) -> Scales | MeasuredScales:
        """Return what the spread of a stage is compared with, as a metric sees it."""
        return self.scales if metric == "l2" else MeasuredScales(self.activations, self.scales)

    @cached_property
    def bench(self) -> Workbench:
        """What runs the model with something changed; imports torch when first asked for.

        Raises
        ------
        ValueError
            Where there is no model.
        """
        self.require_model()
        from clusterwidget.interventions.workbench import Workbench

        assert self.lazy is not None
        return Workbench(self.lazy.get(), self.examples, self.lazy.stages())

    def release(self) -> None:
        """Let go of what was captured and run: it is made again when it is asked for."""
        self.activations.release()
        if "bench" in self.__dict__:
            self.bench.release()

    def extended(self, examples: Examples, activations: Activations) -> Setting:
        """Return the setting of these examples and further ones; the reference examples stay."""
        other = replace(self, examples=examples, activations=activations)
        if "bench" in self.__dict__:
            other.__dict__["bench"] = self.bench.extended(examples)
        return other

    def require_model(self, watch: Watch | None = None) -> None:
        """Load the model where it must be, before torch is imported, which takes long.

        Raises
        ------
        ValueError
            Where there is no model.
        ModelNotLoadedError
            Where it cannot be loaded.
        """
        if self.lazy is not None:
            self.lazy.get(watch)
        else:
            raise ValueError(
                "swaps, ablation and traces run the model, and there is none here: give it with "
                "cw.open(path, model=model), or make Explorer(model, examples)."
            )

    def bench_of(self, example: int) -> tuple[Workbench, Replacements]:
        """Return what edges of an example are cut with, and the means that can be put in.

        Where positions are other tokens in each example, they run over all tokens of this one.
        """
        if self.examples.places.layout is None:
            return self.bench, self.means
        from clusterwidget.interventions.replacements import Replacements

        unrolled = self.unrolled(example)
        return unrolled, Replacements(unrolled, self.bench.references, averaged=True)

    def unrolled(self, example: int) -> Unrolled:
        """Return an example as a text whose positions are its tokens."""
        from clusterwidget.interventions.unrolled import Unrolled

        return Unrolled(self.bench, example)

    @cached_property
    def means(self) -> Replacements:
        """The mean of every part of the model over the reference examples."""
        from clusterwidget.interventions.replacements import Replacements

        return Replacements(self.bench, self.bench.references, averaged=True)
