"""Padding: how a model is run on texts of unequal length, so that each is as it is alone.

In a causal model nothing that is read comes after the padding, which stands at the end: no mask is
needed. Other models are told of it by an attention mask. Where that is not enough, texts of each
length are run apart. Which of the three it is is tried out once for each model.
"""

from __future__ import annotations

import logging
from typing import Any
from weakref import WeakKeyDictionary

import torch

from clusterwidget.model.batch import Batch
from clusterwidget.model.hooks import Model, is_causal
from clusterwidget.model.running import evaluating, running

IGNORED, MASKED, APART = "ignored", "masked", "apart"

_TOLERANCE, _ROUGH = 1e-4, 5e-2
"""How far logits may differ by rounding, over their spread; in half precision."""

_logger = logging.getLogger(__name__)
_ways: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def mask_of(model: Model, batch: Batch) -> torch.Tensor | None:
    """Return the attention mask that the model needs for a batch, or None."""
    if not batch.is_padded or way_of(model, batch) != MASKED:
        return None
    mask = batch.mask
    return None if mask is None else mask.long()


def parts_of(model: Model, batch: Batch) -> list[tuple[torch.Tensor | slice, Batch]]:
    """Return batches that the model can be run on, each with the rows of `batch` that are in it."""
    if not batch.is_padded or way_of(model, batch) != APART:
        return [(slice(None), batch)]
    sizes = batch.sizes
    found: list[tuple[torch.Tensor | slice, Batch]] = []
    for size in torch.unique(sizes).tolist():
        rows = (sizes == size).nonzero()[:, 0]
        found.append((rows, batch.rows(rows).cut(size)))
    return found


def way_of(model: Model, batch: Batch) -> str:
    """Return how the model is run on padded texts, tried out on two of a batch."""
    with running(model):
        if model not in _ways:
            _ways[model] = _tried(model, batch)
        return _ways[model]


def _tried(model: Model, batch: Batch) -> str:
    two = batch.rows(torch.stack([batch.sizes.argmin(), batch.sizes.argmax()]))
    size = int(two.sizes[0])
    assert two.mask is not None
    with torch.no_grad(), evaluating(model):
        alone = model.run_with_hooks(two.tokens[:1, :size], fwd_hooks=[])[0]
        for way in (IGNORED, MASKED) if is_causal(model) else (MASKED,):
            try:
                told = {"attention_mask": two.mask.long()} if way == MASKED else {}
                together = model.run_with_hooks(two.tokens, fwd_hooks=[], **told)[0, :size]
            except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
                continue
            tolerance = _TOLERANCE if alone.dtype == torch.float32 else _ROUGH
            if (together - alone).abs().max() <= tolerance * alone.std():
                return way
    _logger.info("Texts of each length are run apart: the model takes no attention mask.")
    return APART
