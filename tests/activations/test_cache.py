"""The cache: the least recently used matrices go when the bound is passed."""

from __future__ import annotations

import numpy as np
import pytest

from clusterwidget.activations.cache import Cache
from clusterwidget.core.stages import Stage

A, B, C = (Stage("embed", position=position) for position in "abc")
MATRIX = np.zeros((10, 3), np.float32)


def test_what_is_put_is_what_is_got() -> None:
    cache = Cache()
    assert cache.get(A) is None
    cache.put(A, MATRIX)
    assert cache.get(A) is MATRIX
    assert cache.nbytes == 120


def test_the_least_recently_used_goes_when_the_bound_is_passed() -> None:
    cache = Cache(2 * MATRIX.nbytes)
    cache.put(A, MATRIX)
    cache.put(B, MATRIX)
    cache.get(A)
    cache.put(C, MATRIX)
    assert cache.get(B) is None
    assert cache.get(A) is MATRIX
    assert cache.get(C) is MATRIX
    assert cache.nbytes == 2 * MATRIX.nbytes


def test_the_newest_is_kept_even_where_it_alone_is_larger_than_the_bound() -> None:
    cache = Cache(100)
    cache.put(A, MATRIX)
    cache.put(B, MATRIX)
    assert cache.get(A) is None
    assert cache.get(B) is MATRIX


def test_a_matrix_that_is_replaced_counts_once() -> None:
    cache = Cache(200)
    cache.put(A, MATRIX)
    cache.put(A, MATRIX[:5])
    cache.put(B, MATRIX)
    assert cache.nbytes == 180
    assert len(cache.get(A)) == 5  # type: ignore[arg-type]


def test_nothing_is_held_after_it_is_cleared() -> None:
    cache = Cache()
    cache.put(A, MATRIX)
    cache.clear()
    assert cache.get(A) is None
    assert cache.nbytes == 0


def test_a_bound_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive number of bytes, not 0"):
        Cache(0)
