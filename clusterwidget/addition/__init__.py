"""The worked example: a transformer that adds two four-digit numbers.

`problems` and `parse` make examples and need no torch; `load_model` imports it when it is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .arithmetic import from_numbers, parse, problems

if TYPE_CHECKING:
    from .model import load_model as load_model

__all__ = ["from_numbers", "load_model", "parse", "problems"]


def __getattr__(name: str) -> object:
    if name == "load_model":
        return import_module("clusterwidget.addition.model").load_model
    raise AttributeError(f"module 'clusterwidget.addition' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
