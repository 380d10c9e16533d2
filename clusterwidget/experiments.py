"""Experiments: what the model answers when something inside it is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.distances import checked_index
from clusterwidget.core.examples import Examples
from clusterwidget.explanations import Explanations
from clusterwidget.core.edges import Edge, checked_edge
from clusterwidget.core.questions import question_named, questions
from clusterwidget.results.trace import DRAWS, LEAST, THRESHOLD, Trace
from clusterwidget.core.watch import Cancelled, CaptureCancelledError, Progress
from clusterwidget.core.stages import Stage

if TYPE_CHECKING:
    from clusterwidget.interventions.replacements import Replacements
    from clusterwidget.interventions.swap import Swap
    from clusterwidget.interventions.workbench import Workbench

Chosen = int | Sequence[int] | npt.NDArray[np.integer]


class Experiments(Explanations):
    """Swaps, ablation and traces; the parameters are those of `Explorer`."""

    _prepared: tuple[Examples, Workbench, Replacements] | None = None

    def swap(
        self, stage: Stage | str, receiver: Chosen, donor: Chosen, *, free: bool = False
    ) -> Swap:
        """Return what the model answers to one example with another's vector at a stage.

        Parameters
        ----------
        stage : Stage or address
            Any but the logits. `result` is put in through `z`, attention scores through `pattern`.
        receiver, donor : int or row of T tokens
            Whose input is run, and whose vector is put in.
        free : bool
            Feed the model its own answers rather than the right ones.

        Returns
        -------
        Swap
            Its `table` has the answers before and after.
        """
        from clusterwidget.interventions.swap import swap

        stage = Stage.of(stage)
        self.stage_set.width(stage)
        return swap(self._workbench(), stage, receiver, donor, free=free)

    def ablate(
        self,
        what: Stage | Edge | str | Sequence[Edge | str],
        example: int,
        *,
        method: Literal["mean", "resample", "drop"] = "mean",
        draws: int = 20,
        renormalize: bool = False,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return what one example's answers lose without a stage, or without edges between stages.

        Parameters
        ----------
        what : Stage, Edge or the address of one, or a sequence of edges
            ``"L1H0.result@S3"``, or ``"embed@L2 -> L0H1.result@="``: see `edges.edge_kind`. Of a
            sequence, all are cut together.
        example : int
        method : "mean", "resample" or "drop"
            What it is replaced by: its mean over the examples (2,000 random ones of them where
            there are more), or what it is in random examples, drawn `draws` times. An attention
            edge can be dropped instead: its weight becomes 0.
        draws : int
        renormalize : bool
            With "drop", whether the head's other weights grow so that they sum to 1 again. With
            "mean" and "resample" no weight changes: what the head brings from there is replaced.
        seed : int
            Of the draws.

        Returns
        -------
        pandas.DataFrame
            One row an answer: ``answer``, ``title``, the text ``before`` with its ``probability``,
            what it becomes ``after``, most often; ``kept``, in which share of the draws it stays;
            ``kept_probability`` and ``loss`` in nats, means over draws; ``unusual``, the median of
            how far the activations are from the nearest ones seen, 1 for as far as usual.
        """
        from clusterwidget.interventions.ablation import (
            ablate_edges,
            ablate_stage,
            checked_method,
        )

        example = checked_index(example, len(self.examples))
        stage = _stage_or_none(what)
        if stage is not None:
            self.stage_set.width(stage)
            checked = checked_method([stage], method, draws, renormalize=renormalize)
            return ablate_stage(self._workbench(), stage, example, checked, seed)
        given = [what] if isinstance(what, (Edge, str)) else what
        edges = [checked_edge(edge, self.stage_set) for edge in given]  # type: ignore[union-attr]
        if not edges:
            raise ValueError("no edge is given: name at least one to cut.")
        checked = checked_method(edges, method, draws, renormalize=renormalize)
        return ablate_edges(self._workbench(), self._means(), edges, example, checked, seed)

    def trace(
        self,
        example: int,
        answer: str,
        *,
        method: Literal["resample", "mean"] = "resample",
        draws: int = DRAWS,
        threshold: float = THRESHOLD,
        least: float = LEAST,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Trace:
        """Return the stages and edges that one answer came through.

        An edge is cut by putting in what it brings in another example; where heads look stays the
        model's own choice. The trace keeps the edges that the answer needs: cutting all the others
        together leaves it as it was.

        Parameters
        ----------
        example : int
        answer : str
            Name of an answer.
        method : "resample" or "mean"
            What is put in: the same from each of `draws` random examples in turn, all of which the
            answer must bear, or the mean over the examples (2,000 random ones where there are
            more). A mean can keep an answer by favoring it.
        draws : int
        threshold : float
            Attention above which a head looks at a position; what is fainter is left alone.
        least : float
            Share of its probability that the answer must keep to be as it was. It must also stay
            the likeliest.
        seed : int
            Of the draws.
        progress, cancelled
            As in `capture`.
        """
        from clusterwidget.interventions.ablation import checked_draws, other_examples
        from clusterwidget.interventions.replacements import Replacements
        from clusterwidget.interventions.trace import trace

        example = checked_index(example, len(self.examples))
        at = question_named(questions(self.examples), answer)
        if method not in ("resample", "mean"):
            raise ValueError(f"method is 'resample' or 'mean', not {method!r}.")
        for name, value in (("threshold", threshold), ("least", least)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be from 0 up and below 1, not {value}.")
        drawn = other_examples(len(self.examples), example, checked_draws(draws), seed)
        bench = self._workbench()
        bench.get_ready(progress and _quiet, cancelled)
        instead = self._means()
        if method == "resample":
            instead = Replacements(bench, drawn, averaged=False)
        counted = progress if method == "mean" else None
        instead.layer(bench.patcher.last, counted, cancelled)

        def tick(layers: int) -> None:
            if progress is not None:
                progress(layers, bench.patcher.last + 1)
            if cancelled is not None and cancelled():
                raise CaptureCancelledError

        return trace(bench, instead, example, at, tick, threshold=threshold, least=least)

    def get_ready(
        self, progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> None:
        """Work out what the first swap needs, so that it comes as soon as the others."""
        if self.model is not None:
            self._workbench().get_ready(progress, cancelled)

    def _workbench(self) -> Workbench:
        if self.model is None:
            raise ValueError(
                "swaps, ablation and traces run the model, and there is none here: give it with "
                "cw.open(path, model=model), or make Explorer(model, examples)."
            )
        if self._prepared is None or self._prepared[0] is not self.examples:
            from clusterwidget.interventions.replacements import Replacements
            from clusterwidget.interventions.workbench import Workbench

            bench = Workbench(self.model, self.examples, self.stage_set)
            means = Replacements(bench, bench.references, averaged=True)
            self._prepared = self.examples, bench, means
        return self._prepared[1]

    def _means(self) -> Replacements:
        self._workbench()
        assert self._prepared is not None
        return self._prepared[2]


def _quiet(done: int, total: int) -> None:
    """Report no progress: layers are counted."""


def _stage_or_none(what: Stage | Edge | str | Sequence[Edge | str]) -> Stage | None:
    """Return a stage or the one with this address; None for what is about edges."""
    if isinstance(what, str) and "->" not in what:
        return Stage.parse(what)
    return what if isinstance(what, Stage) else None
