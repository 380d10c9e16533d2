"""Overflow: where NaN or infinity comes up first in a run, as it does soonest in half precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from clusterwidget.core.stages import LAYER_KINDS, row_name
from clusterwidget.model.anatomy import anatomy
from clusterwidget.model.hooks import Model, hook_name

Hooks = Sequence[tuple[str, Callable[..., Any]]]

# What lies ahead is masked with -inf in the scores, and that is no overflow.
_KINDS = tuple(kind for kind in LAYER_KINDS if kind not in ("attn_scores", "result"))


def precision(model: Model) -> str:
    """Return the precision that a model computes in, such as ``float32``."""
    return str(anatomy(model).precision).removeprefix("torch.")


def overflow(model: Model, run: Callable[[Hooks], Any]) -> str:
    """Return a sentence on where NaN or infinity comes up first.

    Parameters
    ----------
    model : Model
    run : function of hooks
        Runs the model once more, with these hooks as well.
    """
    first: list[str] = []

    def look(name: str) -> Callable[..., None]:
        def hook(activation: torch.Tensor, hook: Any) -> None:
            if not first and not is_finite(activation):
                first.append(name)

        return hook

    places = [(kind, layer) for layer in range(int(model.cfg.n_layers)) for kind in _KINDS]
    hooks = []
    for kind, layer in [("embed", None), *places, ("ln_final", None)]:
        name = hook_name(model, kind, layer)
        if name is not None:
            shown = row_name(kind, layer, None)
            hooks.append((name, look(shown)))
    run(hooks)
    return f"in {precision(model)} the model overflows at {first[0] if first else 'the logits'}"


def is_finite(activation: torch.Tensor) -> bool:
    """Whether there is no NaN and no infinity."""
    # A finite sum has only finite values; where it overflows, each value is checked.
    return bool(activation.sum(dtype=torch.float32).isfinite()) or bool(activation.isfinite().all())
