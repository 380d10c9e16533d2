"""A model made by hand: its last answer is one token, or two, copied from before."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from clusterwidget import Answer, Examples
from tests.conftest import LENGTH, make_native

POSITIONS = list("abcdefg")
DIGITS = 8
FIRST_ANSWER = 40
HEAD_A, HEAD_B = "L0H1.result@g", "L0H2.result@g"
_SHARP = 20.0


def planted_model(*, both: bool = False) -> Any:
    """Return a model that answers ``40 + token[2]``.

    Where `both`, ``40 + 2 token[2] + token[3]``. Head 1 of layer 0 looks at position 2 from
    everywhere after it and copies its token to dimensions 8 to 15; head 2 does so with position 3
    and dimensions 16 to 23. All else is zero.
    """
    model = make_native(normalization_type=None)
    weights = {name: torch.zeros_like(weight) for name, weight in model.state_dict().items()}
    digits = torch.arange(DIGITS)
    weights["embed.weight"][digits, digits] = 1
    weights["pos_embed.weight"][:, 31] = 1
    attention = "blocks.0.attn"
    for head, position, to in ((1, 2, 8), (2, 3, 16)):
        weights["pos_embed.weight"][position, 28 + head] = 1
        weights[f"{attention}.q.weight"][8 * head, 31] = _SHARP
        weights[f"{attention}.k.weight"][8 * head, 28 + head] = _SHARP
        weights[f"{attention}.v.weight"][8 * head + digits, digits] = 1
        weights[f"{attention}.o.weight"][to + digits, 8 * head + digits] = 1
    if both:
        for a in range(4):
            for b in range(2):
                weights["unembed.weight"][FIRST_ANSWER + 2 * a + b, [8 + a, 16 + b]] = 10
    else:
        weights["unembed.weight"][FIRST_ANSWER + digits, 8 + digits] = 10
    model.load_state_dict(weights)
    return model


def planted_examples(n: int, seed: int = 0, *, both: bool = False, names: str = "a") -> Examples:
    """Return random examples; concepts by the names ``a``, ``b`` and ``p`` for the pair of them."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, DIGITS, (n, LENGTH))
    if both:
        tokens[:, 2], tokens[:, 3] = rng.integers(0, 4, n), rng.integers(0, 2, n)
    a, b = tokens[:, 2], tokens[:, 3]
    right = FIRST_ANSWER + (2 * a + b if both else a)
    known = {"a": a, "b": b, "p": 2 * a + b}
    return Examples(
        tokens,
        positions=POSITIONS,
        concepts={name: known[name] for name in names},
        answers=[Answer("copy", "g", right)],
    )
