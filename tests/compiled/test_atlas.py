"""The atlas and meanings name the variable that a stage holds, and nothing where there is none."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from clusterwidget import Stage
from clusterwidget.meaning.spread import spread_of
from tests.compiled.conftest import PROGRAMS, explorer_of, program_of
from tests.compiled.programs import KINDS

NOISE = 1e-5
ENOUGH = 0.98
"""Share of the stages that hold one variable at which it is named, over all programs."""


@cache
def truth_of(name: str) -> dict[Stage, str | None]:
    return program_of(name).truth(explorer_of(name).stages(KINDS))


def named_by_atlas(name: str, noise: float) -> dict[Stage, tuple[str, ...]]:
    """Return the names that the atlas gives each stage; none for an empty one."""
    found = explorer_of(name, noise).atlas_of(list(truth_of(name)))
    known = found.partitions.all
    names = {"": (), **{part.name: part.names for part in known}}
    return {stage: names[meaning] for stage, meaning in found.meanings().items()}


def named_by_meaning(name: str, noise: float) -> dict[Stage, tuple[str, ...]]:
    """Return the same from the meaning of each stage."""
    explorer = explorer_of(name, noise)
    return {stage: explorer.meaning(stage).names for stage in truth_of(name)}


@pytest.mark.parametrize("noise", [0.0, NOISE])
@pytest.mark.parametrize("look", [named_by_atlas, named_by_meaning])
def test_variables_are_named_where_they_are_held_and_nowhere_else(
    look: object, noise: float
) -> None:
    assert callable(look)
    missed, told, holding = [], [], 0
    for name in PROGRAMS:
        names = look(name, noise)
        for stage, variable in truth_of(name).items():
            holding += variable is not None
            if variable is None and names[stage]:
                told.append((name, str(stage), names[stage]))
            elif variable is not None and variable not in names[stage]:
                missed.append((name, str(stage), variable, names[stage]))
    print(f"{holding} stages hold one variable, {holding - len(missed)} are named: {missed}")
    assert not told
    assert holding > 150
    assert len(missed) <= (1 - ENOUGH) * holding, missed


def test_the_noise_is_such_that_empty_stages_differ(name: str) -> None:
    explorer = explorer_of(name, NOISE)
    empty = [stage for stage, variable in truth_of(name).items() if variable is None]
    streams = [
        explorer.matrix(f"L{stage.layer or 0}.resid_post@{stage.position}") for stage in empty
    ]
    spreads = [
        spread_of(explorer.matrix(stage))[0] / max(spread_of(stream)[0], 1e-9)
        for stage, stream in zip(empty, streams, strict=True)
    ]
    assert max(spreads) < 1e-3
    assert np.max(spreads) > 1e-5
    assert np.mean(np.array(spreads) > 1e-6) > 0.15
