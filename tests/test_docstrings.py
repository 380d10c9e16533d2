"""Every public docstring has an example, which pytest runs, and points to its neighbors."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import pytest

import clusterwidget as cw
from clusterwidget.core.edges import Edge
from clusterwidget.meaning.atlas import Atlas
from clusterwidget.meaning.clusters import Clusters
from clusterwidget.meaning.meaning import Link, Meaning
from clusterwidget.results.swap import Swap
from clusterwidget.results.swaptest import SwapTest
from clusterwidget.results.trace import Trace

RETURNED = (Atlas, Clusters, Edge, Link, Meaning, Swap, SwapTest, Trace)

MODULES = ("addition", "plot")


def public() -> Iterator[tuple[str, object]]:
    names = [name for name in dir(cw) if not name.startswith("__") and name not in MODULES]
    faces = [(name, getattr(cw, name)) for name in names]
    for module in MODULES:
        there = getattr(cw, module)
        faces += [(f"{module}.{name}", getattr(there, name)) for name in there.__all__]
    faces += [(face.__name__, face) for face in RETURNED]
    for name, face in faces:
        yield name, face
        if inspect.isclass(face):
            yield from _members(name, face)


def _members(name: str, face: type) -> Iterator[tuple[str, object]]:
    """Yield what a class itself defines: neither what it inherits nor values such as traits."""
    for member, value in vars(face).items():
        kinds = (classmethod, staticmethod, property, cached_property)
        if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds)):
            yield f"{name}.{member}", value


PUBLIC = dict(public())


def test_the_public_face_is_walked() -> None:
    assert {"open", "l2", "Stage.parse", "Explorer.model", "Trace.graph"} <= PUBLIC.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_has_an_example_and_points_to_its_neighbors(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert ">>> " in text, f"the docstring of {name} has no example"
    assert "See Also\n--------\n" in text, f"the docstring of {name} has no See Also"


@pytest.mark.parametrize("name", PUBLIC)
def test_sections_stand_in_the_order_of_numpydoc(name: str) -> None:
    order = ["Parameters", "Attributes", "Returns", "Raises", "Warns", "See Also", "Notes"]
    order += ["Examples"]
    lines = (inspect.getdoc(PUBLIC[name]) or "").splitlines()
    there = [line for line, below in pairwise(lines) if below and set(below) == {"-"}]
    assert there == sorted(there, key=order.index)
