"""Certification: whether near examples, or those of one concept, can stand in for each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.experiments import Experiments
from clusterwidget.results.kept import Certificates, Settings
from clusterwidget.core.questions import question_named, questions, require_reached
from clusterwidget.results.swaptest import Outcomes, SwapTest, concluded
from clusterwidget.core.concepts import Partition, partitions, unknown_concept
from clusterwidget.core.watch import Cancelled, CaptureCancelledError, Progress, reported
from clusterwidget.core.stages import Stage

CERTIFIED = ("result", "attn_out", "mlp_out")
"""Kinds of the stages whose certificates are made where nobody says which."""


class Certification(Experiments):
    """Swap tests of stages; the parameters are those of `Explorer`."""

    _tests: Certificates | None = None

    def swap_test(
        self,
        stage: Stage | str,
        answer: str | None = None,
        concept: str | None = None,
        *,
        pairs: int = 1000,
        seed: int = 0,
        free: bool = False,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> SwapTest:
        """Return how much of the answers survives when a stage's vector comes from elsewhere.

        Six donors for each receiver: its nearest neighbor, one of its 20 nearest, an example with
        the same value of a concept, one with the same value and far away, any example, and the
        mean of all (`pairs.CONDITIONS`).

        Parameters
        ----------
        stage : Stage or address
        answer : str, optional
            The answer that the verdict is about; by default the one that random swaps cost most.
        concept : str, optional
            By default the one that names the stage: see `meaning`.
        pairs : int
            How many receivers, each one a different example: at most as many as there are.
        seed : int
            Decides the receivers, their donors and the bootstrap.
        free : bool
            Feed the model its own answers rather than the right ones.
        progress, cancelled
            As in `capture`. What a test that was called off has done is kept: called again it goes
            on from there.

        Raises
        ------
        ValueError
            Where the stage cannot be swapped or reaches no answer, or the concept has one value.
        CaptureCancelledError
        """
        stage = Stage.of(stage)
        settings = Settings(concept, _checked_pairs(pairs), seed, bool(free))
        asked = questions(self.examples)
        at = None if answer is None else question_named(asked, answer)
        test = self._certificates.get(stage, settings)
        if test is None:
            column = self.stage_set.column(stage)
            require_reached(asked, column, stage, at)
            self._workbench().patcher.carrier(stage)
            self._captures.capture([stage], progress, cancelled)
            self.get_ready(progress, cancelled)
            with reported(progress, 8 * pairs, "step") as report:
                test = self._tested(stage, settings, report, cancelled)
            self._certificates.put(test, settings)
        return test if answer is None else test.about(answer)

    def certificates(
        self,
        stages: Iterable[Stage | str] | None = None,
        *,
        pairs: int = 1000,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> pd.DataFrame:
        """Return the verdicts of the swap tests of many stages, making those that are missing.

        Each test is kept as soon as it is made, also in the saved exploration if there is one, so
        that what was called off goes on from there.

        Parameters
        ----------
        stages : iterable of Stage or address, optional
            By default what heads, attention and MLPs write at the positions of the answers.
        pairs, seed
            As in `swap_test`.
        progress : function of (stages done, stages in all), optional
        cancelled : function, optional

        Returns
        -------
        pandas.DataFrame
            Indexed by stage: ``verdict``, ``answer``, ``concept``, ``far``, what is recovered with
            a far example of the same value, ``near``, with a near one, and ``sentence``.
        """
        wanted = self._certified() if stages is None else [Stage.of(stage) for stage in stages]
        settings = Settings(None, _checked_pairs(pairs), seed)
        missing = [stage for stage in wanted if self._certificates.get(stage, settings) is None]
        if missing:
            self._capture_for_tests(missing, progress and _quiet, cancelled)
        with reported(progress, len(wanted), "stage") as report:
            for stage in missing:
                report(len(wanted) - len(missing) + missing.index(stage), len(wanted))
                self.swap_test(stage, pairs=pairs, seed=seed, progress=_quiet, cancelled=cancelled)
            report(len(wanted), len(wanted))
        return self._verdicts([self.swap_test(stage, pairs=pairs, seed=seed) for stage in wanted])

    def known_certificates(self) -> dict[Stage, SwapTest]:
        """Return the swap tests that were made with default settings, by stage."""
        return self._certificates.of(Settings())

    def restore_certificates(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Take in swap tests that were saved."""
        self._certificates.restore(records)

    @property
    def _certificates(self) -> Certificates:
        if self._tests is None:
            self._tests = Certificates(self._keep_certificate)
        return self._tests

    def _keep_certificate(self, key: str, document: dict[str, Any]) -> None:
        """Keep a new test where it lasts; here nothing lasts."""

    def _tested(
        self,
        stage: Stage,
        settings: Settings,
        progress: Progress,
        cancelled: Cancelled | None,
    ) -> SwapTest:
        from clusterwidget.interventions.pairs import draw_pairs, draw_receivers
        from clusterwidget.interventions.swaptests import run_pairs

        bench = self._workbench()
        concept = self._concept(stage, settings.concept)
        n, done = len(self.examples), 0
        count = min(settings.pairs, n)
        conditions = 6 if concept else 4
        total = count * (conditions + 2)

        def tick(steps: int = 1) -> None:
            nonlocal done
            done += steps
            progress(done, total)
            if cancelled is not None and cancelled():
                raise CaptureCancelledError

        def begin() -> tuple[Any, Outcomes]:
            receivers = draw_receivers(n, count, settings.seed)
            pairs = draw_pairs(self.matrix(stage), receivers, concept, settings.seed, tick)
            names = [*pairs.donors, "mean"]
            return pairs, Outcomes.empty(names, count, len(bench.asked))

        pairs, outcomes = self._certificates.begun(stage, settings, n, begin)
        done = count + outcomes.done * (conditions + 1)
        vectors = self._vectors(stage, cancelled)
        run_pairs(bench, stage, vectors, pairs, outcomes, tick, free=settings.free)
        self._certificates.ended(stage, settings, n)
        column = bench.column(stage)
        reached = [pair for pair in enumerate(bench.asked) if pair[1].reached_from(column)]
        name = None if concept is None else concept.name
        return concluded(stage, name, reached, outcomes, settings.seed)

    def _vectors(self, stage: Stage, cancelled: Cancelled | None) -> npt.NDArray[np.float32]:
        """Return what is put in at a stage, of all examples: see `Patcher.carrier`."""
        from clusterwidget.model.recorder import z_of_result

        assert self.model is not None
        carrier = self._workbench().patcher.carrier(stage)
        if stage.kind == "result" and not self.holds(carrier):
            z = z_of_result(self.model, stage, self.matrix(stage))
            if z is not None:
                return z
        return self.matrix(carrier, progress=_quiet, cancelled=cancelled)

    def _concept(self, stage: Stage, name: str | None) -> Partition | None:
        """Return the groups of a concept, or of the one that names a stage."""
        if name is None:
            known = self.partitions()
            found = self.meaning(stage).concept if known.all else None
            return None if found is None else known.named(found)
        columns = self.examples.concepts.columns
        # Concepts that divide the examples alike are called by all their names: S4 = carry4.
        names = [name] if name in columns else name.split(" = ")
        made = partitions(self.examples.concepts, names)
        if len(made.all) > 1:
            raise ValueError(unknown_concept(name, list(columns)))
        if not made.all:
            raise ValueError(
                f"{' '.join(made.notes)} With one value among the donors there is nothing that "
                "they could share or not: choose another concept, or examples in which it differs."
            )
        return made.all[0]

    def _certified(self) -> list[Stage]:
        kinds = [row.kind for row in self.stage_set.rows if row.kind in CERTIFIED]
        columns = sorted({question.column for question in questions(self.examples)})
        return self.stages(kinds=kinds, positions=[self.stage_set.positions[c] for c in columns])

    def _capture_for_tests(
        self, stages: Sequence[Stage], progress: Progress | None, cancelled: Cancelled | None
    ) -> None:
        """Capture what tests of these stages need in as few passes as memory allows."""
        for stage in stages:
            self._workbench().patcher.carrier(stage)
        self._captures.capture(self.affordable(stages), progress, cancelled)

    @staticmethod
    def _verdicts(tests: Sequence[SwapTest]) -> pd.DataFrame:
        def kept(test: SwapTest, condition: str) -> float:
            bars = test.bars(test.answer)["recovered"]
            return float(bars.get(condition, np.nan))

        rows = [
            {
                "stage": str(test.stage),
                "verdict": test.verdict,
                "answer": test.answer,
                "concept": test.concept,
                "far": kept(test, "far"),
                "near": kept(test, "near"),
                "sentence": test.sentence,
            }
            for test in tests
        ]
        names = ["stage", "verdict", "answer", "concept", "far", "near", "sentence"]
        return pd.DataFrame(rows, columns=names).set_index("stage")


def _quiet(done: int, total: int) -> None:
    """Report no progress: what this is a part of does."""


def _checked_pairs(pairs: int) -> int:
    if isinstance(pairs, bool) or not isinstance(pairs, (int, np.integer)) or pairs < 2:
        raise ValueError(f"a swap test needs at least 2 pairs, a whole number, not {pairs!r}.")
    return int(pairs)
