"""How clusters are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clusterwidget.core.checks import number
from clusterwidget.core.kept import Document
from clusterwidget.core.metrics import Metric
from clusterwidget.meaning.clusters import COLUMNS, Clusters

RECORDS = "clusters"
"""What they are called in a saved exploration."""


def key(
    stage: str,
    without: Sequence[str],
    n: int | None,
    method: str,
    seed: int,
    examples: str,
    metric: Metric = "l2",
) -> str:
    """Return what clusters are kept under: all that they depend on."""
    aside = " and ".join(without)
    # Of L2 nothing is said: explorations were saved before metrics.
    measured = "" if metric == "l2" else f" metric={metric}"
    return (
        f"{stage} without={aside} n={n} method={method} seed={seed} examples={examples}{measured}"
    )


def document(clusters: Clusters) -> dict[str, Any]:
    """Return clusters as plain values."""
    rows = clusters.table.astype(object).where(clusters.table.notna(), None)
    return {
        "labels": clusters.labels.tolist(),
        "rows": [[_plain(value) for value in row] for row in rows.itertuples(index=False)],
        "information": [[str(name), float(bits)] for name, bits in clusters.information.items()],
        "names": list(clusters.names),
    }


def restored(n: int, saved: Document) -> Clusters:
    """Return what `document` made plain values of, of n examples; raise where it cannot be that."""
    names, rows, labels = saved["names"], saved["rows"], np.array(saved["labels"])
    if labels.shape != (n,) or labels.dtype.kind != "i":
        raise ValueError("there is not one label for each example")
    if not -1 <= labels.min() <= labels.max() < len(names) <= n:
        raise ValueError("a label is of no cluster")
    for cluster, size, concept, value, *numbers in rows:
        if type(cluster) is not int or not 0 <= cluster < len(names) or type(size) is not int:
            raise ValueError("a row is of no cluster")
        if not isinstance(concept, str) or not isinstance(value, str) or len(numbers) != 3:
            raise ValueError("a row has other columns than are saved")
        for share in numbers:
            if share is not None:
                number("a share", share)
    named = [*names, *(name for name, _ in saved["information"])]
    if not all(isinstance(name, str) for name in named):
        raise ValueError("a name is no text")
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table[["share", "base", "p"]] = table[["share", "base", "p"]].astype(float)
    information = pd.Series(
        {name: float(number("information", bits)) for name, bits in saved["information"]},
        dtype=float,
        name="information",
    )
    return Clusters(labels.astype(np.int32), table, information, tuple(names))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
