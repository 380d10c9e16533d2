"""Patching: run a model on a batch with the vectors of one stage replaced.

Interchange interventions after Geiger et al., "Causal Abstractions of Neural Networks" (2021), at
every stage, per head and per position. Only what the stage can reach is computed again: a patched
run starts from the residual stream that enters the stage's layer, where the model allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from clusterwidget.core.stages import ATTENTION_KINDS, Stage, StageSet
from clusterwidget.interventions.runner import REFUSALS, Runner
from clusterwidget.interventions.runs import Hook, Run, Start, joined, keep, per_head, start_of
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.batch import Batch, Index
from clusterwidget.model.hooks import Model, hook_name
from clusterwidget.model.padding import parts_of
from clusterwidget.model.recorder import Recorder
from clusterwidget.model.running import evaluating

# Kinds that are put in through another one, of which they are a function.
_CARRIERS = {"result": "z", "attn_scores": "pattern"}

# What these replace changes only its own position in its layer, once z is as it was.
_IN_ONE_COLUMN = ("z", "attn_out", "resid_mid", "mlp_pre", "mlp_post", "mlp_out", "resid_post")
_TOLERANCE, _ROUGH = 1e-3, 5e-2
"""How far what leaves a layer may differ by rounding, over its change; in half precision."""


class Patcher(Runner):
    """A runner that puts other vectors in at a stage.

    Parameters
    ----------
    model : Model
    stage_set : StageSet
        The model's stages.
    columns : sequence of int
        Positions of the answers.
    """

    def __init__(self, model: Model, stage_set: StageSet, columns: Sequence[int]) -> None:
        super().__init__(model, columns)
        self.stage_set = stage_set
        self._fits: dict[str, bool] = {}
        self._prefix_fits: bool | None = None

    @property
    def skips_tokens(self) -> bool:
        """Whether tokens before a swap are known not to be run again."""
        return bool(self._records) and self._prefix_fits is not False

    def carrier(self, stage: Stage) -> Stage:
        """Return the stage through which a stage is patched: itself, or what it is derived from.

        `result` is put in through `z`, and `attn_scores` through the row of `pattern` that the
        softmax makes of them.

        Raises
        ------
        ValueError
            Where the stage is not there or cannot be patched.
        """
        self.stage_set.width(stage)
        if stage.kind == "logits":
            raise ValueError(
                f"{stage} cannot be swapped: the logits are the answer itself. Choose "
                f"L{self.last}.resid_post@{stage.position}, from which they are read."
            )
        if stage.kind in ATTENTION_KINDS and self.stage_set.layout is not None:
            raise ValueError(
                f"{stage} cannot be swapped: positions are other tokens in each example, and only "
                "what is attended to at the positions with names is known. Choose "
                f"L{stage.layer}H{stage.head}.z@{stage.position}, which the head makes of it."
            )
        carrier = replace(stage, kind=_CARRIERS.get(stage.kind, stage.kind))
        self.stage_set.width(carrier)
        return carrier

    def vectors(self, batch: Batch, stage: Stage) -> torch.Tensor:
        """Return what a stage's carrier holds for a batch, shape (batch, d)."""
        return self.vectors_of(batch, [stage])[stage]

    def vectors_of(self, batch: Batch, stages: Sequence[Stage]) -> dict[Stage, torch.Tensor]:
        """Return `vectors` of several stages from one run."""
        kept: dict[Stage, torch.Tensor] = {}

        def keep(stage: Stage, first: int, rows: torch.Tensor) -> None:
            kept[stage] = rows.clone()

        carriers = {stage: self.carrier(stage) for stage in stages}
        recorder = Recorder(
            self.model, list(dict.fromkeys(carriers.values())), self.stage_set, keep
        )
        with torch.no_grad(), evaluating(self.model):
            recorder.run(batch)
        return {stage: kept[carrier] for stage, carrier in carriers.items()}

    def patched(
        self,
        batch: Batch,
        stage: Stage,
        values: torch.Tensor,
        before: Run | None = None,
    ) -> Run:
        """Run a batch with other vectors at a stage.

        Only what the stage can reach is computed again, where the model allows it.

        Parameters
        ----------
        batch : Batch
        stage : Stage
        values : torch.Tensor, shape (batch, d)
            What `vectors` returns, for as many donors.
        before : Run, optional
            `run` of the same batch, with ``start`` at the stage's layer.
        """
        parts = parts_of(self.model, batch)
        if len(parts) > 1:
            return joined(
                [(rows, self._whole(part, stage, values[rows], None, None)) for rows, part in parts]
            )
        carrier = self.carrier(stage)
        before_layers = carrier.layer is None and carrier.kind != "ln_final"
        if before is None or before.start is None or before_layers:
            return self._whole(batch, stage, values, before, None)
        if carrier.kind in _IN_ONE_COLUMN and self._one_column_fits(
            batch, carrier, values, before.start
        ):
            return self._by_column(batch, carrier, values, before)
        return self._whole(batch, stage, values, before, before.start)

    def _whole(
        self,
        batch: Batch,
        stage: Stage,
        values: torch.Tensor,
        before: Run | None,
        start: Start | None,
    ) -> Run:
        """Run all positions, from the stage's layer up where what enters it is given."""
        fired: list[bool] = []
        carrier, column = self.carrier(stage), self.stage_set.column(stage)

        def hooks(index: Index, rows: slice) -> list[Hook]:
            return self._patch(carrier, index, values[rows], fired)

        if start is not None and stage.kind == "resid_pre" and before is not None:
            # What enters the layer is put in as it is: on BERT the hook does not reach all of it.
            changed = start.entering.clone()
            changed[batch.index(column)] = values.to(changed)
            return self._above(
                batch, _no_hooks, changed, start_of(stage, self.last), column, before
            )
        if start is None or before is None:
            run = self.hooked(batch, hooks(batch.index(column), slice(None)))
        else:
            layer = start_of(stage, self.last)
            if carrier.kind == "pattern" and layer in anatomy(self.model).late_patterns:
                # What the head brings is summed up from all tokens here.
                before = replace(before, start=None)
            run = self._above(batch, hooks, start.entering, layer, column, before)
        if not fired:
            raise ValueError(
                f"{stage} cannot be swapped: the model lists its hook and never runs it. Choose "
                "another kind of stage, such as attn_out or resid_post."
            )
        return run

    def _by_column(self, batch: Batch, carrier: Stage, values: torch.Tensor, before: Run) -> Run:
        """Run the stage's layer at its position only, and the layers above at all positions."""
        start = before.start
        assert start is not None
        assert start.leaving is not None
        layer, column = start_of(carrier, self.last), self.stage_set.column(carrier)
        leaving, logits = self._one_column(batch, carrier, values, start)
        if layer < self.last:
            beyond = start.leaving.clone()
            beyond[batch.index(column)] = leaving
            return self._above(batch, _no_hooks, beyond, layer + 1, column, before)
        here = [at for at, answer in enumerate(self.columns) if answer == column]
        run = Run(before.logits.clone(), before.final.clone())
        run.logits[:, here] = logits
        run.final[:, here] = leaving[:, None]
        return run

    def _above(
        self,
        batch: Batch,
        hooks: Callable[[Index, slice], list[Hook]],
        entering: torch.Tensor,
        layer: int,
        column: int,
        before: Run,
    ) -> Run:
        """Run from a layer up; tokens before the position are not run again where that works.

        Parameters
        ----------
        batch : Batch
        hooks : function of an index and of rows
            Returns the hooks for these rows, where the position stands at the index.
        entering : torch.Tensor, shape (batch, T, d_model)
        layer, column : int
        before : Run
            Of the batch, with `Start.prefix`.
        """
        prefix = None if before.start is None else before.start.prefix
        first = 0 if prefix is None else int(batch.at(column).min())
        if prefix is None or first <= 0 or self._prefix_fits is False:
            return self.hooked(batch, hooks(batch.index(column), slice(None)), entering, layer)

        def run(some: Batch, rows: slice) -> Run:
            of_rows, at = some.index(column)
            index = (of_rows, at if isinstance(at, int) and at < 0 else at - first)
            known = Run(before.logits[rows], before.final[rows])
            shorter = entering[rows, first:]
            return self.hooked_after(
                some, hooks(index, rows), shorter, layer, first, prefix.rows(rows), known
            )

        if self._prefix_fits is None:
            rows = slice(2)
            two = batch.rows(rows)
            whole = self.hooked(two, hooks(two.index(column), rows), entering[rows], layer).final
            change = (whole - before.final[rows]).abs().max()
            tolerance = _TOLERANCE if whole.dtype == torch.float32 else _ROUGH
            if change > tolerance * whole.std():
                # Otherwise hardly anything was changed, and nothing is known yet.
                try:
                    apart = (run(two, rows).final - whole).abs().max()
                    self._prefix_fits = bool(apart <= tolerance * change)
                except REFUSALS:
                    self._prefix_fits = False
            if not self._prefix_fits:
                return self._above(
                    batch, hooks, entering, layer, column, replace(before, start=None)
                )
        return run(batch, slice(None))

    def _one_column(
        self, batch: Batch, carrier: Stage, values: torch.Tensor, start: Start
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run one position of a layer: what leaves it, (batch, d_model), and its logits.

        What is put in after the attention pattern changes nothing else in the same layer.
        """
        assert start.z is not None
        layer, index = start_of(carrier, self.last), batch.index(self.stage_set.column(carrier))
        z = start.z[index]
        if carrier.kind == "z":
            z = z.clone()
            z[:, carrier.head] = values.to(z)

        def as_before(activation: torch.Tensor, hook: Any) -> torch.Tensor:
            # What the heads would read from one position alone is of no use.
            return z[:, None].to(activation).expand_as(activation)

        hooks: list[Hook] = [(f"blocks.{layer}.attn.hook_z", as_before)]
        if carrier.kind != "z":
            hooks += self._patch(carrier, (slice(None), 0), values, [])
        left: list[torch.Tensor] = []
        hooks.append((f"blocks.{layer}.hook_resid_post", keep(left)))
        logits = self._run(start.entering[index][:, None], hooks, layer, layer)
        return left[0][:, 0], logits.float()

    def _one_column_fits(
        self, batch: Batch, carrier: Stage, values: torch.Tensor, start: Start
    ) -> bool:
        """Whether one position of a layer is enough; tried once for each kind, on two examples.

        What leaves the layer is compared, and by how much it changes: answers that a stage hardly
        reaches would agree whatever was put in.
        """
        if start.z is None or start.leaving is None:
            return False
        if carrier.kind not in self._fits:
            layer, two = start_of(carrier, self.last), batch.rows(slice(2))
            index = two.index(self.stage_set.column(carrier))
            leaving = start.leaving[:2]
            few = Start(start.entering[:2], start.z[:2], leaving)
            whole: list[torch.Tensor] = []
            hooks = self._patch(carrier, index, values[:2], [])
            hooks.append((f"blocks.{layer}.hook_resid_post", keep(whole)))
            try:
                self._run(few.entering, hooks, layer, layer, self._told(two))
                alone, _ = self._one_column(two, carrier, values[:2], few)
            except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
                self._fits[carrier.kind] = False
                return False
            expected = whole[0][index]
            change = (expected - leaving[index]).abs().max()
            tolerance = _TOLERANCE if expected.dtype == torch.float32 else _ROUGH
            if change <= tolerance * expected.std():
                # Hardly anything was changed, so nothing is known: the next ones may tell.
                return False
            self._fits[carrier.kind] = bool((alone - expected).abs().max() <= tolerance * change)
        return self._fits[carrier.kind]

    def _patch(
        self, carrier: Stage, index: Index, values: torch.Tensor, fired: list[bool]
    ) -> list[Hook]:
        if carrier.kind == "pattern" and carrier.layer in anatomy(self.model).late_patterns:
            return self._through_z(carrier, index, values, fired)
        name = hook_name(self.model, carrier.kind, carrier.layer)
        assert name is not None
        at = vector_index(self.stage_set, carrier, index)

        def put(activation: torch.Tensor, hook: Any) -> torch.Tensor:
            fired.append(True)
            changed = activation.clone()
            changed[at] = values.to(activation)
            return changed

        if carrier.kind != "resid_mid":
            return [(name, put)]
        # On bridges this hook is the MLP's own input: what goes past the MLP is put in beyond it.
        written: list[torch.Tensor] = []

        def past(activation: torch.Tensor, hook: Any) -> torch.Tensor:
            changed = activation.clone()
            changed[index] = values.to(activation) + written[0][index]
            return changed

        block = f"blocks.{carrier.layer}"
        return [
            (name, put),
            (f"{block}.hook_mlp_out", keep(written)),
            (f"{block}.hook_resid_post", past),
        ]

    def _through_z(
        self, pattern: Stage, index: Index, weights: torch.Tensor, fired: list[bool]
    ) -> list[Hook]:
        """Put in what a head brings with other weights; for patterns told after they were used."""
        values: list[torch.Tensor] = []

        def put(z: torch.Tensor, hook: Any) -> torch.Tensor:
            fired.append(True)
            v = per_head(values[0], z.shape[2])[:, :, pattern.head]
            changed = z.clone()
            changed[(*index, pattern.head)] = torch.einsum("bs,bsd->bd", weights.to(v), v)
            return changed

        attention = f"blocks.{pattern.layer}.attn"
        return [(f"{attention}.hook_v", keep(values)), (f"{attention}.hook_z", put)]


def vector_index(stage_set: StageSet, carrier: Stage, index: Index) -> Index:
    """Return what takes a stage's vectors out of what its hook holds; `index` is its position's."""
    if carrier.kind in ATTENTION_KINDS:
        return (index[0], carrier.head, index[1], slice(stage_set.width(carrier)))
    return index if carrier.head is None else (*index, carrier.head)


def _no_hooks(index: Index, rows: slice) -> list[Hook]:
    return []
