"""Questions: which answers an intervention is judged by, and what is right."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import text
from clusterwidget.core.examples import Examples
from clusterwidget.core.inputs import Layout
from clusterwidget.core.stages import Stage

NEXT = "next"
"""The answer asked for where the examples name none: what follows the last position."""


@dataclass(frozen=True)
class Question:
    """An answer that is asked for.

    Attributes
    ----------
    name, title : str
    column : int
        Index of the position whose logits give it; below 0 where it counts from the end.
    right : numpy.ndarray, shape (N,), or None
        The right token of each example; None where that is what the model answers by itself.
    fed : bool
        Whether the answer is the next token of the input, so that a model can be fed its own.
    causal : bool
        Whether the model's positions see only themselves and those before them.
    layout : Layout or None
        Where positions stand to one another, where they differ from example to example.
    """

    name: str
    title: str
    column: int
    right: npt.NDArray[np.integer] | None
    fed: bool
    causal: bool = True
    layout: Layout | None = field(default=None, repr=False)

    def reached_from(self, column: int) -> bool:
        """Tell whether what happens at a position can reach the answer.

        In a causal model only from its own position and those before it. Layers are not looked at:
        what the last layer writes elsewhere is found not to matter by running it.
        """
        if not self.causal:
            return True
        if self.layout is None:
            return column <= self.column
        return self.layout.can_reach(column, self.column)


def questions(examples: Examples, *, causal: bool = True) -> tuple[Question, ...]:
    """Return the examples' answers in order of position; one called ``next`` if they have none.

    Parameters
    ----------
    examples : Examples
    causal : bool
        Whether the model that is asked is. One that sees the whole input is not fed its answers.
    """
    places, inputs = examples.places, examples.inputs
    layout = places.layout
    asked = []
    for answer in examples.answers.values():
        column = places.column(answer.position)
        assert column is not None
        following = inputs.at(column) + 1
        fed = causal and bool((following < inputs.sizes).all())
        if fed:
            tokens = np.take_along_axis(inputs.tokens, following[:, None], axis=1)[:, 0]
            fed = bool((tokens == answer.tokens).all())
        title = answer.title or answer.name
        asked.append(Question(answer.name, title, column, answer.tokens, fed, causal, layout))
    asked.sort(key=lambda one: one.column if layout is None else layout.order(one.column))
    last = places.column("-1") if layout is not None else len(places.names) - 1
    assert last is not None
    return tuple(asked) or (Question(NEXT, NEXT, last, None, False, causal, layout),)


def question_named(asked: Sequence[Question], name: str) -> int:
    """Return the index of an answer; raise ValueError with the nearest name where there is none."""
    text("answer", name)
    names = [question.name for question in asked]
    if name in names:
        return names.index(name)
    close = difflib.get_close_matches(str(name), names, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"there is no answer {name!r}.{meant} There are {', '.join(names)}.")


def require_reached(
    asked: Sequence[Question], column: int, stage: Stage, at: int | None = None
) -> None:
    """Raise ValueError where no answer, or not this one, comes at or after a stage's position."""
    reached = [question.name for question in asked if question.reached_from(column)]
    if not reached:
        raise ValueError(
            f"{stage} comes after the last answer, {asked[-1].name!r}, has been read: it cannot "
            "matter for any answer. Choose a stage at an earlier position."
        )
    if at is not None and asked[at].name not in reached:
        raise ValueError(
            f"{stage} comes after the answer {asked[at].name!r} has been read: it does not reach "
            f"it and cannot matter for it. It reaches {', '.join(reached)}."
        )
