"""See what a transformer holds to be the same, at any point of its computation.

Click an example; every other example is recolored by the L2 distance between its activation
and the clicked one's. What the near examples have in common is what that stage means.

Names are loaded on first use, so that ``import clusterwidget`` costs milliseconds and imports
neither torch nor transformer_lens.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from clusterwidget._version import __version__ as __version__

if TYPE_CHECKING:
    from clusterwidget import addition as addition
    from clusterwidget import plot as plot
    from clusterwidget.comparison import compare as compare
    from clusterwidget.core.answers import Answer as Answer
    from clusterwidget.core.distances import l2 as l2
    from clusterwidget.core.distances import nearest as nearest
    from clusterwidget.core.examples import Examples as Examples
    from clusterwidget.core.index import Index as Index
    from clusterwidget.core.stages import Stage as Stage
    from clusterwidget.explorer import Explorer as Explorer
    from clusterwidget.explorer import open as open  # noqa: A004 - it reads well as cw.open
    from clusterwidget.meaning.textconcepts import text_concepts as text_concepts
    from clusterwidget.widget import ClusterWidget as ClusterWidget
    from clusterwidget.worked import demo as demo


_HOMES = {
    "Answer": "core.answers",
    "Examples": "core.examples",
    "Index": "core.index",
    "Stage": "core.stages",
    "Explorer": "explorer",
    "ClusterWidget": "widget",
    "compare": "comparison",
    "demo": "worked",
    "l2": "core.distances",
    "nearest": "core.distances",
    "text_concepts": "meaning.textconcepts",
}

_MODULES = ("addition", "plot")

__all__ = [*_MODULES, *_HOMES]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"clusterwidget.{name}")
    if name == "open":
        return import_module("clusterwidget.explorer").open
    if name in _HOMES:
        return getattr(import_module(f"clusterwidget.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'clusterwidget' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "open", "__version__"])
