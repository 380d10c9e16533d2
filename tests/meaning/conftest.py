"""Partitions that several tests look for."""

from __future__ import annotations

import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, Partitions, partitions
from tests.meaning.planted import N


@pytest.fixture(scope="session")
def partitioned() -> Partitions:
    """Return the concepts of addition problems."""
    return partitions(cw.addition.problems(N, seed=3).concepts)


@pytest.fixture(scope="session")
def known(partitioned: Partitions) -> tuple[Partition, ...]:
    """Return their partitions."""
    return partitioned.all
