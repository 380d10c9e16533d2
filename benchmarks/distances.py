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
    """Print a table beside FAISS alone, turn by turn, then one beside all others."""
    print_table(
        f"The {K} nearest of one example, exact, beside FAISS's flat index (ms, median of 15)",
        [
            "N × d",
            "cw.Index",
            "cw.nearest",
            "FAISS, its default",
            "FAISS, one thread",
            "its better / cw.nearest",
            "its better / cw.Index",
        ],
        [_beside_faiss(n, d) for n, d in SIZES],
    )
    rows = [_row(n, d) for n, d in SIZES]
    names = ["N × d", *rows[0]]
    print_table(
        f"Distances of one example to all, float32, and its {K} nearest (ms; × = of cw.nearest)",
        names,
        [[f"{n:,} × {d}", *row.values()] for (n, d), row in zip(SIZES, rows, strict=True)],
    )


def _beside_faiss(n: int, d: int) -> list[str]:
    matrix = np.random.default_rng(0).standard_normal((n, d), dtype=np.float32)
    index = faiss.IndexFlatL2(d)
    index.add(matrix)
    prepared = cw.Index(matrix)
    cores = faiss.omp_get_max_threads()

    def search(threads: int) -> None:
        faiss.omp_set_num_threads(threads)
        index.search(matrix[5:6], K + 1)

    times = medians(
        {
            "index": lambda: prepared.nearest(5, K),
            "own": lambda: cw.nearest(matrix, 5, K),
            "one": lambda: search(1),
            "all": lambda: search(cores),
        },
        rounds=15,
    )
    # FAISS's threads spin while they wait: on a busy machine it is quicker with one.
    best = min(times["one"], times["all"])
    shown = [f"{1e3 * times[name]:.2f}" for name in ("index", "own", "all", "one")]
    ratios = [f"{best / times[name]:.2f}×" for name in ("own", "index")]
    return [f"{n:,} × {d}", *shown, *ratios]


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
