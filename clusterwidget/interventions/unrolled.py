"""Unrolled: one example whose positions are all of its own tokens, for edges between them."""

from __future__ import annotations

from dataclasses import replace

from clusterwidget.core.edges import Edge
from clusterwidget.core.examples import Examples
from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.alignment import Alignment, aligned
from clusterwidget.interventions.patching import Patcher
from clusterwidget.interventions.usual import UsualRange
from clusterwidget.interventions.workbench import Workbench
from clusterwidget.model.batch import Batch
from clusterwidget.model.stages import model_stages


class Unrolled(Workbench):
    """One example of a workbench, as a text whose positions are its tokens.

    A token at a position with a name is called by it (by the first, where there are several), and
    any other by its index among the example's own tokens, ``"0"``, ``"1"`` …, or ``"token 1"``
    where a position is called so.

    Parameters
    ----------
    whole : Workbench
    example : int
    """

    def __init__(self, whole: Workbench, example: int) -> None:
        self.whole, self.example = whole, example
        one = whole.examples.inputs[example : example + 1]
        size = int(one.sizes[0])
        names = _names(whole, one, size)
        examples = Examples(
            one.tokens[:, :size], positions=names, vocabulary=whole.examples.vocabulary
        )
        super().__init__(whole.model, examples, model_stages(whole.model, names))
        self.answers = tuple(
            replace(question, column=int(one.at(question.column)[0]), layout=None)
            for question in whole.answers
        )
        columns = [question.column for question in self.answers]
        self.patcher = Patcher(whole.model, self.stage_set, columns)

    @property
    def donors(self) -> Inputs:
        """The examples whose activations can be put in."""
        return self.whole.donors

    @property
    def usual(self) -> UsualRange:
        """The model's last activations on the reference examples, at their own answers."""
        return self.whole.usual

    def get_ready(self, watch: Watch | None = None) -> None:
        """Run the reference examples once."""
        self.whole.get_ready(watch)

    def aligned(self, others: Inputs) -> Alignment | None:
        """Return which tokens of others are put in for those of this example."""
        inputs = self.whole.examples.inputs[self.example : self.example + 1]
        return aligned(inputs, others, len(self.whole.examples.positions))

    def one(self, example: int) -> Batch:
        """Return the example as a batch."""
        return self.patcher.batch(self.examples.inputs)

    def own(self, edge: Edge) -> Edge:
        """Return an edge by the names that positions have here."""
        return Edge(self._own(edge.source), self._own(edge.target))

    def _own(self, stage: Stage) -> Stage:
        column = self.whole.examples.places.column(stage.position)
        if column is None:
            return stage
        at = int(self.whole.examples.inputs.at(column)[self.example])
        known = 0 <= at < len(self.examples.positions)
        return replace(stage, position=self.examples.positions[at]) if known else stage


def _names(whole: Workbench, one: Inputs, size: int) -> list[str]:
    """Return what the tokens of an example are called."""
    taken = whole.examples.positions
    names = [str(at) if str(at) not in taken else f"token {at}" for at in range(size)]
    for column in reversed(range(len(taken))):
        at = int(one.at(column)[0])
        if 0 <= at < size:
            names[at] = taken[column]
    return names
