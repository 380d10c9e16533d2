"""Setting: what every question of an explorer needs, worked out once for its examples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from clusterwidget.activations.activations import Activations
from clusterwidget.core.concepts import Partition, Partitions, partitions, usable
from clusterwidget.core.examples import Examples
from clusterwidget.core.questions import Question, questions
from clusterwidget.core.stages import StageSet
from clusterwidget.meaning.aside import Asides
from clusterwidget.meaning.spread import Scales
from clusterwidget.model.hooks import Model, is_causal

if TYPE_CHECKING:
    from clusterwidget.interventions.replacements import Replacements
    from clusterwidget.interventions.workbench import Workbench


@dataclass(frozen=True)
class Setting:
    """A model, its stages, examples and their activations.

    Attributes
    ----------
    model : Model or None
        None where the activations were given or saved, and nothing can be run.
    stages : StageSet
    examples : Examples
    activations : Activations
    """

    model: Model | None
    stages: StageSet
    examples: Examples
    activations: Activations

    @cached_property
    def concepts(self) -> Partitions:
        """The examples' concepts, as groups of examples."""
        return partitions(self.examples.concepts)

    @cached_property
    def usable_concepts(self) -> list[Partition]:
        """Those that group examples at all: an odd one does not spoil what is not about it."""
        return usable(self.examples.concepts)

    @property
    def causal(self) -> bool:
        """Whether positions are known to see only themselves and those before them."""
        return self.model is None or is_causal(self.model)

    @cached_property
    def answers(self) -> tuple[Question, ...]:
        """The answers that the model is asked for."""
        return questions(self.examples, causal=self.causal)

    @cached_property
    def asides(self) -> Asides:
        """Stage matrices with concepts set aside."""
        return Asides(self.activations, self.examples.concepts)

    @cached_property
    def scales(self) -> Scales:
        """What the spread of a stage is compared with."""
        return Scales(self.activations)

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

        assert self.model is not None
        return Workbench(self.model, self.examples, self.stages)

    def require_model(self) -> None:
        """Raise ValueError where there is no model; before torch is imported, which takes long."""
        if self.model is None:
            raise ValueError(
                "swaps, ablation and traces run the model, and there is none here: give it with "
                "cw.open(path, model=model), or make Explorer(model, examples)."
            )

    @cached_property
    def means(self) -> Replacements:
        """The mean of every part of the model over the reference examples."""
        from clusterwidget.interventions.replacements import Replacements

        return Replacements(self.bench, self.bench.references, averaged=True)
