"""How an atlas is kept: the shares of each stage, as they were worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clusterwidget.core.checks import number
from clusterwidget.core.concepts import Partitions
from clusterwidget.core.kept import Document
from clusterwidget.core.metrics import Metric
from clusterwidget.core.stages import Stage
from clusterwidget.meaning.atlas import Atlas

RECORDS = "atlas"
"""What it is called in a saved exploration."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One stage of an atlas.

    Attributes
    ----------
    shares : tuple of float
        One for each concept.
    pairs : dict of two names to float
        The shares of pairs of concepts that were asked for.
    spread : float
    same : bool
        Whether all examples are the same.
    """

    shares: tuple[float, ...]
    pairs: dict[Pair, float]
    spread: float
    same: bool


Rows = dict[Stage, Row]


def key(examples: str, metric: Metric) -> str:
    """Return what an atlas is kept under; of L2 nothing is said: atlases were saved before it."""
    return examples if metric == "l2" else f"{examples} metric={metric}"


def rows_of(atlas: Atlas, pairs: Sequence[Pair]) -> Rows:
    """Return an atlas stage by stage."""
    return {
        stage: Row(
            tuple(atlas.shares[at].tolist()),
            dict(zip(pairs, atlas.pair_shares[at].tolist(), strict=True)),
            float(atlas.spreads[at]),
            bool(atlas.same[at]),
        )
        for at, stage in enumerate(atlas.stages)
    }


def known(rows: Rows, stage: Stage, pairs: Sequence[Pair]) -> bool:
    """Tell whether all that is asked of a stage was worked out."""
    row = rows.get(stage)
    return row is not None and all(pair in row.pairs for pair in pairs)


def atlas_of(
    rows: Rows, stages: Sequence[Stage], partitions: Partitions, pairs: Sequence[Pair], n: int
) -> Atlas:
    """Return the atlas of some stages, all of them known."""
    chosen = [rows[stage] for stage in stages]
    pair_shares = [[row.pairs[pair] for pair in pairs] for row in chosen]
    return Atlas(
        tuple(stages),
        partitions,
        np.array([row.shares for row in chosen]).reshape(len(chosen), len(partitions.all)),
        np.array(pair_shares).reshape(len(chosen), len(pairs)),
        n,
        np.array([row.spread for row in chosen]),
        np.array([row.same for row in chosen], bool),
    )


def document(rows: Rows) -> dict[str, Any]:
    """Return rows as plain values."""
    return {
        "rows": [
            {
                "stage": str(stage),
                "shares": list(map(_plain, row.shares)),
                "pairs": [[*pair, _plain(share)] for pair, share in row.pairs.items()],
                "spread": row.spread,
                "same": row.same,
            }
            for stage, row in rows.items()
        ]
    }


def restored(concepts: int, saved: Document) -> Rows:
    """Return what `document` made plain values of; raise where a field is of another type."""
    rows: Rows = {}
    for one in saved["rows"]:
        shares = tuple(map(_number, one["shares"]))
        pairs = {(first, second): _number(share) for first, second, share in one["pairs"]}
        if len(shares) != concepts or type(one["same"]) is not bool:
            raise ValueError("it is the atlas of other concepts")
        if not all(isinstance(name, str) for pair in pairs for name in pair):
            raise ValueError("a name is no text")
        spread = float(number("spread", one["spread"], 0))
        rows[Stage.parse(one["stage"])] = Row(shares, pairs, spread, one["same"])
    return rows


def _plain(share: float) -> float | None:
    return None if np.isnan(share) else share


def _number(share: Any) -> float:
    return float("nan") if share is None else float(number("a share", share))
