"""Activations that came from elsewhere, and what is refused of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clusterwidget.activations.given import given_activations
from clusterwidget.core.places import Places
from clusterwidget.core.stages import Stage

ROWS = np.eye(3, 2)


def test_activations_are_told_which_stages_they_are() -> None:
    held, stages = given_activations(
        {"L0.mlp_out@a": ROWS, "L0H1.z@b": ROWS.tolist()}, 3, Places(("a", "b"))
    )
    assert [str(stage) for stage in stages.select()] == ["L0.mlp_out@a", "L0H1.z@b"]
    matrix = held.get(Stage.parse("L0H1.z@b"))
    assert matrix is not None
    assert matrix.dtype == np.float32


@pytest.mark.parametrize(
    ("activations", "error", "message"),
    [
        (ROWS, TypeError, r"\{'L0.z@0': array\}, not be array"),
        ([ROWS], TypeError, "must say which stages they are"),
        ({}, ValueError, "activations are empty, {}"),
        ({"nonsense": ROWS}, ValueError, "'nonsense' is no address"),
        ({3: ROWS}, TypeError, "not 3"),
        ({"embed@z": ROWS}, ValueError, "position 'z'; the examples have"),
        ({"embed@a": None}, ValueError, r"embed@a have shape \(\), None"),
        ({"L0.z@a": ROWS}, ValueError, "'z' stage needs a head"),
        ({"embed@a": ROWS[:, 0]}, ValueError, r"embed@a have shape \(3,\)"),
        ({"embed@a": ROWS[:, :0]}, ValueError, r"embed@a have shape \(3, 0\)"),
        ({"embed@a": ROWS * np.nan}, ValueError, r"embed@a hold NaN.*row 0 \(3 rows in all"),
        ({"embed@a": np.array([["x"]] * 3)}, TypeError, "real numbers, not <U1"),
        ({"embed@a": ROWS[:2]}, ValueError, r"shape \(2, 2\), array.*3 examples"),
        ({"embed@a": [[1], [2, 3], [4]]}, ValueError, r"equal length.*\[\[1\], \[2, 3\], \[4\]\]"),
        ({"embed@a": ROWS.astype(object)}, TypeError, "real numbers, not object, array"),
        ({"embed@a": ROWS.astype(complex)}, TypeError, "real numbers, not complex128"),
        ({"embed@a": torch.zeros(3, 2, dtype=torch.cfloat)}, TypeError, "not torch.complex64"),
        ({"embed@a": ROWS * 1e300}, ValueError, "hold NaN or infinity, first in row 0"),
        ({"embed@a": np.ma.array(ROWS, mask=ROWS == 1)}, ValueError, "MaskedArray with 2 masked"),
        ({"embed@a": ROWS, Stage("embed", position="a"): ROWS}, ValueError, "given twice"),
    ],
)
def test_what_is_no_activation_is_named(
    activations: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        given_activations(activations, 3, Places(("a", "b")))
