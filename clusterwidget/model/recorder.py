"""Recorder: what a model's hooks see, cut into stages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.stages import ATTENTION_KINDS, Stage, StageSet
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.batch import Batch, Rows
from clusterwidget.model.hooks import Model, hook_name
from clusterwidget.model.layer import soft_capped
from clusterwidget.model.padding import mask_of, parts_of
from clusterwidget.model.running import running

Sink = Callable[[Stage, int, torch.Tensor], None]
"""Takes a stage, the index of a batch's first example, and the batch's vectors, (batch, d)."""
Writer = Callable[[torch.Tensor], None]

_WELL_CONDITIONED = 1e3


def result_basis(model: Model, layer: int, head: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how `result` is stored, from the QR decomposition of a head's ``W_O``.

    ``result = z @ W_O`` lies in a subspace of d_head dimensions. With ``W_O.T = Q R``, the
    coordinates ``z @ R.T`` have the same distances, and ``coordinates @ Q.T`` is the result.

    Returns
    -------
    r_transposed : torch.Tensor, shape (d_head, d)
    q_transposed : torch.Tensor, shape (d, d_model)
    """
    w_o = model.blocks[layer].attn.W_O[head]  # type: ignore[attr-defined]
    q, r = torch.linalg.qr(w_o.detach().double().cpu().T)
    return r.T.contiguous(), q.T.contiguous()


def z_of_result(
    model: Model, stage: Stage, coordinates: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32] | None:
    """Return z from the stored coordinates of `result`, shape (n, d_head); None where it is lost.

    Inverts a head's ``W_O``, where it has full rank: quicker than to run the model again.
    """
    assert stage.layer is not None
    assert stage.head is not None
    turn = result_basis(model, stage.layer, stage.head)[0].numpy()
    if turn.shape[0] != turn.shape[1] or not np.linalg.cond(turn) < _WELL_CONDITIONED:
        return None
    return (coordinates.astype(np.float64) @ np.linalg.inv(turn)).astype(np.float32)


class Recorder:
    """Runs a model on batches, up to the last layer needed, and hands on the stages' vectors.

    Parameters
    ----------
    model : Model
    stages : sequence of Stage
    stage_set : StageSet
        The model's stages.
    sink : function of a stage, the index of the batch's first example and vectors, shape (batch, d)
    """

    def __init__(
        self, model: Model, stages: Sequence[Stage], stage_set: StageSet, sink: Sink
    ) -> None:
        self._model = model
        self._stage_set = stage_set
        self._sink = sink
        self._batch: Batch | None = None
        self._write: Callable[[Stage, torch.Tensor], None] = lambda stage, rows: None
        self._on_output: list[Writer] = []
        self._on_hook: dict[str, list[Writer]] = defaultdict(list)
        last = -1
        scales = anatomy(model).score_scales
        for (kind, layer), group in _grouped(stages).items():
            writers = [self._writer(stage) for stage in group]
            if kind == "logits":
                self._on_output += writers
                continue
            last = max(last, model.cfg.n_layers if kind == "ln_final" else layer or 0)
            if kind == "attn_scores" and layer is not None and layer in scales:
                self._compute_scores(layer, scales[layer], writers)
                continue
            name = hook_name(model, kind, layer)
            assert name is not None
            self._on_hook[name] += writers
        all_layers = bool(self._on_output) or last >= model.cfg.n_layers - 1
        self._stop_at_layer = None if all_layers else last + 1
        self._hooks = [(name, _hook(writers)) for name, writers in self._on_hook.items()]

    def run(self, batch: Batch, first: int = 0) -> None:
        """Run the model on a batch of the examples from `first` on."""
        parts = parts_of(self._model, batch)
        if len(parts) == 1:
            self._run(batch, lambda stage, rows: self._sink(stage, first, rows))
            return
        found: dict[Stage, torch.Tensor] = {}

        def collect(which: Rows, stage: Stage, rows: torch.Tensor) -> None:
            if stage not in found:
                found[stage] = rows.new_empty((len(batch), rows.shape[1]))
            found[stage][which] = rows

        for which, part in parts:
            self._run(part, partial(collect, which))
        for stage, rows in found.items():
            self._sink(stage, first, rows)

    def _run(self, batch: Batch, write: Callable[[Stage, torch.Tensor], None]) -> None:
        self._batch, self._write = batch, write
        mask = mask_of(self._model, batch)
        with running(self._model):
            output = self._model.run_with_hooks(
                batch.tokens,
                fwd_hooks=self._hooks,
                stop_at_layer=self._stop_at_layer,
                **({} if mask is None else {"attention_mask": mask}),
            )
        for write_logits in self._on_output:
            write_logits(output)

    def _writer(self, stage: Stage) -> Writer:
        column = self._stage_set.column(stage)
        attended = self._stage_set.attended(stage) if stage.kind in ATTENTION_KINDS else []

        def rows_of(activation: torch.Tensor) -> torch.Tensor:
            assert self._batch is not None
            rows, at = self._batch.index(column)
            if stage.kind in ATTENTION_KINDS:
                found = activation[rows, stage.head, at]
                if self._stage_set.layout is None:
                    return found[:, : len(attended)]
                columns = torch.stack([self._batch.at(column) for column in attended], dim=1)
                return found.gather(1, columns)
            return activation[rows, at] if stage.head is None else activation[rows, at, stage.head]

        if stage.kind != "result":
            return lambda activation: self._write(stage, _seen(stage, rows_of(activation)))
        assert stage.layer is not None
        assert stage.head is not None
        turn = result_basis(self._model, stage.layer, stage.head)[0]

        def write(z: torch.Tensor) -> None:
            rows = rows_of(z)
            # Half precision would not keep the basis orthonormal.
            self._write(stage, rows.float() @ turn.to(rows.device, torch.float32))

        return write

    def _compute_scores(self, layer: int, scale: float, writers: list[Writer]) -> None:
        seen: dict[str, torch.Tensor] = {}

        def keep(part: str) -> Writer:
            def write(activation: torch.Tensor) -> None:
                seen[part] = activation.transpose(1, 2)
                if len(seen) < 2:
                    return
                q, k = seen.pop("q"), seen.pop("k")
                k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
                scores = soft_capped(q @ k.transpose(-2, -1) / scale, self._model.cfg)
                for write_scores in writers:
                    write_scores(scores)

            return write

        for part in ("q", "k"):
            self._on_hook[f"blocks.{layer}.attn.hook_{part}"].append(keep(part))


def _seen(stage: Stage, rows: torch.Tensor) -> torch.Tensor:
    """Return vectors with 0 for the score of what a window keeps a head from looking at."""
    if stage.kind != "attn_scores":
        return rows
    return rows.masked_fill(rows < torch.finfo(rows.dtype).min / 2, 0)


def _hook(writers: list[Writer]) -> Callable[..., None]:
    def hook(activation: torch.Tensor, hook: Any) -> None:
        for write in writers:
            write(activation)

    return hook


def _grouped(stages: Iterable[Stage]) -> dict[tuple[str, int | None], list[Stage]]:
    groups: dict[tuple[str, int | None], list[Stage]] = defaultdict(list)
    for stage in stages:
        groups[stage.kind, stage.layer].append(stage)
    return groups
