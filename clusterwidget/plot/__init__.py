"""Figures of an exploration, with matplotlib: fit for a paper, and the same as on screen.

Each function draws on ``ax``, or on a new figure, and returns the Axes. They are loaded on first
use: ``import clusterwidget`` does not import matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterwidget.plot.bars import parts as parts
    from clusterwidget.plot.bars import swap_test as swap_test
    from clusterwidget.plot.grids import grid as grid
    from clusterwidget.plot.maps import atlas as atlas
    from clusterwidget.plot.maps import trace as trace

# Modules have other names than what is in them: a module that was imported would hide it.
_HOMES = {
    "atlas": "maps",
    "grid": "grids",
    "parts": "bars",
    "swap_test": "bars",
    "trace": "maps",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"clusterwidget.plot.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'clusterwidget.plot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
