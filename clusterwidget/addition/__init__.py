"""The worked example: a transformer that adds two four-digit numbers.

`problems` and `parse` make examples and need no torch; `load_model` imports it when it is called.
"""

from __future__ import annotations

from .arithmetic import from_numbers, parse, problems
from .shipped import load_model

__all__ = ["from_numbers", "load_model", "parse", "problems"]


def __dir__() -> list[str]:
    return sorted(__all__)
