"""A saved exploration of a small model, served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.model.running import threads
from tests.publish.server.running import running

POSITIONS = list("abcdefg")
TOKENS = 48


def from_tokens(tokens: np.ndarray) -> cw.Examples:
    return cw.Examples(
        tokens,
        labels=[" ".join(map(str, row)) for row in tokens],
        positions=POSITIONS,
        concepts={"odd": tokens[:, 0] % 2, "low": tokens[:, 1] < 20},
        answers=[cw.Answer("g", "f", tokens[:, 6])],
        parse=parse,
    )


def parse(text: str) -> cw.Examples:
    words = text.split()
    if len(words) != 7 or not all(word.isdecimal() and int(word) < TOKENS for word in words):
        raise ValueError(f"type seven numbers below {TOKENS}, not {text[:40]!r}.")
    return from_tokens(np.array([list(map(int, words))]))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Let torch compute on one thread here and in the servers: several round in another order."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def opened(
    native_model: Any, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., cw.Explorer]:
    """Return a function that opens a saved exploration, its model to come when it is called."""
    tokens = np.random.default_rng(0).integers(0, TOKENS, (60, 7))
    path: Path = tmp_path_factory.mktemp("served") / "small.zarr"
    explorer = cw.Explorer(native_model, from_tokens(tokens))
    explorer.save(path, explorer.stages(kinds=["resid_post", "attn_out"]))

    def open_it(model: bool = True) -> cw.Explorer:
        return cw.open(path, (lambda: native_model) if model else None, parse=parse)

    return open_it


@pytest.fixture(scope="module")
def address(opened: Callable[..., cw.Explorer]) -> Iterator[str]:
    """Return where the exploration is served."""
    with running(opened()) as found:
        yield found
