"""One example against all: clusterwidget beside FAISS, scikit-learn, torch and plain numpy."""

from __future__ import annotations

import faiss
import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

import clusterwidget as cw
from benchmarks.timing import medians, print_table

K = 100
SIZES = ((10_000, 64), (10_000, 128), (1_000_000, 32), (1_000_000, 128))


def main() -> None:
    """Print one row for each size."""
    rows = [_row(n, d) for n, d in SIZES]
    names = ["N × d", *rows[0]]
    print_table(
        f"Distances of one example to all, float32, and its {K} nearest (ms; × = of cw.nearest)",
        names,
        [[f"{n:,} × {d}", *row.values()] for (n, d), row in zip(SIZES, rows, strict=True)],
    )


def _row(n: int, d: int) -> dict[str, str]:
    matrix = np.random.default_rng(0).standard_normal((n, d), dtype=np.float32)
    one = matrix[5:6]
    tensor = torch.from_numpy(matrix)
    index = faiss.IndexFlatL2(d)
    index.add(matrix)
    brute = NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(matrix)
    times = medians(
        {
            "cw.l2": lambda: cw.l2(matrix, 5),
            "cw.nearest": lambda: cw.nearest(matrix, 5, K),
            "reading the bytes once": matrix.sum,
            "FAISS IndexFlatL2": lambda: index.search(one, K + 1),
            "scikit-learn brute": lambda: brute.kneighbors(one),
            "torch.cdist": lambda: torch.cdist(tensor[5:6], tensor),
            "numpy": lambda: np.sqrt(((matrix - one) ** 2).sum(axis=1)),
        },
        rounds=5,
    )
    own = times["cw.nearest"]
    read = times["reading the bytes once"]
    shown = {name: f"{1e3 * seconds:.2f} ({seconds / own:.1f}×)" for name, seconds in times.items()}
    shown["cw.l2 / reading"] = f"{times['cw.l2'] / read:.2f}×"
    return shown
