"""The model that ships with the package. No torch until it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformer_lens.model_bridge import TransformerBridge

WEIGHTS = Path(__file__).with_name("adder.safetensors")
"""The weights that ship with the package."""


def load_model(device: str | torch.device | None = None) -> TransformerBridge:
    """Return the model that adds two four-digit numbers, as it ships with the package.

    Parameters
    ----------
    device : optional
        By default a CUDA device if there is one, otherwise the CPU.

    See Also
    --------
    problems : examples for it.

    Examples
    --------
    >>> model = cw.addition.load_model("cpu")
    >>> model.cfg.n_layers, model.cfg.n_heads
    (2, 4)
    """
    from .model import read_model

    return read_model(WEIGHTS, device)
