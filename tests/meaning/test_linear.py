"""Linear fits of numbers, held against scikit-learn's own and against what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_score

import clusterwidget as cw

Fit = Mapping[Any, Any]
N, D = 400, 12


def planted(noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors, one direction of which is a number; and the number."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((N, D))
    number = rng.standard_normal(N)
    vectors[:, 3] = 2 * number + noise * rng.standard_normal(N)
    return vectors.astype(np.float32), number


def explorer(vectors: np.ndarray, **concepts: Any) -> cw.Explorer:
    tokens = np.arange(len(vectors))[:, None]
    examples = cw.Examples(tokens, concepts=pd.DataFrame(concepts))
    return cw.Explorer(examples=examples, activations={"embed@0": vectors})


def fits(ex: cw.Explorer, *about: Any, **further: Any) -> dict[str, Fit]:
    """Return the rows of a stage by concept."""
    table = ex.linear("embed@0", *about, **further)
    return {row["concept"]: row for row in table.to_dict("records")}


def test_r2_is_that_of_cross_val_score() -> None:
    vectors, number = planted(noise=1.5)
    wide = np.random.default_rng(9).standard_normal((N, 3 * N)).astype(np.float32)
    wide[:, :D] += 3 * vectors
    for matrix in (vectors, wide):
        row = fits(explorer(matrix, x=number), seed=3)["x"]
        scaled = matrix.astype(float) - matrix.mean(axis=0)
        scaled /= np.sqrt((scaled**2).mean())
        folds = KFold(5, shuffle=True, random_state=3)
        expected = cross_val_score(
            RidgeCV(10.0 ** np.arange(-6, 3) * N * 0.8), scaled, number, cv=folds, scoring="r2"
        )
        assert row["r2"] == pytest.approx(expected.mean(), abs=1e-4)


def test_what_is_planted_is_read_off_and_chance_is_not() -> None:
    vectors, number = planted()
    other = np.random.default_rng(5).standard_normal(N)
    found = fits(explorer(vectors, number=number, other=other))
    assert found["number"]["r2"] > 0.999
    assert abs(found["other"]["r2"]) < 0.1
    assert abs(found["other"]["explained"]) < 0.01


def test_explained_is_the_r2_of_the_vectors_given_the_number() -> None:
    vectors, number = planted(noise=1.0)
    row = fits(explorer(vectors, x=number))["x"]
    fit = LinearRegression().fit(number[:, None], vectors)
    whole = r2_score(vectors, fit.predict(number[:, None]), multioutput="variance_weighted")
    assert row["explained"] == pytest.approx(1 - (1 - whole) * (N - 1) / (N - 2), abs=1e-6)
    # Ranges lose what is within them.
    assert 0.7 * row["explained"] < row["ranges"] < row["explained"]


def test_missing_and_infinite_values_are_left_out_and_dates_are_numbers() -> None:
    vectors, number = planted()
    holes = number.copy()
    holes[:50], holes[50] = np.nan, np.inf
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(100 + 10 * number, unit="D")
    found = fits(explorer(vectors, holes=holes, dates=dates))
    assert {name: row["n"] for name, row in found.items()} == {"holes": N - 51, "dates": N}
    assert all(row["r2"] > 0.999 for row in found.values())


def test_few_values_are_numbers_where_they_are_named() -> None:
    vectors, number = planted()
    digit = np.digitize(number, [-1, 0, 1])
    ex = explorer(vectors, digit=digit, word=np.where(digit > 1, "big", "small"), one=1.0)
    assert fits(ex) == {}
    assert fits(ex, "digit")["digit"]["r2"] > 0.8
    assert np.isnan(fits(ex, "one")["one"]["r2"])
    with pytest.raises(ValueError, match="'word' is no number"):
        ex.linear("embed@0", ["word"])
    with pytest.raises(ValueError, match=r"no concept 'digits'\. Did you mean 'digit'"):
        ex.linear("embed@0", ["digits"])


def test_a_stage_that_is_the_same_for_all_says_nothing() -> None:
    _, number = planted()
    same = np.ones((N, 3), np.float32)
    row = fits(explorer(same, x=number))["x"]
    assert np.isnan(row["r2"])
    assert np.isnan(row["explained"])
