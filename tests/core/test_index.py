"""Index gives what `nearest` gives, bit for bit, by either screen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clusterwidget as cw
from clusterwidget.core import index as index_module

Matrix = npt.NDArray[np.float32]


def normal(rng: np.random.Generator) -> Matrix:
    return rng.standard_normal((3000, 24)).astype(np.float32)


def with_duplicates(rng: np.random.Generator) -> Matrix:
    return normal(rng)[rng.integers(0, 40, 3000)]


def far_from_zero(rng: np.random.Generator) -> Matrix:
    return (normal(rng) * 1e-2 + 1000 * rng.standard_normal(24)).astype(np.float32)


def with_huge_coordinates(rng: np.random.Generator) -> Matrix:
    matrix = normal(rng)
    matrix[:, :2] *= 3000
    return matrix


def on_a_lattice(rng: np.random.Generator) -> Matrix:
    return rng.integers(-2, 3, (3000, 4)).astype(np.float32)


def constant(rng: np.random.Generator) -> Matrix:
    return np.full((50, 3), 7.5, np.float32)


def immense(rng: np.random.Generator) -> Matrix:
    return normal(rng) * np.float32(1e19)


MAKERS: list[Callable[[np.random.Generator], Matrix]] = [
    normal,
    with_duplicates,
    far_from_zero,
    with_huge_coordinates,
    on_a_lattice,
    constant,
    immense,
]


@pytest.fixture(params=["product", "codes"])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose the screen, which a matrix's size chooses otherwise."""
    least = 0 if request.param == "codes" else 1 << 62
    monkeypatch.setattr(index_module, "_WORTH_CODES", least)
    return str(request.param)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_answer_is_that_of_a_plain_search(make: Callable[..., Matrix], screen: str) -> None:
    matrix = make(np.random.default_rng(0))
    found = cw.Index(matrix)
    for row in (0, 7, len(matrix) - 1):
        for k in (1, 20, 49):
            indices, distances = found.nearest(row, k)
            expected, exact = cw.nearest(matrix, row, k)
            np.testing.assert_array_equal(indices, expected)
            np.testing.assert_array_equal(distances, exact)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-6, 6), st.floats(-6, 6), st.integers(1, 300))
def test_scale_offset_and_width_do_not_matter(
    seed: int, scale: float, offset: float, width: int
) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((400, width)) * 10**scale + 10**offset * rng.standard_normal(width)
    matrix = matrix.astype(np.float32)
    expected, exact = cw.nearest(matrix, 3, 25)
    rows = cw.Index(matrix).matrix
    mean = rows.mean(axis=0, dtype=np.float64)
    for screen in (index_module._Product, index_module._Codes):
        within = screen(rows, mean).within(rows[3], 26)
        assert within is not None
        assert set(expected) <= set(within), screen.__name__
    np.testing.assert_array_equal(cw.Index(matrix).nearest(3, 25)[1], exact)


def test_a_screen_lets_few_through() -> None:
    matrix = np.random.default_rng(0).standard_normal((20_000, 64)).astype(np.float32)
    mean = matrix.mean(axis=0, dtype=np.float64)
    for screen, most in ((index_module._Product, 130), (index_module._Codes, 1000)):
        within = screen(matrix, mean).within(matrix[5], 101)
        assert within is not None
        assert 101 <= len(within) <= most, screen.__name__


def test_what_is_not_finite_is_refused_by_its_row() -> None:
    matrix = np.zeros((10, 2), np.float32)
    matrix[4, 1] = np.nan
    with pytest.raises(ValueError, match=r"row 4 .*NaN"):
        cw.Index(matrix)


@pytest.mark.parametrize("given", [[[1.0]], np.zeros(3), np.zeros((2, 2), int), None])
def test_what_is_no_matrix_is_refused(given: object) -> None:
    with pytest.raises((TypeError, ValueError), match="matrix"):
        cw.Index(given)  # type: ignore[arg-type]


def test_a_row_that_is_not_there_and_too_many_neighbors_are_refused() -> None:
    found = cw.Index(np.eye(5, dtype=np.float32))
    with pytest.raises(IndexError, match="5"):
        found.nearest(5, 1)
    with pytest.raises(ValueError, match="5"):
        found.nearest(0, 5)
