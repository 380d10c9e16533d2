"""Set aside: against scikit-learn's least squares on one-hot columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import clusterwidget as cw
from clusterwidget.core.concepts import Partitions
from clusterwidget.meaning.aside import partitions_aside, set_aside
from tests.meaning.planted import N, planted


def left_by_regression(matrix: np.ndarray, columns: pd.DataFrame) -> np.ndarray:
    hot = pd.get_dummies(columns.astype(str)).to_numpy(float)
    left: np.ndarray = matrix - LinearRegression().fit(hot, matrix).predict(hot)
    return left


@pytest.mark.parametrize("names", [["L2"], ["L2", "carry2"], ["L2+R2", "carry3", "makes3"]])
def test_what_is_left_is_the_residual_of_a_regression(names: list[str]) -> None:
    concepts = cw.addition.problems(N, seed=3).concepts
    matrix = planted(*(concepts[name].to_numpy() for name in names)) + 100
    left = set_aside(matrix, partitions_aside(concepts, names))
    np.testing.assert_allclose(left, left_by_regression(matrix, concepts[names]), atol=2e-4)
    assert left.dtype == np.float32


def test_equal_examples_stay_at_distance_zero() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((500, 8), dtype=np.float32)[rng.integers(0, 500, 5000)]
    codes = pd.DataFrame({"a": (matrix[:, 0] > 0).astype(int), "b": (matrix[:, 1] > 0).astype(int)})
    left = set_aside(matrix, partitions_aside(codes, ["a", "b"]))
    for row in range(5):
        same = (matrix == matrix[row]).all(axis=1)
        assert (left[same] == left[row]).all()


def test_a_missing_value_is_a_value_of_its_own() -> None:
    rng = np.random.default_rng(0)
    values = pd.array(rng.integers(0, 3, 900), dtype="Int64")
    values[::3] = pd.NA
    matrix = rng.standard_normal((900, 4)).astype(np.float32)
    left = set_aside(matrix, partitions_aside(pd.DataFrame({"a": values}), ["a"]))
    np.testing.assert_allclose(left[::3].mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nobody"], "there is no concept 'nobody'"),
        (["constant"], "constant is dropped: it is 1 for every example. Nothing can be set aside"),
        (["word", "number"], "word, number have 58 values together, and there are 40 examples"),
    ],
)
def test_what_cannot_be_set_aside_is_refused(names: list[str], message: str) -> None:
    rows = np.arange(40)
    concepts = pd.DataFrame({"word": rows % 30, "number": (rows + rows // 7) % 30, "constant": 1})
    with pytest.raises(ValueError, match=message):
        partitions_aside(concepts, names)


def test_an_explorer_answers_everything_about_what_is_left(partitioned: Partitions) -> None:
    problems = cw.addition.problems(N, seed=3)
    two = planted(*(problems.concepts[name].to_numpy() for name in ("L2", "R1")))
    address = "L1.resid_post@S3"
    ex = cw.Explorer(examples=problems, activations={address: two})
    left = ex.matrix(address, without="L2")
    np.testing.assert_allclose(left, left_by_regression(two, problems.concepts[["L2"]]), atol=1e-4)
    assert ex.matrix(address, without=["L2"]) is left
    distances = ex.distances(address, 7, without="L2")
    np.testing.assert_allclose(distances, np.linalg.norm(left - left[7], axis=1), atol=1e-4)
    near = ex.neighbors(address, 7, 5, without="L2")["example"].tolist()
    assert near == np.argsort(distances, kind="stable")[1:6].tolist()
    assert ex.shared(address, 7, without="L2")["concept"].iloc[0] == "R1"
    assert ex.meaning(address, without="L2").concept == "R1"
    table = ex.atlas(address, without="L2")
    assert table.iloc[0].idxmax() == "R1"
    assert abs(float(table["L2"].iloc[0])) < 0.01
    found = ex.clusters(address, 10, without="L2").names
    assert sum("R1" in name for name in found) >= 8
    assert ex.meaning(address).spread > ex.meaning(address, without="L2").spread
