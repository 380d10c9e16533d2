"""Swap tests: draw pairs, run them in parts, and conclude.

Resampling ablation under a hypothesis, after Chan et al., "Causal scrubbing" (2022). The pairs that
were run of a cancelled test are kept, and the test goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.concepts import Partition, joint, partitions, unknown_concept
from clusterwidget.core.questions import question_named, require_reached
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.budgets import spend
from clusterwidget.interventions.following import Following, PartsPutIn
from clusterwidget.interventions.pairs import draw_pairs, draw_random, draw_receivers
from clusterwidget.interventions.runs import Run, start_of
from clusterwidget.interventions.setting import Setting
from clusterwidget.interventions.workbench import Workbench, losses
from clusterwidget.meaning.meaning import meaning
from clusterwidget.model.batch import Batch
from clusterwidget.model.recorder import z_of_result
from clusterwidget.results.follows import NO_FOLLOWS
from clusterwidget.results.kept import Settings, SwapTests
from clusterwidget.results.pairs import NOBODY, Pairs
from clusterwidget.results.swaptest import WITHOUT, Outcomes, SwapTest, concluded

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_AT_ONCE = 256
"""Pairs in a batch; a test can be cancelled between two batches."""

MEASURED = 256
"""Pairs for which `unusual` is computed: its median needs no more, and it takes time."""

SCREENED = 256
"""Pairs of random donors that are run first: where they change no answer, the test ends."""

KINDS = ("result", "attn_out", "mlp_out")
"""Kinds of the stages that are tested by default: what is added to the residual stream."""


def swap_test(
    setting: Setting,
    kept: SwapTests,
    stage: Stage,
    settings: Settings,
    answer: str | None,
    watch: Watch,
) -> SwapTest:
    """Return the swap test of a stage, making it where it is missing.

    The parameters are those of `Explorer.swap_test`.
    """
    answers = setting.answers
    at = None if answer is None else question_named(answers, answer)
    test = kept.get(stage, settings)
    if test is None:
        require_reached(answers, setting.stages.column(stage), stage, at)
        if settings.concepts:
            joint_concept(setting, settings.concepts)
        setting.bench.patcher.carrier(stage)
        setting.activations.capture([stage], watch)
        with watch.bar(9 * settings.pairs, "step") as reporting:
            test = _made(setting, kept, stage, settings, reporting)
        kept.put(test, settings)
    return test if answer is None else test.about(answer)


def swap_tests(
    setting: Setting,
    kept: SwapTests,
    stages: Sequence[Stage],
    settings: Settings,
    watch: Watch,
    budget: float | None = None,
) -> tuple[list[SwapTest], list[Stage]]:
    """Return the swap tests of many stages, and the stages that a budget in seconds left out.

    Tests that are missing are made and kept one by one.
    """
    missing = [stage for stage in stages if kept.get(stage, settings) is None]
    left_out: list[Stage] = []
    for stage in missing:
        setting.bench.patcher.carrier(stage)
        require_reached(setting.answers, setting.stages.column(stage), stage)
    with watch.bar(len(stages), "stage") as reporting:

        def test(stage: Stage) -> None:
            swap_test(setting, kept, stage, settings, None, reporting.quiet())

        if missing and budget is not None:
            left_out = spend(setting, missing, settings, budget, test, reporting)
        elif missing:
            # What the tests need, in as few passes as memory allows.
            affordable = setting.activations.affordable(missing)
            setting.activations.capture(affordable, watch.quiet())
            for index, stage in enumerate(missing, start=len(stages) - len(missing)):
                reporting.step(index, len(stages))
                test(stage)
        reporting.step(len(stages), len(stages))
    tested = [stage for stage in stages if stage not in set(left_out)]
    return [swap_test(setting, kept, stage, settings, None, watch) for stage in tested], left_out


def default_stages(setting: Setting) -> list[Stage]:
    """Return what heads, attention and MLPs write at the positions of the answers."""
    kinds = {row.kind for row in setting.stages.rows}
    columns = sorted({question.column for question in setting.answers})
    positions = [setting.stages.places.name(column) for column in columns]
    return setting.stages.select([kind for kind in KINDS if kind in kinds], positions=positions)


class Steps:
    """Counts the runs of one swap test.

    Parameters
    ----------
    watch : Watch
    total : int
    done : int
        How many were done before.
    """

    def __init__(self, watch: Watch, total: int, done: int = 0) -> None:
        self._watch, self._total, self.done = watch, total, done

    def add(self, count: int = 1) -> None:
        """Count further runs; raise ``CaptureCancelledError`` where the test was called off."""
        self.done += count
        self._watch.step(self.done, self._total)


def _made(
    setting: Setting, kept: SwapTests, stage: Stage, settings: Settings, watch: Watch
) -> SwapTest:
    bench, n = setting.bench, len(setting.examples)
    count = min(settings.pairs, n)
    column = bench.column(stage)
    reached = [pair for pair in enumerate(bench.answers) if pair[1].reached_from(column)]
    vectors = _vectors(setting, stage, watch)
    receivers = draw_receivers(n, count, settings.seed)
    under_way = kept.begun(stage, settings, n)
    runs = Runs(bench, stage, vectors, free=settings.free)
    if under_way is None:
        seen = _screened(runs, receivers, len(vectors), settings, watch)
        if seen.do_not_matter([at for at, _ in reached]):
            return concluded(stage, None, reached, seen, NO_FOLLOWS, (settings.seed, settings.how))
    named = _named(setting, stage, settings)
    following = None
    if named is not None:
        following = Following(
            setting.examples, bench.answers, [at for at, _ in reached], named.groups, named.names
        )
    concept = None if named is None else named.groups
    put_in = (
        PartsPutIn(vectors, concept)
        if concept is not None and following and settings.how == "part"
        else None
    )
    extra = (1 + (put_in is not None)) if following else 0
    steps = Steps(watch, count * ((6 if concept else 4) + 2 + extra))
    if under_way is None:
        matrix = setting.measured(settings.metric).matrix(stage, watch.quiet())
        pairs = draw_pairs(matrix, receivers, concept, settings.seed, steps.add)
        if following:
            matched = following.matched(setting.usable_concepts, receivers, settings.seed)
            pairs = replace(pairs, matched=matched)
        outcomes = Outcomes.empty([*pairs.donors, "mean"], count, len(bench.answers))
        kept.begin(stage, settings, n, pairs, outcomes)
    else:
        pairs, outcomes = under_way
    steps.done = count + outcomes.done * ((6 if concept else 4) + 1 + extra)
    # Not before it is known that the stage matters: running the reference examples takes long.
    bench.get_ready(watch.quiet())
    runs.all(pairs, outcomes, steps, put_in)
    kept.ended(stage, settings, n)
    follows = following.table(pairs, outcomes, settings.how) if following else NO_FOLLOWS
    name = None if concept is None else concept.name
    return concluded(stage, name, reached, outcomes, follows, (settings.seed, settings.how))


def _screened(runs: Runs, receivers: Ints, n: int, settings: Settings, watch: Watch) -> Outcomes:
    """Return what random swaps do in the first pairs: at most stages they change nothing."""
    few = receivers[:SCREENED]
    donors = {"random": draw_random(few, n, settings.seed)}
    outcomes = runs.empty(list(donors), len(few))
    steps = Steps(watch.quiet(), 2 * len(few))
    runs.all(Pairs(few, donors), outcomes, steps, random_alone=True)
    return outcomes


def _vectors(setting: Setting, stage: Stage, watch: Watch) -> Float32Array:
    """Return what is put in at a stage, of all examples: see `Patcher.carrier`."""
    assert setting.model is not None
    carrier = setting.bench.patcher.carrier(stage)
    if stage.kind == "result" and not setting.activations.at_hand(carrier):
        coordinates = setting.activations.matrix(stage, watch.quiet())
        z = z_of_result(setting.model, stage, coordinates)
        if z is not None:
            return z
    return setting.activations.matrix(carrier, watch.quiet())


@dataclass(frozen=True)
class _Named:
    """The concept that a test is about: its groups, and the concepts that it is made of."""

    groups: Partition
    names: tuple[tuple[str, ...], ...]


def _named(setting: Setting, stage: Stage, settings: Settings) -> _Named | None:
    """Return the concepts that are asked about, or the one that names the stage."""
    if settings.concepts:
        return joint_concept(setting, settings.concepts)
    known = setting.concepts
    if not known.all:
        return None
    watch = Watch()
    matrix = setting.measured(settings.metric).matrix(stage, watch)
    [scale] = setting.scales_of(settings.metric).of([stage], watch)
    best = meaning(matrix, known, scale=scale)
    if best.concept is None:
        return None
    groups = known.named(best.concept)
    return _Named(groups, (groups.names,))


def joint_concept(setting: Setting, concepts: Sequence[str]) -> _Named:
    """Return the joint groups of concepts.

    Raises
    ------
    ValueError
        Where a concept is unknown or the same for all, or hardly two examples share all values.
    """
    columns = setting.examples.concepts.columns
    found = []
    for name in concepts:
        # Concepts that divide the examples alike are called by all their names: S4 = carry4.
        names = [name] if name in columns else name.split(" = ")
        made = partitions(setting.examples.concepts, names)
        if len(made.all) > 1:
            raise ValueError(unknown_concept(name, list(columns)))
        if not made.all:
            raise ValueError(
                f"{' '.join(made.notes)} With one value among the donors there is nothing that "
                "they could share or not: choose another concept, or examples in which it differs."
            )
        found.append(made.all[0])
    groups = joint(found)
    if len(found) > 1 and 2 * len(groups.groups) > int(groups.sizes.sum()):
        raise ValueError(
            f"{groups.name} have {len(groups.groups):,} different combinations of values among "
            f"{int(groups.sizes.sum()):,} examples: hardly two share them all, so that nothing "
            "could be swapped. Take fewer concepts, or more examples."
        )
    return _Named(groups, tuple(one.names for one in found))


class Runs:
    """Runs the pairs of a swap test in parts.

    Parameters
    ----------
    bench : Workbench
    stage : Stage
    vectors : numpy.ndarray, shape (N, d)
        What the stage's carrier holds (see `Patcher.carrier`), of all examples.
    free : bool
    """

    def __init__(
        self,
        bench: Workbench,
        stage: Stage,
        vectors: Float32Array,
        *,
        free: bool,
    ) -> None:
        self._bench, self._stage, self._vectors = bench, stage, vectors
        self._free = free
        self._screened: dict[tuple[int, int], Run] = {}
        self._start = start_of(stage, bench.patcher.last)
        mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._mean = torch.as_tensor(mean)[None]

    def empty(self, conditions: Sequence[str], pairs: int) -> Outcomes:
        """Return the outcomes before any pair was run."""
        return Outcomes.empty(conditions, pairs, len(self._bench.answers))

    def all(
        self,
        pairs: Pairs,
        outcomes: Outcomes,
        steps: Steps,
        put_in: PartsPutIn | None = None,
        *,
        random_alone: bool = False,
    ) -> None:
        """Run the pairs that `outcomes` lacks, and fill it in as they are done.

        `steps` may call the test off; pairs that were completed stay in `outcomes`.

        Parameters
        ----------
        pairs : Pairs
        outcomes : Outcomes
        steps : Steps
        put_in : PartsPutIn, optional
            What is put in where it is asked whether the answer follows; by default whole vectors.
        random_alone : bool
            Nothing but the random donors: their runs are kept, and not made again.
        """
        bench = self._bench
        size = min(MOST_AT_ONCE, bench.batch_size)
        while outcomes.done < len(pairs.receivers):
            part = slice(outcomes.done, min(outcomes.done + size, len(pairs.receivers)))
            self._part(pairs, part, outcomes, steps, put_in, random_alone=random_alone)
            outcomes.done = part.stop

    def _part(
        self,
        pairs: Pairs,
        part: slice,
        outcomes: Outcomes,
        steps: Steps,
        put_in: PartsPutIn | None,
        *,
        random_alone: bool,
    ) -> None:
        bench, patcher = self._bench, self._bench.patcher
        receivers = pairs.receivers[part]
        batch = bench.batch(receivers)
        forced = bench.as_it_is(receivers, self._start)
        right = bench.right_tokens(receivers, forced)
        outcomes.right_tokens[part] = right.cpu().numpy()
        without = bench.answered(batch, patcher.run, free=True) if self._free else forced
        everyone = np.ones(len(receivers), bool)
        _record(outcomes, WITHOUT, part, without, right, everyone)
        outcomes.answered[WITHOUT][part] = _answered(without, everyone)
        steps.add(len(receivers))

        def swapped(values: torch.Tensor) -> Run:
            def run(fed: Batch) -> Run:
                if not self._free:
                    return patcher.patched(fed, self._stage, values, forced)
                before = patcher.run(fed, self._start)
                return patcher.patched(fed, self._stage, values, before)

            found = bench.answered(batch, run, free=self._free)
            steps.add(len(receivers))
            return found

        for condition, given in pairs.donors.items():
            donors = given[part]
            there = donors != NOBODY
            known = (
                self._screened.pop((part.start, part.stop), None) if condition == "random" else None
            )
            if known is None:
                run = swapped(torch.as_tensor(self._vectors[np.where(there, donors, receivers)]))
            else:
                run = known
                steps.add(len(receivers))
            _record(outcomes, condition, part, run, right, there)
            if condition == "random":
                outcomes.answered[condition][part] = _answered(run, there)
            if random_alone:
                self._screened[part.start, part.stop] = run
                return
            self._measure(outcomes, condition, part, run, np.stack([receivers, donors], axis=1))
        run = swapped(self._mean.expand(len(receivers), -1))
        _record(outcomes, "mean", part, run, right, everyone)
        self._measure(outcomes, "mean", part, run, receivers[:, None])
        if pairs.matched is None:
            return
        asked = {"matched": pairs.matched}
        if put_in is not None:
            asked["any"] = pairs.donors["random"]
        for kind, given in asked.items():
            there = given[part] != NOBODY
            donors = np.where(there, given[part], receivers)
            vectors = self._vectors[donors]
            if put_in is not None:
                vectors = put_in.of(receivers, donors)
            outcomes.answered[kind][part] = _answered(swapped(torch.as_tensor(vectors)), there)

    def _measure(
        self, outcomes: Outcomes, condition: str, part: slice, run: Run, apart: Ints
    ) -> None:
        if part.start >= MEASURED:
            return
        ratios = self._bench.unusual(run, apart, self._bench.column(self._stage))
        nobody = (apart == NOBODY).any(axis=1)
        outcomes.unusual[condition][part] = np.where(nobody[:, None], np.nan, ratios)


def _answered(run: Run, there: npt.NDArray[np.bool_]) -> Ints:
    tokens = run.logits.argmax(dim=-1).cpu().numpy()
    return np.where(there[:, None], tokens, -1)


def _record(
    outcomes: Outcomes,
    condition: str,
    part: slice,
    run: Run,
    right: torch.Tensor,
    there: npt.NDArray[np.bool_],
) -> None:
    loss = losses(run.logits, right)
    is_right = (run.logits.argmax(dim=-1) == right).double().cpu().numpy()
    outcomes.loss[condition][part] = np.where(there[:, None], loss, np.nan)
    outcomes.right[condition][part] = np.where(there[:, None], is_right, np.nan)
