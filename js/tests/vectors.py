"""Vectors that the front end's arithmetic is tested against.

``python js/tests/vectors.py`` writes them.

The reference is float64 NumPy, rounded to float32 once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

PATH = Path(__file__).with_name("vectors.json")


def case(rng: np.random.Generator, n: int, d: int, k: int) -> dict[str, Any]:
    """Return a matrix (n, d) with equal rows, distances from one row (n,), and its k nearest."""
    matrix = np.round(rng.normal(size=(n, d)), 3).astype(np.float32)
    matrix[n // 2] = matrix[0]
    matrix[n - 1] = matrix[1]
    row = int(rng.integers(n))
    wide = matrix.astype(np.float64)
    distances = np.sqrt(((wide - wide[row]) ** 2).sum(axis=1)).astype(np.float32)
    order = np.argsort(distances, kind="stable")
    return {
        "n": n,
        "d": d,
        "row": row,
        "matrix": [float(f"{x:.3f}") for x in matrix.ravel()],
        "distances": [float(x) for x in distances],
        "nearest": [int(i) for i in order if i != row][:k],
    }


def vectors() -> str:
    """Return all cases as JSON."""
    rng = np.random.default_rng(0)
    shapes = [(2, 1, 1), (7, 3, 6), (40, 5, 10), (60, 32, 59)]
    return json.dumps([case(rng, *shape) for shape in shapes]) + "\n"


if __name__ == "__main__":
    PATH.write_text(vectors())
