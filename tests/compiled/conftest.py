"""The programs, and an explorer of each."""

from __future__ import annotations

from functools import cache

import pytest

from clusterwidget import Explorer
from tests.compiled import bidirectional, causal
from tests.compiled.programs import Program

PROGRAMS = {
    made.__name__: made
    for made in (
        causal.count,
        causal.seen,
        causal.carry,
        causal.brackets,
        causal.two_parts,
        bidirectional.reverse,
        bidirectional.sort,
    )
}


@cache
def program_of(name: str) -> Program:
    return PROGRAMS[name]()


@cache
def explorer_of(name: str, noise: float = 0.0) -> Explorer:
    program = program_of(name)
    explorer = Explorer(program.machine.model(noise), program.examples)
    explorer.capture()
    return explorer


@pytest.fixture(params=list(PROGRAMS))
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of each program in turn."""
    found: str = request.param
    return found
