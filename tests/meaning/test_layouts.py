"""Layouts: the examples of a stage as points of a plane."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA

from clusterwidget import Examples, Explorer
from clusterwidget.meaning import layouts
from clusterwidget.meaning.layouts import layout


def matrix_of(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, d)) / np.arange(1, d + 1) + 3).astype(np.float32)


def explorer_of(matrix: np.ndarray) -> Explorer:
    n = len(matrix)
    concepts = {"half": np.arange(n) % 2}
    examples = Examples(np.zeros((n, 1), int), positions=["0"], concepts=concepts)
    return Explorer(examples=examples, activations={"embed@0": matrix})


@pytest.mark.parametrize(("n", "d"), [(300, 12), (9, 40), (2, 5)])
def test_points_are_the_two_leading_principal_components(n: int, d: int) -> None:
    matrix = matrix_of(n, d)
    found = layout(matrix, "pca", 0)
    theirs = PCA(min(2, n - 1), svd_solver="full").fit(matrix)
    for axis, direction in enumerate(theirs.components_):
        sign = np.sign(direction[np.abs(direction).argmax()])
        expected = sign * ((matrix - matrix.mean(axis=0)) @ direction)
        np.testing.assert_allclose(found.points[:, axis], expected, atol=2e-4)
    assert found.shares is not None
    ratios = theirs.explained_variance_ratio_
    np.testing.assert_allclose(found.shares[: len(ratios)], ratios, rtol=1e-4)


def test_a_wide_stage_has_the_same_points_without_a_covariance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrix = matrix_of(60, 90)
    exact = layout(matrix, "pca", 0)
    monkeypatch.setattr(layouts, "_WIDEST", 50)
    found = layout(matrix, "pca", 7)
    np.testing.assert_allclose(found.points, exact.points, atol=1e-4)
    assert found.shares is not None
    assert exact.shares is not None
    np.testing.assert_allclose(found.shares, exact.shares, rtol=1e-4)


def test_what_has_one_direction_or_none_lies_on_a_line_or_at_a_point() -> None:
    line = layout(np.outer(np.arange(5), [1, 2]).astype(np.float32), "pca", 0)
    np.testing.assert_allclose(line.points[:, 1], 0, atol=1e-5)
    np.testing.assert_allclose(np.diff(line.points[:, 0]), 5**0.5, rtol=1e-5)
    point = layout(np.ones((5, 3), np.float32), "pca", 0)
    assert not point.points.any()
    assert point.shares is not None
    assert point.shares.tolist() == [0, 0]


def test_the_picture_does_not_flip_with_other_examples() -> None:
    matrix = matrix_of(500, 6)
    whole, part = layout(matrix, "pca", 0), layout(matrix[:400], "pca", 0)
    for axis in range(2):
        assert np.corrcoef(whole.points[:400, axis], part.points[:, axis])[0, 1] > 0.99


def test_a_layout_is_of_what_is_left_of_a_stage() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((200, 4)).astype(np.float32)
    matrix[1::2, 0] += 20
    explorer = explorer_of(matrix)
    left = explorer.layout("embed@0", without="half")
    np.testing.assert_array_equal(
        left.points, layout(explorer.matrix("embed@0", without="half"), "pca", 0).points
    )
    gap = explorer.layout("embed@0").points[:, 0]
    assert abs(gap[1::2].mean() - gap[::2].mean()) > 10
    assert abs(left.points[1::2].mean() - left.points[::2].mean()) < 0.1


def test_umap_that_is_not_installed_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match="pip install umap-learn"):
        explorer_of(matrix_of(20, 3)).layout("embed@0", "umap")


def test_umap_is_seeded_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    umap = pytest.importorskip("umap", reason="umap-learn is a further choice")
    explorer = explorer_of(matrix_of(80, 5))
    found = explorer.layout("embed@0", "umap", seed=3)
    assert found.shares is None
    assert found.points.shape == (80, 2)
    again = layout(explorer.matrix("embed@0"), "umap", 3)
    np.testing.assert_array_equal(found.points, again.points)
    monkeypatch.setattr(umap, "UMAP", None)
    assert explorer.layout("embed@0", "umap", seed=3) is found
