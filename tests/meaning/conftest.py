"""Partitions that several tests look for."""

from __future__ import annotations

import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, partitions
from tests.meaning.planted import N


@pytest.fixture(scope="session")
def known() -> tuple[Partition, ...]:
    """Return the partitions of addition problems."""
    return partitions(cw.addition.problems(N, seed=3).concepts).all
