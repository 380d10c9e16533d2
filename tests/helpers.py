"""What several tests share."""

from __future__ import annotations

from typing import Any

from clusterwidget import Examples
from tests.conftest import LENGTH


class Counter:
    """Counts the forward passes of a model, and the examples in them."""

    def __init__(self, model: Any) -> None:
        self.passes = 0
        self.examples = 0
        self._handle = model.blocks[0].register_forward_hook(self._count)

    def _count(self, _module: Any, _inputs: Any, output: Any) -> None:
        self.passes += 1
        self.examples += len(output[0] if isinstance(output, tuple) else output)

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.remove()


def read(text: str) -> Examples:
    """Read an example typed as its token ids."""
    try:
        return Examples([[int(word) for word in text.split()]], positions=list("abcdefg"))
    except ValueError as error:
        raise ValueError(f"{text!r} is not {LENGTH} numbers") from error


def typed(examples: Examples) -> Examples:
    return Examples(examples.tokens, positions=examples.positions, parse=read)
