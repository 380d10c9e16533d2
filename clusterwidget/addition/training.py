"""How the shipped model was trained: the whole recipe."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformer_lens.model_bridge import TransformerBridge

from clusterwidget.model.running import threads

from . import arithmetic
from .model import Config, build


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the trained weights, bit for bit on the same machine."""

    seed: int = 0
    steps: int = 6_000
    batch: int = 512
    warmup: int = 200
    learning_rate: float = 2e-3
    final_learning_rate: float = 1e-6
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    clip: float = 1.0
    threads: int = 1


def draw(n: int, rng: np.random.Generator) -> tuple[arithmetic.Ints, arithmetic.Ints]:
    """Draw n problems, most of them harder than uniform ones.

    A carry that runs through columns that sum to 9 is what a model learns last, and uniform
    problems hardly show it: one in 10,000 has four such columns.

    Returns
    -------
    left, right : (n,) int64
    """
    _, nines, classes, short = np.split(
        np.arange(n), np.cumsum([n * 25 // 100, n * 35 // 100, n * 30 // 100])
    )
    left, right = rng.integers(arithmetic.NUMBERS, size=(2, n))
    # Each column is made to sum to 9 with probability 0.6.
    powers = 10 ** np.arange(arithmetic.DIGITS)
    nine = rng.random((len(nines), arithmetic.DIGITS)) < 0.6
    complement = 9 - left[nines, None] // powers % 10
    own = right[nines, None] // powers % 10
    right[nines] = np.where(nine, complement, own) @ powers
    # Each column is below 9, equal to 9 or above 9, each as often as the others.
    wanted = rng.integers(3, size=(len(classes), arithmetic.DIGITS))
    left[classes], right[classes] = arithmetic.draw_columns(wanted, rng)
    # Leading zeros: numbers of 0 to 4 digits.
    left[short] %= 10 ** rng.integers(arithmetic.DIGITS + 1, size=len(short))
    right[short] %= 10 ** rng.integers(arithmetic.DIGITS + 1, size=len(short))
    return left, right


def learning_rate(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    span = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + span * (1 + math.cos(math.pi * done)) / 2


def train(
    recipe: Recipe,
    config: Config,
    device: str | torch.device | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> tuple[TransformerBridge, dict[str, Any]]:
    """Train a model from the recipe's seed.

    Parameters
    ----------
    recipe : Recipe
    config : Config
        The model's shape.
    device : optional
        Where to train; the same bits come out only on the same kind of device.
    on_step : callable, optional
        Called with (steps done, loss) after each step.

    Returns
    -------
    model : TransformerBridge
    record : dict
        The recipe, the last loss, versions and seconds: what is stored with the weights.
    """
    model = build(config, seed=recipe.seed, device=device)
    rng = np.random.default_rng(recipe.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=recipe.betas, weight_decay=recipe.weight_decay
    )
    started = time.monotonic()
    loss_value = math.nan
    model.train()
    with threads(recipe.threads):
        for step in range(recipe.steps):
            left, right = draw(recipe.batch, rng)
            inputs = torch.from_numpy(arithmetic.tokens(left, right)).to(device)
            right_digits = torch.from_numpy(arithmetic.sum_digits(left, right)).to(device)
            logits = model(inputs)[:, arithmetic.FIRST_ANSWER :]
            loss = cross_entropy(logits.flatten(0, 1), right_digits.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, recipe)
            optimizer.step()
            loss_value = loss.item()
            if on_step is not None:
                on_step(step + 1, loss_value)
    record = {
        **asdict(recipe),
        "loss": loss_value,
        "seconds": round(time.monotonic() - started),
        "device": str(device or "cpu"),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "transformer_lens": version("transformer-lens"),
    }
    return model.eval(), record
