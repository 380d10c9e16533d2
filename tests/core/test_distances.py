"""Distances and neighbors, against scikit-learn and float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

import clusterwidget as cw
from clusterwidget.core.distances import nearest_of


def matrix(n: int = 500, d: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)


def exact(rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
    difference = rows.astype(np.float64) - vector
    distances: np.ndarray = np.sqrt((difference**2).sum(axis=1))
    return distances


@pytest.mark.parametrize("d", [1, 3, 14, 64, 129])
def test_l2_agrees_with_float64(d: int) -> None:
    rows = matrix(d=d)
    np.testing.assert_allclose(cw.l2(rows, 7), exact(rows, rows[7]), rtol=1e-6, atol=1e-7)


def test_equal_rows_are_at_exactly_zero_however_large_they_are() -> None:
    rows = matrix() * 1e4 + 1e5
    rows[[3, 90, 411]] = rows[8]
    assert (cw.l2(rows, 8)[[3, 8, 90, 411]] == 0).all()


def test_neighbors_agree_with_brute_force_of_scikit_learn() -> None:
    rows = matrix()
    indices, distances = cw.nearest(rows, 42, k=50)
    search = NearestNeighbors(n_neighbors=51, algorithm="brute").fit(rows.astype(np.float64))
    expected, order = search.kneighbors(rows[42:43].astype(np.float64))
    assert indices.tolist() == [index for index in order[0] if index != 42]
    np.testing.assert_allclose(distances, expected[0][1:], rtol=1e-5)


def test_ties_are_ordered_by_index_and_the_row_itself_is_left_out() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    indices, distances = cw.nearest(rows, 5, k=6)
    assert indices.tolist() == [4, 6, 7, 0, 1, 2]
    assert distances[:3].tolist() == [0, 0, 0]


def by_sorting_all(distances: np.ndarray, row: int, k: int) -> list[int]:
    order = np.argsort(distances, kind="stable")
    return [int(index) for index in order if index != row][:k]


def in_step(n: int, low: float, high: float) -> np.ndarray:
    """Return values of which every 97th, those that a sample may see, are unlike the others."""
    values = np.random.default_rng(0).uniform(1, 2, n).astype(np.float32)
    values[::97] = np.linspace(low, high, len(values[::97]))
    return values


N = 20_000
SHAPES = {
    "random": np.random.default_rng(1).random(N, dtype=np.float32),
    "all equal": np.full(N, 0.5, np.float32),
    "all zero": np.zeros(N, np.float32),
    "sorted": np.linspace(0, 1, N, dtype=np.float32),
    "sorted downward": np.linspace(1, 0, N, dtype=np.float32),
    "few values": np.random.default_rng(2).integers(0, 3, N).astype(np.float32),
    "one apart": np.eye(1, N, 7, dtype=np.float32)[0],
    "the sample is too near": in_step(N, 0, 0.5),
    "the sample is too far": in_step(N, 3, 4),
    "the sample is constant": in_step(N, 1.5, 1.5),
    "few near, most tied": np.minimum(np.arange(N, dtype=np.float32), 50)[::-1].copy(),
    "immense": np.linspace(0, 3e38, N, dtype=np.float32),
}


@pytest.mark.parametrize("k", [1, 96, 97, 100, 1000, N // 2, N - 2, N - 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_nearest_are_those_of_a_full_sort_however_the_distances_lie(shape: str, k: int) -> None:
    for row in (0, 97, 1234, N - 1):
        assert nearest_of(SHAPES[shape], row, k).tolist() == by_sorting_all(SHAPES[shape], row, k)


@given(
    values=st.lists(st.sampled_from([0, 0.25, 0.5, 1, 3e38]), min_size=2, max_size=60),
    repeats=st.integers(1, 80),
    data=st.data(),
)
@settings(deadline=None, max_examples=150)
def test_the_nearest_of_any_ties_are_those_of_a_full_sort(
    values: list[float], repeats: int, data: st.DataObject
) -> None:
    distances = np.tile(np.array(values, np.float32), repeats)
    row = data.draw(st.integers(0, len(distances) - 1))
    k = data.draw(st.integers(1, len(distances) - 1))
    assert nearest_of(distances, row, k).tolist() == by_sorting_all(distances, row, k)


def test_all_neighbors_can_be_asked_for() -> None:
    indices, _ = cw.nearest(matrix(30), 3, k=29)
    assert sorted(indices.tolist()) == [index for index in range(30) if index != 3]


def test_a_matrix_that_is_searched_in_parts_gives_the_same() -> None:
    rows = matrix(100_001, 64)
    np.testing.assert_allclose(cw.l2(rows, 99_999), exact(rows, rows[99_999]), rtol=1e-6)
    assert cw.l2(rows, 99_999)[99_999] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_tensor_is_searched_where_it_lies(dtype: torch.dtype) -> None:
    tensor = torch.from_numpy(matrix()).to(dtype)
    distances = cw.l2(tensor, 3)
    assert isinstance(distances, torch.Tensor)
    assert distances.dtype == torch.float32
    rows = tensor.float().numpy()
    np.testing.assert_allclose(distances.numpy(), exact(rows, rows[3]), rtol=1e-6, atol=1e-6)
    assert cw.nearest(tensor, 3, k=5)[0].tolist() == cw.nearest(rows, 3, k=5)[0].tolist()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_a_tensor_on_the_gpu_stays_there() -> None:
    tensor = torch.from_numpy(matrix()).cuda()
    distances = cw.l2(tensor, 3)
    assert distances.device == tensor.device
    np.testing.assert_allclose(distances.cpu().numpy(), exact(matrix(), matrix()[3]), rtol=1e-5)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda rows: rows[::-2], np.float64])
def test_the_layout_in_memory_does_not_matter(change: object) -> None:
    rows = change(matrix())  # type: ignore[operator]
    np.testing.assert_allclose(cw.l2(rows, 9), exact(rows, rows[9]), rtol=1e-6, atol=1e-7)


def test_values_whose_squares_overflow_are_still_right() -> None:
    rows = matrix() * np.float32(1e25)
    np.testing.assert_allclose(cw.l2(rows, 0), exact(rows, rows[0]), rtol=1e-6)


def test_a_vector_that_is_no_row_can_be_compared() -> None:
    rows, vector = matrix(), np.linspace(0, 1, 24)
    np.testing.assert_allclose(
        cw.l2(rows, vector), exact(rows, vector.astype(np.float32)), rtol=1e-6
    )


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused_with_its_row(broken: float) -> None:
    rows = matrix()
    rows[13, 2] = broken
    with pytest.raises(ValueError, match="row 13 is not finite"):
        cw.l2(rows, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((matrix(), 0, 0), ValueError, "k = 0 is out of range"),
        ((matrix(), 0, 500), ValueError, "1 to 499 neighbors"),
        ((matrix(), 0, 2.5), TypeError, "whole number, not 2.5"),
        ((matrix(), 500, 3), IndexError, "no example 500"),
        ((matrix(), -1, 3), IndexError, "no example -1"),
        ((matrix()[0], 0, 3), ValueError, r"not \(24,\)"),
        ((matrix().astype(int), 0, 3), TypeError, "floating point numbers, not int64"),
        ((matrix().tolist(), 0, 3), TypeError, "not list"),
    ],
)
def test_bad_arguments_are_named(
    arguments: tuple[object, int, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cw.nearest(*arguments)


def test_a_vector_of_another_length_is_named() -> None:
    with pytest.raises(ValueError, match=r"the vector has shape \(3,\)"):
        cw.l2(matrix(), [1, 2, 3])


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ([1, "a"] + [0] * 22, ValueError, r"24 real numbers, not \[1, 'a'"),
        ([[1], [2, 3]], ValueError, r"not \[\[1\], \[2, 3\]\]"),
        ([], ValueError, r"\[\] does not fit"),
        ({}, TypeError, r"not by \{\}"),
        (None, TypeError, "not by None"),
        (2.0, TypeError, "not by 2.0"),
    ],
)
def test_what_is_neither_a_row_nor_a_vector_is_named(
    row: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cw.l2(matrix(), row)  # type: ignore[arg-type]


def test_a_masked_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="the matrix: a MaskedArray with 2 masked values"):
        cw.l2(np.ma.array(matrix(3, 2), mask=np.eye(3, 2, dtype=bool)), 0)


def test_the_search_on_a_device_agrees_with_the_one_in_memory() -> None:
    from clusterwidget.core.distances import _l2_tensor

    tensor = torch.from_numpy(matrix(3000, 24))
    np.testing.assert_allclose(_l2_tensor(tensor, tensor[7]), cw.l2(tensor, 7), rtol=1e-6)
    assert _l2_tensor(tensor, tensor[7])[7] == 0
    with pytest.raises(ValueError, match="holds NaN or infinity"):
        _l2_tensor(tensor / 0, tensor[7])
