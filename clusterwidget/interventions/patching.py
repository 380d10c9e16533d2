"""Patching: run a model on a batch with the vectors of one stage replaced.

Interchange interventions after Geiger et al., "Causal Abstractions of Neural Networks" (2021), at
every stage, per head and per position. Only what the stage can reach is computed again: a patched
run starts from the residual stream that enters the stage's layer, where the model allows it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from clusterwidget.core.inputs import Inputs
from clusterwidget.core.stages import ATTENTION_KINDS, Stage, StageSet
from clusterwidget.interventions.runs import (
    Hook,
    Run,
    Start,
    joined,
    keep,
    per_head,
    skipping,
    start_of,
)
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.batch import Batch, Index
from clusterwidget.model.hooks import Model, hook_name
from clusterwidget.model.overflow import Hooks, is_finite, overflow
from clusterwidget.model.padding import mask_of, parts_of
from clusterwidget.model.recorder import Recorder
from clusterwidget.model.running import evaluating, running

# Kinds that are put in through another one, of which they are a function.
_CARRIERS = {"result": "z", "attn_scores": "pattern"}

# What these replace changes only its own position in its layer, once z is as it was.
_IN_ONE_COLUMN = ("z", "attn_out", "resid_mid", "mlp_pre", "mlp_post", "mlp_out", "resid_post")
_TOLERANCE, _ROUGH = 1e-3, 5e-2
"""How far what leaves a layer may differ by rounding, over its change; in half precision."""

_LOGITS_IN_BATCH = 1 << 26
_TOKENS_IN_BATCH = 14_336


class Patcher:
    """Runs a model with and without replaced vectors, and reads the answers.

    Parameters
    ----------
    model : Model
    stage_set : StageSet
        The model's stages.
    columns : sequence of int
        Positions of the answers.
    """

    def __init__(self, model: Model, stage_set: StageSet, columns: Sequence[int]) -> None:
        self.model = model
        self.stage_set = stage_set
        self.columns = list(columns)
        self.last = int(model.cfg.n_layers) - 1
        if ("resid_post", self.last) not in anatomy(model).widths:
            raise ValueError(
                "swaps, ablation and traces need what leaves the last layer, and this model lists "
                f"blocks.{self.last}.hook_resid_post and never runs it. What can be captured, "
                "ex.stages(), can be compared and explained."
            )
        self._device = getattr(model.cfg, "device", None)
        self._tried: dict[tuple[bool, int], bool] = {}
        self._fits: dict[str, bool] = {}
        self._passed_on: Callable[[torch.Tensor], Any] | None = None

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

    def batch_size(self, tokens: int) -> int:
        """Return how many examples of so many tokens fit in a batch, logits included."""
        vocabulary = int(getattr(self.model.cfg, "d_vocab_out", None) or self.model.cfg.d_vocab)
        return max(1, min(_TOKENS_IN_BATCH // tokens, _LOGITS_IN_BATCH // (tokens * vocabulary)))

    def batch(self, inputs: Inputs) -> Batch:
        """Return inputs as a batch, where the model is."""
        return Batch.of(inputs, self._device)

    def tensor(self, tokens: Any) -> torch.Tensor:
        """Return tokens, of any shape, where the model is."""
        return torch.as_tensor(tokens, dtype=torch.long, device=self._device)

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

    def run(self, batch: Batch, start: int = 0) -> Run:
        """Run a batch as it is.

        Parameters
        ----------
        batch : Batch
        start : int
            Layer from which patched runs of this batch will start.
        """
        parts = parts_of(self.model, batch)
        if len(parts) > 1:
            return joined([(rows, self.hooked(part, [])) for rows, part in parts])
        if not self.can_resume(batch, start):
            return self.hooked(batch, [])
        block = f"blocks.{start}"
        names = [f"{block}.hook_resid_pre", f"{block}.attn.hook_z", f"{block}.hook_resid_post"]
        kept: dict[str, list[torch.Tensor]] = {name: [] for name in names}
        known = [name for name in names if name in self.model.hook_dict]
        run = self.hooked(batch, [(name, keep(kept[name])) for name in known])
        entering, z, leaving = ((*kept[name], None)[0] for name in names)
        return run if entering is None else replace(run, start=Start(entering, z, leaving))

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
                [(rows, self._whole(part, stage, values[rows], None)) for rows, part in parts]
            )
        carrier = self.carrier(stage)
        before_layers = carrier.layer is None and carrier.kind != "ln_final"
        if before is None or before.start is None or before_layers:
            return self._whole(batch, stage, values, None)
        if carrier.kind in _IN_ONE_COLUMN and self._one_column_fits(
            batch, carrier, values, before.start
        ):
            return self._by_column(batch, carrier, values, before)
        return self._whole(batch, stage, values, before.start)

    def _whole(self, batch: Batch, stage: Stage, values: torch.Tensor, start: Start | None) -> Run:
        """Run all positions, from the stage's layer up where what enters it is given."""
        index = batch.index(self.stage_set.column(stage))
        if start is not None and stage.kind == "resid_pre":
            # What enters the layer is put in as it is: on BERT the hook does not reach all of it.
            changed = start.entering.clone()
            changed[index] = values.to(changed)
            return self.hooked(batch, [], changed, start_of(stage, self.last))
        fired: list[bool] = []
        hooks = self._patch(self.carrier(stage), index, values, fired)
        entering = None if start is None else start.entering
        run = self.hooked(batch, hooks, entering, start_of(stage, self.last))
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
            return self.hooked(batch, [], beyond, layer + 1)
        here = [at for at, answer in enumerate(self.columns) if answer == column]
        run = Run(before.logits.clone(), before.final.clone())
        run.logits[:, here] = logits
        run.final[:, here] = leaving[:, None]
        return run

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
                self._run(few.entering, hooks, layer, layer, two)
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
        width = self.stage_set.width(carrier)
        at = index
        if carrier.kind in ATTENTION_KINDS:
            at = (index[0], carrier.head, index[1], slice(width))
        elif carrier.head is not None:
            at = (*index, carrier.head)

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

    def hooked(
        self,
        batch: Batch,
        hooks: Sequence[Hook],
        entering: torch.Tensor | None = None,
        start: int = 0,
    ) -> Run:
        """Run a batch with these hooks, from layer `start` up where what enters it is given."""
        final: list[torch.Tensor] = []
        index = batch.several(self.columns)
        hooks = [*hooks, (f"blocks.{self.last}.hook_resid_post", keep(final, index))]

        def run(watching: Hooks) -> torch.Tensor:
            if entering is None:
                return self._run(batch.tokens, [*hooks, *watching], None, self.last, batch)
            return self._run(entering, [*hooks, *watching], start, self.last, batch)

        logits = run([])[index].float()
        # Tokens that a model never says may have logits of -inf.
        if not is_finite(logits.amax()):
            raise ValueError(
                f"the answers of a run are NaN or infinity: {overflow(self.model, run)}. Leave out "
                "the example that leads to it, or run the model in float32."
            )
        return Run(logits, final[0])

    def _run(
        self,
        given: torch.Tensor,
        hooks: Sequence[Hook],
        start: int | None,
        end: int,
        batch: Batch | None = None,
    ) -> torch.Tensor:
        """Return the logits of tokens or, from layer `start` up, of a residual stream.

        Layers above `end` pass on what enters them. Where all positions of a batch are run, the
        model is told of its padding.
        """
        mask = None if batch is None else mask_of(self.model, batch)
        told = {} if mask is None else {"attention_mask": mask}
        with (
            torch.no_grad(),
            running(self.model),
            evaluating(self.model),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("error", message=".*returned a modified tensor")
            logits: torch.Tensor
            if start is None:
                logits = self.model.run_with_hooks(given, fwd_hooks=hooks, **told)
                return logits
            assert self._passed_on is not None
            # Where the layers are named otherwise, as in BERT, bridges put the stream through the
            # embedding and not in at the layer.
            enter = (f"blocks.{start}.hook_resid_pre", lambda stream, hook: given.to(stream))
            hooks = [enter, *hooks]
            with skipping(self.model, start, end, self._passed_on(given), self._passed_on):
                logits = self.model.run_with_hooks(
                    given, fwd_hooks=hooks, start_at_layer=start, **told
                )
            return logits

    def can_resume(self, batch: Batch, start: int = 0) -> bool:
        """Whether the model can be run from layer `start`; probed once, and once with a mask.

        BERT's embeddings change what is to enter its first layer: it can be run from others only.
        """
        masked = mask_of(self.model, batch) is not None
        layers = dict.fromkeys((self.last, 0 if start == 0 else self.last))
        with running(self.model):
            for layer in layers:
                if (masked, layer) not in self._tried:
                    # Two rows: a batch of one passes for a tuple of one.
                    ends = torch.stack([batch.sizes.argmin(), batch.sizes.argmax()])
                    two = batch.rows(ends) if masked else batch.rows(slice(1)).expand(2)
                    self._tried[masked, layer] = self._probed(two, layer)
                if not self._tried[masked, layer]:
                    return False
        return True

    def _probed(self, both: Batch, start: int) -> bool:
        """Find how blocks that are skipped pass the stream on; return whether they can be."""
        entering: list[torch.Tensor] = []
        all_layers = self.hooked(both, [(f"blocks.{start}.hook_resid_pre", keep(entering))])
        for passed_on in (_tensor, _tuple) if self._passed_on is None else (self._passed_on,):
            before, self._passed_on = self._passed_on, passed_on
            try:
                some_layers = self.hooked(both, [], entering[0], start)
                if torch.equal(all_layers.logits, some_layers.logits):
                    return True
            except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
                pass
            self._passed_on = before
        return False


def _tensor(stream: torch.Tensor) -> torch.Tensor:
    return stream


def _tuple(stream: torch.Tensor) -> tuple[torch.Tensor]:
    return (stream,)
