"""What is recovered, by hand, and its interval against scipy's bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.neighbors import NearestNeighbors

from clusterwidget.interventions.usual import UsualRange
from clusterwidget.results.recovered import LEAST_COST, mean_interval, recovered

NOTHING = np.zeros(4)


def test_recovered_is_the_share_of_the_loss_that_is_not_there() -> None:
    without = np.array([0.0, 1.0, 0.0, 1.0])
    random = np.array([2.0, 3.0, 4.0, 3.0])
    swapped = np.array([0.5, 1.5, 1.0, 1.0])
    # Losses of 3 and 1 on average, 0.5 without: (3 - 1) / (3 - 0.5).
    assert recovered(swapped, random, without, 0).share == pytest.approx(0.8)
    assert recovered(without, random, without, 0).share == 1
    assert recovered(random, random, without, 0).share == 0
    assert recovered(random + 2.5, random, without, 0).share == pytest.approx(-1)


def test_the_interval_holds_the_share_and_is_a_point_where_all_pairs_agree() -> None:
    found = recovered(NOTHING + 0.5, NOTHING + 2, NOTHING, 0)
    assert (found.low, found.share, found.high) == (0.75, 0.75, 0.75)


def test_where_nothing_can_be_told_to_be_lost_nothing_can_be_recovered() -> None:
    for cost in (0, -1, 0.99 * LEAST_COST):
        found = recovered(NOTHING, NOTHING + cost, NOTHING, 0)
        assert np.isnan([found.share, found.low, found.high]).all()
    assert recovered(NOTHING, NOTHING + 1.01 * LEAST_COST, NOTHING, 0).share == 1
    # A mean cost of 1 that is one pair's alone tells nothing.
    rare = np.array([4.0, 0, 0, 0])
    assert np.isnan(recovered(NOTHING, rare, NOTHING, 0).share)


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.array([1.0, 2.0, 4.0])
    half = 1.959964 * values.std(ddof=1) / np.sqrt(3)
    assert mean_interval(values) == pytest.approx((values.mean() - half, values.mean() + half))


def test_pairs_without_a_donor_are_left_out_of_all_three_losses() -> None:
    swapped = np.array([1.0, np.nan, 0.0])
    found = recovered(swapped, np.array([2.0, 100.0, 2.0]), np.zeros(3), 0)
    assert found.share == pytest.approx(0.75)
    nobody = recovered(np.full(3, np.nan), np.ones(3), np.zeros(3), 0)
    assert np.isnan([nobody.share, nobody.low, nobody.high]).all()


def test_the_interval_is_that_of_the_percentile_bootstrap() -> None:
    rng = np.random.default_rng(3)
    without = rng.exponential(0.1, 300)
    random = without + rng.exponential(2, 300)
    swapped = without + 0.3 * (random - without) + rng.normal(0, 0.5, 300)

    def share(s: np.ndarray, r: np.ndarray, w: np.ndarray, axis: int) -> np.ndarray:
        ratio: np.ndarray = (r - s).mean(axis) / (r - w).mean(axis)
        return ratio

    expected = bootstrap(
        (swapped, random, without),
        share,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        random_state=np.random.default_rng(0),
    ).confidence_interval
    found = recovered(swapped, random, without, 0)
    width = expected.high - expected.low
    # A thousand resamples leave a 2.5 % quantile uncertain by about 4 % of the interval's width.
    assert found.low == pytest.approx(expected.low, abs=0.12 * width)
    assert found.high == pytest.approx(expected.high, abs=0.12 * width)
    assert found == recovered(swapped, random, without, 0)
    assert found.low != recovered(swapped, random, without, 1).low


def test_an_interval_holds_what_is_true_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        random = rng.exponential(2, 100)
        swapped = 0.2 * random + rng.normal(0, 0.3, 100)
        found = recovered(swapped, random, np.zeros(100), 0)
        held += found.low <= 0.8 <= found.high
    assert 180 <= held <= 198


def test_unusual_is_the_distance_to_the_nearest_over_the_median_such_distance() -> None:
    rng = np.random.default_rng(1)
    indices = np.arange(0, 200, 2)
    seen = rng.standard_normal((100, 3, 16)).astype(np.float32)
    found = rng.standard_normal((9, 16)).astype(np.float32) * 2
    apart = np.stack([np.arange(9) * 2, np.full(9, -1)], axis=1)
    ratios = UsualRange(indices, seen).unusual(found, 1, apart)
    rows = seen[:, 1]
    typical = np.median(NearestNeighbors(n_neighbors=2).fit(rows).kneighbors(rows)[0][:, 1])
    for at in range(9):
        others = NearestNeighbors(n_neighbors=1).fit(np.delete(rows, at, axis=0))
        expected = others.kneighbors(found[[at]])[0][0, 0] / typical
        assert ratios[at] == pytest.approx(expected, rel=1e-4)


def test_an_example_of_its_own_is_as_unusual_as_usual_and_at_least_one_in_the_middle() -> None:
    seen = np.random.default_rng(2).standard_normal((101, 1, 8)).astype(np.float32)
    indices = np.arange(101)
    own = UsualRange(indices, seen).unusual(seen[:, 0], 0, indices[:, None])
    assert np.median(own) == pytest.approx(1, rel=1e-5)
    again = UsualRange(indices, seen).unusual(seen[:, 0], 0, np.full((101, 1), -1))
    np.testing.assert_array_equal(again, 0)


def test_where_all_examples_are_the_same_nothing_is_usual() -> None:
    same = UsualRange(np.arange(5), np.ones((5, 1, 4), np.float32))
    assert np.isnan(same.unusual(np.zeros((2, 4), np.float32), 0, np.full((2, 1), -1))).all()
