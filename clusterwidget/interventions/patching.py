"""Patching: run a model on a batch with the vectors of one stage replaced.

Interchange interventions after Geiger et al., "Causal Abstractions of Neural Networks" (2021), at
every stage, per head and per position. Only what the stage can reach is computed again: a patched
run starts from the residual stream that enters the stage's layer, where the model allows it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from clusterwidget.core.stages import ATTENTION_KINDS, Stage, StageSet
from clusterwidget.model.hooks import Model, hook_name
from clusterwidget.model.recorder import Recorder
from clusterwidget.model.running import evaluating, running

Hook = tuple[str, Callable[..., "torch.Tensor | None"]]

# Kinds that are put in through another one, of which they are a function.
_CARRIERS = {"result": "z", "attn_scores": "pattern"}

_LOGITS_IN_BATCH = 1 << 26
_TOKENS_IN_BATCH = 14_336


@dataclass(frozen=True)
class Run:
    """What a batch led to.

    Attributes
    ----------
    logits : torch.Tensor, shape (batch, answers, d_vocab), float32
        At the positions of the answers.
    final : torch.Tensor, shape (batch, answers, d_model)
        The residual stream after the last layer, there.
    entering : torch.Tensor, shape (batch, T, d_model), or None
        The residual stream that enters the layer from which patched runs can start.
    """

    logits: torch.Tensor
    final: torch.Tensor
    entering: torch.Tensor | None = None


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
        self._device = getattr(model.cfg, "device", None)
        self._tried = False
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
        carrier = replace(stage, kind=_CARRIERS.get(stage.kind, stage.kind))
        self.stage_set.width(carrier)
        return carrier

    def batch_size(self, tokens: int) -> int:
        """Return how many examples of so many tokens fit in a batch, logits included."""
        vocabulary = int(getattr(self.model.cfg, "d_vocab_out", None) or self.model.cfg.d_vocab)
        return max(1, min(_TOKENS_IN_BATCH // tokens, _LOGITS_IN_BATCH // (tokens * vocabulary)))

    def tensor(self, tokens: Any) -> torch.Tensor:
        """Return tokens, shape (batch, T), where the model is."""
        return torch.as_tensor(tokens, dtype=torch.long, device=self._device)

    def vectors(self, tokens: torch.Tensor, stage: Stage) -> torch.Tensor:
        """Return what a stage's carrier holds for a batch, shape (batch, d)."""
        return self.vectors_of(tokens, [stage])[stage]

    def vectors_of(
        self, tokens: torch.Tensor, stages: Sequence[Stage]
    ) -> dict[Stage, torch.Tensor]:
        """Return `vectors` of several stages from one run."""
        kept: dict[Stage, torch.Tensor] = {}

        def keep(stage: Stage, first: int, rows: torch.Tensor) -> None:
            kept[stage] = rows.clone()

        carriers = {stage: self.carrier(stage) for stage in stages}
        recorder = Recorder(
            self.model, list(dict.fromkeys(carriers.values())), self.stage_set, keep
        )
        with torch.no_grad(), evaluating(self.model):
            recorder.run(tokens)
        return {stage: kept[carrier] for stage, carrier in carriers.items()}

    def run(self, tokens: torch.Tensor, start: int = 0) -> Run:
        """Run a batch as it is.

        Parameters
        ----------
        tokens : torch.Tensor, shape (batch, T)
        start : int
            Layer from which patched runs of this batch will start.
        """
        entering: list[torch.Tensor] = []
        hooks: list[Hook] = []
        if start and self.can_resume(tokens):
            hooks.append((f"blocks.{start}.hook_resid_pre", _keep(entering)))
        run = self.hooked(tokens, hooks)
        return replace(run, entering=entering[0] if entering else None)

    def patched(
        self,
        tokens: torch.Tensor,
        stage: Stage,
        values: torch.Tensor,
        entering: torch.Tensor | None = None,
    ) -> Run:
        """Run a batch with other vectors at a stage.

        Parameters
        ----------
        tokens : torch.Tensor, shape (batch, T)
        stage : Stage
        values : torch.Tensor, shape (batch, d)
            What `vectors` returns, for as many donors.
        entering : torch.Tensor, optional
            From `run` of the same batch, with ``start`` at the stage's layer.
        """
        carrier = self.carrier(stage)
        fired: list[bool] = []
        hooks = self._patch(carrier, values, fired)
        run = self.hooked(tokens, hooks, entering, start_of(stage, self.last))
        if not fired:
            raise ValueError(
                f"{stage} cannot be swapped: the model lists its hook and never runs it. Choose "
                "another kind of stage, such as attn_out or resid_post."
            )
        return run

    def _patch(self, carrier: Stage, values: torch.Tensor, fired: list[bool]) -> list[Hook]:
        name = hook_name(self.model, carrier.kind, carrier.layer)
        assert name is not None
        column, width = self.stage_set.column(carrier), self.stage_set.width(carrier)
        index: tuple[Any, ...] = (slice(None), column)
        if carrier.kind in ATTENTION_KINDS:
            index = (slice(None), carrier.head, column, slice(width))
        elif carrier.head is not None:
            index = (slice(None), column, carrier.head)

        def put(activation: torch.Tensor, hook: Any) -> torch.Tensor:
            fired.append(True)
            changed = activation.clone()
            changed[index] = values.to(activation)
            return changed

        if carrier.kind != "resid_mid":
            return [(name, put)]
        # On bridges this hook is the MLP's own input: what goes past the MLP is put in beyond it.
        written: list[torch.Tensor] = []

        def past(activation: torch.Tensor, hook: Any) -> torch.Tensor:
            changed = activation.clone()
            changed[:, column] = values.to(activation) + written[0][:, column]
            return changed

        block = f"blocks.{carrier.layer}"
        return [
            (name, put),
            (f"{block}.hook_mlp_out", _keep(written)),
            (f"{block}.hook_resid_post", past),
        ]

    def hooked(
        self,
        tokens: torch.Tensor,
        hooks: Sequence[Hook],
        entering: torch.Tensor | None = None,
        start: int = 0,
    ) -> Run:
        """Run a batch with these hooks, from layer `start` up where what enters it is given."""
        final: list[torch.Tensor] = []
        hooks = [*hooks, (f"blocks.{self.last}.hook_resid_post", _keep(final, self.columns))]
        with (
            torch.no_grad(),
            running(self.model),
            evaluating(self.model),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("error", message=".*returned a modified tensor")
            if entering is None:
                logits = self.model.run_with_hooks(tokens, fwd_hooks=hooks)
            else:
                assert self._passed_on is not None
                with _skipping(self.model, start, self._passed_on(entering)):
                    logits = self.model.run_with_hooks(
                        entering, fwd_hooks=hooks, start_at_layer=start
                    )
        return Run(logits[:, self.columns].float(), final[0])

    def can_resume(self, tokens: torch.Tensor) -> bool:
        """Whether the model can be run from a middle layer; probed once."""
        with running(self.model):
            if not self._tried:
                self._tried = True
                self._passed_on = self._probed(tokens[:1])
        return self._passed_on is not None

    def _probed(self, tokens: torch.Tensor) -> Callable[[torch.Tensor], Any] | None:
        """Return how the blocks below pass the stream on, or None where they cannot be skipped."""
        entering: list[torch.Tensor] = []
        hook = (f"blocks.{self.last}.hook_resid_pre", _keep(entering))
        # Two rows: a batch of one passes for a tuple of one.
        both = tokens.expand(2, -1)
        all_layers = self.hooked(both, [hook])
        for passed_on in (_tensor, _tuple):
            self._passed_on = passed_on
            try:
                last_layer = self.hooked(both, [], entering[0], self.last)
            except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
                continue
            if torch.equal(all_layers.logits, last_layer.logits):
                return passed_on
        return None


def _tensor(stream: torch.Tensor) -> torch.Tensor:
    return stream


def _tuple(stream: torch.Tensor) -> tuple[torch.Tensor]:
    return (stream,)


@contextmanager
def _skipping(model: Model, start: int, output: Any) -> Iterator[None]:
    """Have the blocks below return this at once: bridges run them and drop what they return."""
    below = list(getattr(model, "blocks", ()))[:start]
    before = [block.__dict__.get("forward") for block in below]
    for block in below:
        object.__setattr__(block, "forward", lambda *_, **__: output)
    try:
        yield
    finally:
        for block, forward in zip(below, before, strict=True):
            if forward is None:
                object.__delattr__(block, "forward")
            else:
                object.__setattr__(block, "forward", forward)


def start_of(stage: Stage, last: int) -> int:
    """Return the layer from which a run with this stage replaced can start."""
    return last if stage.kind == "ln_final" else stage.layer or 0


def _keep(kept: list[torch.Tensor], columns: list[int] | None = None) -> Callable[..., None]:
    def keep(activation: torch.Tensor, hook: Any) -> None:
        kept.append((activation if columns is None else activation[:, columns]).clone())

    return keep
