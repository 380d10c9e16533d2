"""Runner: runs a model on batches, or a part of its layers and tokens, and reads the answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from clusterwidget.core.inputs import Inputs
from clusterwidget.interventions.prefix import Prefix, Recording
from clusterwidget.interventions.runs import Hook, Run, Start, joined, keep, skipping
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.batch import Batch, Index
from clusterwidget.model.hooks import Model, is_causal
from clusterwidget.model.overflow import Hooks, is_finite, overflow
from clusterwidget.model.padding import mask_of, parts_of
from clusterwidget.model.running import evaluating, running

_LOGITS_IN_BATCH = 1 << 26
_TOKENS_IN_BATCH = 14_336

_FEW = 4
"""A vocabulary so many times as large as the stream is wide makes the unembedding costly."""

_SAME = 1e-4
"""How far two ways to the same numbers may differ by rounding, over their spread."""
_SAME_ROUGH = 5e-2

REFUSALS = (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError)


class Runner:
    """Runs a model and reads its answers; what is not needed for them is left out where it can be.

    Each short cut is tried once, on two examples, against the long way, and is not taken where the
    numbers differ.

    Parameters
    ----------
    model : Model
    columns : sequence of int
        Positions of the answers.
    """

    def __init__(self, model: Model, columns: Sequence[int]) -> None:
        self.model = model
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
        self._passed_on: Callable[[torch.Tensor], Any] | None = None
        cfg = model.cfg
        self._vocabulary = int(getattr(cfg, "d_vocab_out", None) or cfg.d_vocab)
        costly = self._vocabulary > _FEW * int(cfg.d_model)
        self._narrows: bool | None = (
            None if costly and "unembed.hook_in" in model.hook_dict else False
        )
        # TransformerLens's own models have no cache of keys and values.
        native = getattr(cfg, "architecture", None) == "TransformerLensNative"
        cached = is_causal(model) and not native
        self._records: bool | None = None if cached else False

    def batch_size(self, tokens: int) -> int:
        """Return how many examples of so many tokens fit in a batch, logits included."""
        read = len(self.columns) if self._narrows else tokens
        fitting = min(_TOKENS_IN_BATCH // tokens, _LOGITS_IN_BATCH // (read * self._vocabulary))
        return max(1, fitting)

    def batch(self, inputs: Inputs) -> Batch:
        """Return inputs as a batch, where the model is."""
        return Batch.of(inputs, self._device)

    def tensor(self, tokens: Any) -> torch.Tensor:
        """Return tokens, of any shape, where the model is."""
        return torch.as_tensor(tokens, dtype=torch.long, device=self._device)

    def run(
        self, batch: Batch, start: int = 0, below: tuple[int, torch.Tensor] | None = None
    ) -> Run:
        """Run a batch as it is.

        Parameters
        ----------
        batch : Batch
        start : int
            Layer from which patched runs of this batch will start.
        below : tuple of int and torch.Tensor, shape (batch, T, d_model), optional
            A layer at or below it, and what enters that layer: those below are not run.
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
        recording = Recording(start) if self._can_record(batch) else None
        hooks = [(name, keep(kept[name])) for name in known]
        first, stream = (0, None) if below is None else below
        run = self.hooked(batch, hooks, stream, first, recording)
        entering, z, leaving = ((*kept[name], None)[0] for name in names)
        if entering is None:
            return run
        prefix = None if recording is None else recording.prefix()
        return replace(run, start=Start(entering, z, leaving, prefix))

    def hooked(
        self,
        batch: Batch,
        hooks: Sequence[Hook],
        entering: torch.Tensor | None = None,
        start: int = 0,
        recording: Recording | None = None,
    ) -> Run:
        """Run a batch with these hooks, from layer `start` up where what enters it is given."""
        cache = None if recording is None else recording.cache
        index = batch.several(self.columns)
        given = batch.tokens if entering is None else entering
        narrow = self._can_narrow(batch)
        more = {} if cache is None else {"past_key_values": cache}
        more |= self._told(batch)
        first = None if entering is None else start
        return self._read(given, hooks, index, first, more, narrow=narrow)

    def _told(self, batch: Batch) -> dict[str, Any]:
        """Return what a model is told of the padding, where it must be."""
        mask = mask_of(self.model, batch)
        return {} if mask is None else {"attention_mask": mask}

    def logits(self, batch: Batch, hooks: Sequence[Hook], index: Index) -> torch.Tensor:
        """Return the logits at an index, through which gradients flow where they are wanted."""
        narrow = self._can_narrow(batch)
        if narrow:
            hooks = [*hooks, ("unembed.hook_in", lambda stream, hook: stream[index])]
        logits: torch.Tensor = self.model.run_with_hooks(
            batch.tokens, fwd_hooks=hooks, **self._told(batch)
        )
        return logits if narrow else logits[index]

    def hooked_after(
        self,
        batch: Batch,
        hooks: Sequence[Hook],
        entering: torch.Tensor,
        start: int,
        first: int,
        prefix: Prefix,
        before: Run,
    ) -> Run:
        """Run only the tokens from the column `first` on, from layer `start` up.

        Parameters
        ----------
        batch : Batch
        hooks : sequence of Hook
            Their activations begin with that column.
        entering : torch.Tensor, shape (batch, T - first, d_model)
        start, first : int
        prefix : Prefix
            Of the batch, or of the one example that all of it comes from.
        before : Run
            What the batch led to before anything was changed: earlier answers stay so.
        """
        count = len(batch)
        one = len(next(iter(prefix.layers.values()))[0]) == 1
        cache = prefix.cache(start, first, count if one else None)
        at = torch.stack([batch.at(column) for column in self.columns], dim=1) - first
        rows = torch.arange(count, device=at.device)[:, None]
        more = {"past_key_values": cache}
        index = (rows, at.clamp(min=0))
        run = self._read(entering, hooks, index, start, more, narrow=bool(self._narrows))
        if bool((at >= 0).all()):
            return run
        there = (at >= 0)[..., None]
        return Run(
            torch.where(there, run.logits, before.logits.expand_as(run.logits)),
            torch.where(there, run.final, before.final.expand_as(run.final)),
        )

    def _read(
        self,
        given: torch.Tensor,
        hooks: Sequence[Hook],
        index: Index,
        start: int | None,
        more: dict[str, Any],
        *,
        narrow: bool,
    ) -> Run:
        final: list[torch.Tensor] = []
        hooks = [*hooks, (f"blocks.{self.last}.hook_resid_post", keep(final, index))]
        if narrow:
            hooks.append(("unembed.hook_in", lambda stream, hook: stream[index]))
        logits = self._run(given, hooks, start, self.last, more)
        read = (logits if narrow else logits[index]).float()
        # Tokens that a model never says may have logits of -inf.
        if not is_finite(read.amax()):
            where = self._overflow(given, hooks, start, more)
            raise ValueError(
                f"the answers of a run are NaN or infinity: {where}. Leave out the example that "
                "leads to it, or run the model in float32."
            )
        return Run(read, final[0])

    def _overflow(
        self,
        given: torch.Tensor,
        hooks: Sequence[Hook],
        start: int | None,
        more: dict[str, Any],
    ) -> str:
        """Return where a run has NaN or infinity first."""
        cache: Any = more.get("past_key_values")
        if cache is not None and cache.get_seq_length(self.last) > given.shape[1]:
            # What comes before these tokens was fine.
            cache.crop(-given.shape[1])
        else:
            more = {name: told for name, told in more.items() if name != "past_key_values"}

        def run(watching: Hooks) -> torch.Tensor:
            return self._run(given, [*hooks, *watching], start, self.last, more)

        return overflow(self.model, run)

    def _run(
        self,
        given: torch.Tensor,
        hooks: Sequence[Hook],
        start: int | None,
        end: int,
        more: dict[str, Any] | None = None,
    ) -> torch.Tensor:
        """Return the logits of tokens or, from layer `start` up, of a residual stream.

        Layers above `end` pass on what enters them; `more` is what the model is told besides.
        """
        told = more or {}
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
            except REFUSALS:
                pass
            self._passed_on = before
        return False

    def _can_narrow(self, batch: Batch) -> bool:
        """Whether the unembedding can be given the answers' tokens alone; probed once."""
        with running(self.model):
            if self._narrows is None:
                both = batch.rows(slice(1)).expand(2)
                index = both.several(self.columns)
                more = self._told(both)
                everywhere = self._read(both.tokens, [], index, None, more, narrow=False)
                self._narrows = self._same(
                    everywhere, lambda: self._read(both.tokens, [], index, None, more, narrow=True)
                )
        return self._narrows

    def _can_record(self, batch: Batch) -> bool:
        """Whether keys and values can be taken down in a run; probed once."""
        if mask_of(self.model, batch) is not None:
            return False
        with running(self.model):
            if self._records is None:
                both = batch.rows(slice(1)).expand(2)
                recording = Recording(0)
                self._records = False
                self._records = self._same(
                    self.hooked(both, []), lambda: self.hooked(both, [], recording=recording)
                ) and set(recording.layers) == set(range(self.last + 1))
        return self._records

    @staticmethod
    def _same(expected: Run, other: Callable[[], Run]) -> bool:
        """Whether another way leads to the same logits, but for rounding."""
        try:
            return Runner.agree(expected, other())
        except REFUSALS:
            return False

    @staticmethod
    def agree(expected: Run, found: Run) -> bool:
        """Whether two runs have the same logits, but for rounding."""
        if found.logits.shape != expected.logits.shape:
            return False
        tolerance = _SAME if expected.final.dtype == torch.float32 else _SAME_ROUGH
        apart = (found.logits - expected.logits).abs().max()
        return bool(apart <= tolerance * expected.logits.std())


def _tensor(stream: torch.Tensor) -> torch.Tensor:
    return stream


def _tuple(stream: torch.Tensor) -> tuple[torch.Tensor]:
    return (stream,)
