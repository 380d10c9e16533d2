"""Programs: what each machine computes, with the variable that is held at each stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clusterwidget import Examples, Stage
from tests.compiled.machine import Machine

Ints = npt.NDArray[np.int64]

KINDS = ("embed", "result", "attn_out", "mlp_out")
"""Kinds of the stages of which it is known what they hold."""

N = 600


@dataclass(frozen=True)
class Program:
    """A machine and what is known of it.

    Attributes
    ----------
    machine : Machine
    examples : Examples
    holds : mapping of address to str
        The one variable of each stage that holds one. All other stages of `KINDS` hold none, but
        for those in `several`.
    read : sequence of (address, variable, answer)
        What an answer comes from, and nothing else does.
    unread : sequence of (address, variable)
        What is held and read by no answer.
    several : sequence of address
        Stages that hold several variables.
    """

    machine: Machine
    examples: Examples
    holds: Mapping[str, str]
    read: Sequence[tuple[str, str, str]]
    unread: Sequence[tuple[str, str]]
    several: Sequence[str] = field(default=())

    def truth(self, stages: Sequence[Stage]) -> dict[Stage, str | None]:
        """Return the variable of each stage that holds one, and None of those that hold none."""
        assert set(self.holds) | set(self.several) <= set(map(str, stages))
        return {s: self.holds.get(str(s)) for s in stages if str(s) not in self.several}


def written(layer: int, head: int, position: str) -> list[str]:
    """Return the addresses of what a head writes where no other head of the layer writes."""
    return [f"L{layer}H{head}.result@{position}", f"L{layer}.attn_out@{position}"]


def distractors(rng: np.random.Generator, n: int = N) -> dict[str, Ints]:
    """Return variables that no machine holds."""
    coin = rng.integers(0, 2, n)
    return {
        "coin": coin,
        "die": rng.integers(0, 6, n),
        "biased": (rng.random(n) < 0.15).astype(np.int64),
        "many": rng.integers(0, 25, n),
        "early": (np.arange(n) < n // 2).astype(np.int64),
    }


def names(count: int) -> list[str]:
    """Return the names of some positions."""
    return [f"p{index}" for index in range(count)]
