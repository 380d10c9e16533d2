"""Swap tests: draw pairs, run them in parts, and conclude.

Resampling ablation under a hypothesis, after Chan et al., "Causal scrubbing" (2022). The pairs that
were run of a cancelled test are kept, and the test goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.concepts import Partition, partitions, unknown_concept
from clusterwidget.core.questions import question_named, questions, require_reached
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.pairs import draw_pairs, draw_receivers
from clusterwidget.interventions.patching import Run, start_of
from clusterwidget.interventions.setting import Setting
from clusterwidget.interventions.workbench import Workbench, losses
from clusterwidget.meaning.meaning import meaning
from clusterwidget.model.recorder import z_of_result
from clusterwidget.results.kept import Settings, SwapTests
from clusterwidget.results.pairs import NOBODY, Pairs
from clusterwidget.results.swaptest import WITHOUT, Outcomes, SwapTest, concluded

Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_AT_ONCE = 256
"""Pairs in a batch; a test can be cancelled between two batches."""

MEASURED = 256
"""Pairs for which `unusual` is computed: its median needs no more, and it takes time."""

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
    answers = questions(setting.examples)
    at = None if answer is None else question_named(answers, answer)
    test = kept.get(stage, settings)
    if test is None:
        require_reached(answers, setting.stages.column(stage), stage, at)
        setting.bench.patcher.carrier(stage)
        setting.activations.capture([stage], watch)
        setting.bench.get_ready(watch)
        with watch.bar(8 * settings.pairs, "step") as reporting:
            test = _made(setting, kept, stage, settings, reporting)
        kept.put(test, settings)
    return test if answer is None else test.about(answer)


def swap_tests(
    setting: Setting, kept: SwapTests, stages: Sequence[Stage], settings: Settings, watch: Watch
) -> list[SwapTest]:
    """Return the swap tests of many stages; those that are missing are made and kept one by one."""
    missing = [stage for stage in stages if kept.get(stage, settings) is None]
    if missing:
        for stage in missing:
            setting.bench.patcher.carrier(stage)
        # What the tests need, in as few passes as memory allows.
        affordable = setting.activations.affordable(missing)
        setting.activations.capture(affordable, watch.quiet())
    with watch.bar(len(stages), "stage") as reporting:
        for index, stage in enumerate(missing, start=len(stages) - len(missing)):
            reporting.step(index, len(stages))
            swap_test(setting, kept, stage, settings, None, reporting.quiet())
        reporting.step(len(stages), len(stages))
    return [swap_test(setting, kept, stage, settings, None, watch) for stage in stages]


def default_stages(setting: Setting) -> list[Stage]:
    """Return what heads, attention and MLPs write at the positions of the answers."""
    kinds = {row.kind for row in setting.stages.rows}
    columns = sorted({question.column for question in questions(setting.examples)})
    positions = [setting.stages.positions[column] for column in columns]
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
    bench = setting.bench
    concept = _concept(setting, stage, settings.concept)
    n = len(setting.examples)
    count = min(settings.pairs, n)
    conditions = 6 if concept else 4
    steps = Steps(watch, count * (conditions + 2))
    under_way = kept.begun(stage, settings, n)
    if under_way is None:
        receivers = draw_receivers(n, count, settings.seed)
        matrix = setting.activations.matrix(stage, watch.quiet())
        pairs = draw_pairs(matrix, receivers, concept, settings.seed, steps.add)
        outcomes = Outcomes.empty([*pairs.donors, "mean"], count, len(bench.answers))
        kept.begin(stage, settings, n, pairs, outcomes)
    else:
        pairs, outcomes = under_way
    steps.done = count + outcomes.done * (conditions + 1)
    vectors = _vectors(setting, stage, watch)
    run_pairs(bench, stage, vectors, pairs, outcomes, steps, free=settings.free)
    kept.ended(stage, settings, n)
    column = bench.column(stage)
    reached = [pair for pair in enumerate(bench.answers) if pair[1].reached_from(column)]
    name = None if concept is None else concept.name
    return concluded(stage, name, reached, outcomes, settings.seed)


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


def _concept(setting: Setting, stage: Stage, name: str | None) -> Partition | None:
    """Return the groups of a concept, or of the one that names a stage."""
    if name is None:
        known = setting.concepts
        if not known.all:
            return None
        matrix = setting.activations.matrix(stage, Watch())
        best = meaning(matrix, known.all).concept
        return None if best is None else known.named(best)
    columns = setting.examples.concepts.columns
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
    return made.all[0]


def run_pairs(
    bench: Workbench,
    stage: Stage,
    vectors: Float32Array,
    pairs: Pairs,
    outcomes: Outcomes,
    steps: Steps,
    *,
    free: bool,
) -> None:
    """Run the pairs that `outcomes` lacks, and fill it in as they are done.

    Parameters
    ----------
    bench : Workbench
    stage : Stage
    vectors : numpy.ndarray, shape (N, d)
        What the stage's carrier holds (see `Patcher.carrier`), of all examples.
    pairs : Pairs
    outcomes : Outcomes
    steps : Steps
        May call the test off; pairs that were completed stay in `outcomes`.
    free : bool
    """
    size = min(MOST_AT_ONCE, bench.patcher.batch_size(bench.examples.tokens.shape[1]))
    mean = torch.as_tensor(vectors.mean(axis=0, dtype=np.float64).astype(np.float32))[None]
    while outcomes.done < len(pairs.receivers):
        part = slice(outcomes.done, min(outcomes.done + size, len(pairs.receivers)))
        _run_part(bench, stage, vectors, mean, pairs, part, outcomes, steps, free=free)
        outcomes.done = part.stop


def _run_part(
    bench: Workbench,
    stage: Stage,
    vectors: Float32Array,
    mean: torch.Tensor,
    pairs: Pairs,
    part: slice,
    outcomes: Outcomes,
    steps: Steps,
    *,
    free: bool,
) -> None:
    patcher, column = bench.patcher, bench.column(stage)
    start = start_of(stage, patcher.last)
    receivers = pairs.receivers[part]
    tokens = patcher.tensor(bench.examples.tokens[receivers])
    forced = patcher.run(tokens, start)
    right = bench.right_tokens(receivers, forced)
    outcomes.right_tokens[part] = right.cpu().numpy()
    without = bench.answered(tokens, patcher.run, free=True) if free else forced
    _record(outcomes, WITHOUT, part, without, right, np.full(len(receivers), fill_value=True))
    steps.add(len(receivers))
    for condition in (*pairs.donors, "mean"):
        donors = pairs.donors.get(condition, np.full(len(pairs.receivers), NOBODY))[part]
        there = (donors != NOBODY) | (condition == "mean")
        values = mean.expand(len(receivers), -1)
        if condition != "mean":
            values = torch.as_tensor(vectors[np.where(there, donors, receivers)])

        def swapped(batch: torch.Tensor, values: torch.Tensor = values) -> Run:
            entering = patcher.run(batch, start).entering if free else forced.entering
            return patcher.patched(batch, stage, values, entering)

        run = bench.answered(tokens, swapped, free=free)
        _record(outcomes, condition, part, run, right, there)
        if part.start < MEASURED:
            apart = np.stack([receivers, donors], axis=1)
            ratios = bench.unusual(run, apart, column)
            outcomes.unusual[condition][part] = np.where(there[:, None], ratios, np.nan)
        steps.add(len(receivers))


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
