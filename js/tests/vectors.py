"""Vectors that the front end's arithmetic is tested against.

``python js/tests/vectors.py`` writes them.

Distances are float64 NumPy, rounded to float32 once; what neighbors share is what
`clusterwidget.meaning.neighbors` says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.meaning.meaning import NESTED
from clusterwidget.meaning.neighbors import NEARLY_AS_STRONG, SIGNIFICANT, shared_concepts

PATH = Path(__file__).with_name("vectors.json")


def distance_case(rng: np.random.Generator, n: int, d: int, k: int) -> dict[str, Any]:
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


def shared_case(rng: np.random.Generator, n: int, k: int, wide: int) -> dict[str, Any]:
    """Return concepts of n examples, some nested, some missing, and what neighbors share of them.

    The neighbors are those nearest in `a + b`, so that they share it, and with it the carry.
    """
    a, b, noise = rng.integers(0, 10, (3, n))
    codes = {
        "sum": a + b,
        "carry": (a + b >= 10).astype(int),
        "a": a,
        "b": np.where(rng.random(n) < 0.2, -1, b),
        "parity": (a + b) % 2,
        "noise": noise,
    }
    partitions = []
    for name, column in codes.items():
        present = np.unique(column[column >= 0])
        places = np.where(column < 0, -1, np.searchsorted(present, column))
        partitions.append(Partition((name,), places.astype(np.int32), tuple(map(str, present))))
    selected = int(rng.integers(n))
    distances = np.abs(a + b - a[selected] - b[selected]) + 0.1 * rng.random(n)
    order = np.array([i for i in np.argsort(distances) if i != selected])
    table = shared_concepts(Partitions(tuple(partitions), ()), selected, order[:k], order[:wide])
    numbers = ["share", "base", "agreement", "p", "wide_agreement"]
    return {
        "selected": selected,
        "near": order[:k].tolist(),
        "wide": order[:wide].tolist(),
        "partitions": [
            {"name": p.name, "values": list(p.groups), "codes": p.codes.tolist()}
            for p in partitions
        ],
        "told": [[_rounded(p.determined_by(other)) for other in partitions] for p in partitions],
        "rows": [
            {
                "concept": row["concept"],
                "value": row["value"],
                "under": row["under"],
                **{name: _rounded(row[name]) for name in numbers},
            }
            for row in table.to_dict("records")
        ],
    }


def _rounded(number: float) -> float:
    """Return a number with the digits that do not depend on the machine."""
    return float(f"{number:.9g}")


def vectors() -> str:
    """Return all cases as JSON."""
    rng = np.random.default_rng(0)
    shapes = [(2, 1, 1), (7, 3, 6), (40, 5, 10), (60, 32, 59)]
    sizes = [(30, 3, 1), (200, 20, 8), (200, 150, 8), (400, 5, 16)]
    cases = {
        "distances": [distance_case(rng, *shape) for shape in shapes],
        "shared": [shared_case(rng, *size) for size in sizes],
        "limits": {
            "wide": 1,
            "nested": NESTED,
            "nearlyAsStrong": NEARLY_AS_STRONG,
            "significant": SIGNIFICANT,
        },
    }
    return json.dumps(cases) + "\n"


if __name__ == "__main__":
    PATH.write_text(vectors())
