"""Capture: run a model on examples and keep the stage matrices that were asked for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import torch

from clusterwidget.hooks import Model, hook_name, scores_from_qk
from clusterwidget.progress import Cancelled, CaptureCancelledError, Progress
from clusterwidget.stages import Stage, StageSet

Matrix = npt.NDArray[np.float32]
Writer = Callable[[torch.Tensor, int], None]

_TOKENS_IN_BATCH = 14_336


def capture(
    model: Model,
    tokens: npt.NDArray[np.integer],
    stages: Sequence[Stage],
    stage_set: StageSet,
    *,
    batch_size: int | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> dict[Stage, Matrix]:
    """Run the model on all examples once, up to the last layer needed, and keep some stages.

    Memory: the stage matrices, plus the activations of one batch.

    Parameters
    ----------
    model : Model
    tokens : numpy.ndarray of integers, shape (N, T)
    stages : sequence of Stage
    stage_set : StageSet
        The model's stages.
    batch_size : int, optional
        Examples in one forward pass. By default about 14,000 tokens' worth.
    progress : function of (examples done, examples in all), optional
    cancelled : function, optional
        Asked after each batch; where it returns true the capture stops.

    Returns
    -------
    dict of Stage to numpy.ndarray, shape (N, d), float32
        `result` is in an orthonormal basis of the subspace that its head writes to, which leaves
        all distances as they are: see `result_basis`.

    Raises
    ------
    CaptureCancelledError, MemoryError
    ValueError
        Where a stage holds NaN or infinity.
    """
    n, t = tokens.shape
    _require_memory(n, stages, stage_set)
    matrices = {stage: np.empty((n, stage_set.width(stage)), np.float32) for stage in stages}
    recorder = _Recorder(model, matrices, stage_set)
    size = batch_size or max(1, _TOKENS_IN_BATCH // t)
    device = getattr(model.cfg, "device", None)
    if progress is not None:
        progress(0, n)
    with torch.no_grad(), _evaluating(model):
        for start in range(0, n, size):
            batch = torch.as_tensor(tokens[start : start + size], dtype=torch.long, device=device)
            recorder.run(batch, start)
            if cancelled is not None and cancelled():
                raise CaptureCancelledError
            if progress is not None:
                progress(min(start + size, n), n)
    return matrices


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


class _Recorder:
    """Writes what the hooks see of one batch into the stage matrices."""

    def __init__(self, model: Model, matrices: dict[Stage, Matrix], stage_set: StageSet) -> None:
        self.model = model
        self.stage_set = stage_set
        self.writers: dict[str, list[Writer]] = defaultdict(list)
        self.on_output: list[Writer] = []
        self.start = 0
        last = -1
        for (kind, layer), group in _grouped(matrices).items():
            parts = [(stage, matrices[stage]) for stage in group]
            if kind == "logits":
                self.on_output += [self._writer(stage, matrix) for stage, matrix in parts]
                continue
            name = hook_name(model, kind, layer)
            assert name is not None
            last = max(last, model.cfg.n_layers if kind == "ln_final" else layer or 0)
            if kind == "attn_scores" and scores_from_qk(model):
                self._compute_scores(layer or 0, [self._writer(*part) for part in parts])
            else:
                self.writers[name] += [self._writer(stage, matrix) for stage, matrix in parts]
        whole = bool(self.on_output) or last >= model.cfg.n_layers - 1
        self.stop_at_layer = None if whole else last + 1
        self.hooks = [(name, self._hook(writers)) for name, writers in self.writers.items()]

    def run(self, batch: torch.Tensor, start: int) -> None:
        self.start = start
        output = self.model.run_with_hooks(
            batch, fwd_hooks=self.hooks, stop_at_layer=self.stop_at_layer
        )
        for write in self.on_output:
            write(output, start)

    def _hook(self, writers: list[Writer]) -> Callable[..., None]:
        def hook(activation: torch.Tensor, hook: Any) -> None:
            for write in writers:
                write(activation, self.start)

        return hook

    def _writer(self, stage: Stage, matrix: Matrix) -> Writer:
        column, (_, width) = self.stage_set.column(stage), matrix.shape
        target = torch.from_numpy(matrix)
        index: tuple[Any, ...] = (slice(None), column)
        if stage.kind in ("pattern", "attn_scores"):
            index = (slice(None), stage.head, column, slice(width))
        elif stage.head is not None:
            index = (slice(None), column, stage.head)
        turn = None
        if stage.kind == "result":
            assert stage.layer is not None
            assert stage.head is not None
            turn = result_basis(self.model, stage.layer, stage.head)[0]

        def write(activation: torch.Tensor, start: int) -> None:
            nonlocal turn
            rows = activation[index]
            if turn is not None:
                turn = turn.to(device=rows.device, dtype=rows.dtype)
                rows = rows @ turn
            kept = target[start : start + len(rows)]
            kept.copy_(rows)
            # The sum is finite where every value is, unless it overflows: then each is looked at.
            if not math.isfinite(kept.sum().item()) and not bool(kept.isfinite().all()):
                bad = start + int((~kept.isfinite()).any(dim=1).nonzero()[0])
                raise ValueError(
                    f"stage {stage} of example {bad} holds NaN or infinity: the model overflows "
                    "there. Leave that example out, or run the model in float32."
                )

        return write

    def _compute_scores(self, layer: int, writers: list[Writer]) -> None:
        cfg, seen = self.model.cfg, {}
        scale = cfg.attn_scale if cfg.use_attn_scale and cfg.attn_scale > 0 else cfg.d_head**0.5
        cap = float(getattr(cfg, "attn_scores_soft_cap", -1.0) or -1.0)

        def keep(part: str) -> Writer:
            def write(activation: torch.Tensor, start: int) -> None:
                seen[part] = activation.transpose(1, 2)
                if len(seen) < 2:
                    return
                q, k = seen.pop("q"), seen.pop("k")
                k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
                scores = q @ k.transpose(-2, -1) / scale
                if cap > 0:
                    scores = cap * torch.tanh(scores / cap)
                for write_scores in writers:
                    write_scores(scores, start)

            return write

        for part in ("q", "k"):
            self.writers[f"blocks.{layer}.attn.hook_{part}"].append(keep(part))


def _grouped(stages: Iterable[Stage]) -> dict[tuple[str, int | None], list[Stage]]:
    groups: dict[tuple[str, int | None], list[Stage]] = defaultdict(list)
    for stage in stages:
        groups[stage.kind, stage.layer].append(stage)
    return groups


def _require_memory(n: int, stages: Sequence[Stage], stage_set: StageSet) -> None:
    needed = 4 * n * sum(stage_set.width(stage) for stage in stages)
    free = psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"{len(stages)} stages of {n:,} examples need {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free: ask for fewer stages or fewer examples."
        )


@contextmanager
def _evaluating(model: Model):  # type: ignore[no-untyped-def]
    """Switch dropout off while the model runs, and leave the model as it was."""
    training = bool(getattr(model, "training", False))
    if training:
        model.eval()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if training:
            model.train()  # type: ignore[attr-defined]
