"""Metrics, held against what scipy and scikit-learn say of the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf

from clusterwidget.core.distances import l2
from clusterwidget.core.metrics import METRICS, Metric, Moments, checked_metric, transform_of

RNG = np.random.default_rng(0)
MAPPED = METRICS[1:]
SKEWED = (RNG.normal(size=(300, 12)) @ RNG.normal(size=(12, 12)) + 3).astype(np.float32)
SKEWED[:, 2] *= 400


def distances(metric: Metric, matrix: Any, row: int = 0, basis: Any = None) -> Any:
    return l2(transform_of(metric, matrix, basis).apply(matrix), row)


def mahalanobis(matrix: npt.NDArray[Any]) -> Any:
    """Return the distances that shrunk correlations give, by scikit-learn's own shrinkage."""
    deviations = matrix.astype(float).std(axis=0)
    standardized = (matrix - matrix.mean(axis=0, dtype=float)) / deviations
    covariance, _ = ledoit_wolf(standardized, assume_centered=True)
    return cdist(standardized[:1], standardized, "mahalanobis", VI=np.linalg.inv(covariance))[0]


def test_cosine_is_two_less_twice_the_cosine_squared() -> None:
    cosine = 1 - cdist(SKEWED[:1], SKEWED, "cosine")[0]
    assert distances("cosine", SKEWED) ** 2 == pytest.approx(2 - 2 * cosine, abs=1e-6)


def test_standardized_is_scipys_seuclidean() -> None:
    expected = cdist(SKEWED[:1], SKEWED, "seuclidean", V=SKEWED.astype(float).var(axis=0))[0]
    assert distances("standardized", SKEWED) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n", [300, 12, 9])
def test_whitened_is_mahalanobis_of_shrunk_correlations(n: int) -> None:
    # Also with as many examples as dimensions, and with fewer: the covariance has no inverse then.
    expected = mahalanobis(SKEWED[:n])
    assert distances("whitened", SKEWED[:n]) == pytest.approx(expected, rel=1e-4)


def test_whitened_takes_no_notice_of_units_and_standardized_neither() -> None:
    units = (10.0 ** RNG.integers(-3, 4, 12)).astype(np.float32)
    for metric in ("standardized", "whitened"):
        expected = distances(metric, SKEWED)
        assert distances(metric, SKEWED * units) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("metric", MAPPED)
def test_equal_rows_are_at_distance_zero(metric: Metric) -> None:
    matrix = np.repeat(SKEWED, 7, axis=0)
    found = distances(metric, matrix, 40)
    assert (found[35:42] == 0).all()
    assert (found[:35] > 0).all()


def test_zero_vectors_have_no_direction_and_stay_at_zero() -> None:
    matrix = np.array([[0, 0], [3, 4], [0, 0], [-3e30, -4e30], [6e-30, 8e-30]], np.float32)
    assert distances("cosine", matrix) == pytest.approx([0, 1, 0, 1, 1])
    assert distances("cosine", matrix, 1) == pytest.approx([1, 0, 1, 2, 0], abs=1e-6)


@pytest.mark.parametrize("metric", ["standardized", "whitened"])
def test_coordinates_that_are_the_same_for_all_count_for_nothing(metric: Metric) -> None:
    constant = np.concatenate([SKEWED, np.full((300, 2), 7e4, np.float32)], axis=1)
    # Off by rounding in one example.
    constant[5, 13] = np.nextafter(np.float32(7e4), np.float32(8e4))
    assert distances(metric, constant) == pytest.approx(distances(metric, SKEWED), rel=1e-5)
    assert not transform_of(metric, constant[:, 12:13]).apply(constant[:, 12:13]).any()


def test_directions_in_which_examples_do_not_differ_count_for_nothing() -> None:
    # Weights that sum to 1: the sum differs by rounding alone, which whitening must not enlarge.
    weights = RNG.dirichlet(np.ones(6), 500).astype(np.float32)
    fewer = transform_of("whitened", weights[:, :5]).apply(weights[:, :5])
    mapped = transform_of("whitened", weights).apply(weights)
    squares = (l2(mapped, 0) ** 2)[1:]
    assert squares.mean() == pytest.approx((l2(fewer, 0) ** 2)[1:].mean(), rel=0.05)


def test_what_no_example_before_differed_in_still_tells_a_new_one_apart() -> None:
    # Ten examples span nine dimensions; the eleventh and twelfth lie outside of them.
    first = SKEWED[:10]
    deviations = first.astype(float).std(axis=0)
    standardized = (SKEWED[:12] - first.mean(axis=0, dtype=float)) / deviations
    covariance, _ = ledoit_wolf(standardized[:10], assume_centered=True)
    inverse = np.linalg.inv(covariance)
    expected = cdist(standardized[10:11], standardized, "mahalanobis", VI=inverse)[0]
    found = l2(transform_of("whitened", first).apply(SKEWED[:12]), 10)
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("metric", ["standardized", "whitened"])
def test_what_is_held_in_fewer_coordinates_is_measured_in_all(metric: Metric) -> None:
    basis = np.linalg.qr(RNG.normal(size=(30, 12)))[0].T.astype(np.float32)
    expected = distances(metric, SKEWED @ basis)
    assert distances(metric, SKEWED, basis=basis) == pytest.approx(expected, rel=2e-3)


def test_moments_do_not_cancel_beside_a_large_mean() -> None:
    matrix = RNG.normal((0, 1e4, 0), 1, (20_000, 3)).astype(np.float32)
    moments = Moments.of(matrix)
    assert moments.variance == pytest.approx(matrix.astype(float).var(axis=0), rel=1e-6)
    assert moments.mean == pytest.approx(matrix.mean(axis=0, dtype=float))
    spread = np.sqrt(((matrix - matrix.mean(axis=0, dtype=float)) ** 2).sum(axis=1).mean())
    assert moments.spread == pytest.approx(spread)


def test_shares_are_of_the_squared_distance_between_random_pairs() -> None:
    pairs = RNG.integers(0, 300, (2, 100_000))
    squares = (SKEWED[pairs[0]].astype(float) - SKEWED[pairs[1]]) ** 2
    shares = squares.sum(axis=0) / squares.sum()
    assert Moments.of(SKEWED).shares == pytest.approx(shares, abs=0.01)


def test_a_metric_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'l2', 'cosine', 'standardized', 'whitened', not 'L1'"):
        checked_metric("L1")
    with pytest.raises(TypeError, match="metric must be one of"):
        checked_metric(2)


def test_too_many_directions_to_whiten_are_refused_before_any_work() -> None:
    with pytest.raises(ValueError, match=r"5,000 directions.*metric='standardized'"):
        transform_of("whitened", np.zeros((6000, 5000), np.float32))


@pytest.mark.parametrize("metric", MAPPED)
def test_what_is_not_finite_is_named(metric: Metric) -> None:
    matrix = SKEWED.copy()
    matrix[17, 3] = np.inf
    with pytest.raises(ValueError, match="example 17 holds NaN or infinite"):
        distances(metric, matrix)
