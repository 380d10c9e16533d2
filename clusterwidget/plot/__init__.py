"""Figures of an exploration, with matplotlib: fit for a paper, and the same as on screen.

Each function draws on ``ax``, or on a new figure, and returns the Axes. They are loaded on first
use: ``import clusterwidget`` does not import matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterwidget.plot.grids import grid as grid

_HOMES = {"grid": "grids"}

__all__ = ["grid"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"clusterwidget.plot.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'clusterwidget.plot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
