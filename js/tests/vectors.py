"""Vectors that the front end's arithmetic is tested against.

``python js/tests/vectors.py`` writes them.

Distances are float64 NumPy, rounded to float32 once; what neighbors share is what
`clusterwidget.meaning.neighbors` says; where cells lie and what colors they have is what
`clusterwidget.plot` draws.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.core.distances import l2
from clusterwidget.core.filters import passing
from clusterwidget.core.metrics import METRICS, scaling_of, transform_of
from clusterwidget.core.stages import StageRow
from clusterwidget.meaning.aside import set_aside
from clusterwidget.meaning.components import components
from clusterwidget.meaning.layouts import layout
from clusterwidget.meaning.meaning import NESTED
from clusterwidget.meaning.neighbors import (
    NEARLY_AS_STRONG,
    SIGNIFICANT,
    shared_by,
    shared_concepts,
)
from clusterwidget.plot.arcs import arcs_of, dots_of
from clusterwidget.plot.arrangement import Arrangement, Axis, nearest_first
from clusterwidget.plot.colors import (
    NEARS,
    PALETTES,
    distance_table,
    value_colors,
    value_indexes,
    value_table,
)
from clusterwidget.plot.lattice import Lattice
from clusterwidget.plot.scale import Scale
from clusterwidget.plot.stagemap import COLUMN, LINE, StageMap
from clusterwidget.plot.words import seen
from clusterwidget.results.trace import Trace
from clusterwidget.wire.chosen import chosen_text
from clusterwidget.wire.replies import concept_codes
from clusterwidget.wire.viewstate import DEFAULTS, state_text

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
    set_ = np.sort(order[: 2 * k])
    return {
        "set": set_.tolist(),
        "setRows": _shared_rows(shared_by(Partitions(tuple(partitions), ()), set_)),
        "selected": selected,
        "near": order[:k].tolist(),
        "wide": order[:wide].tolist(),
        "partitions": [
            {"name": p.name, "values": list(p.groups), "codes": p.codes.tolist()}
            for p in partitions
        ],
        "told": [[_rounded(p.determined_by(other)) for other in partitions] for p in partitions],
        "rows": _shared_rows(table),
    }


def _shared_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    numbers = ["share", "base", "agreement", "p", "wide_agreement"]
    return [
        {
            "concept": row["concept"],
            "value": row["value"],
            "under": row["under"],
            **{name: _rounded(row[name]) for name in numbers},
        }
        for row in table.to_dict("records")
    ]


def plane_case(rng: np.random.Generator, n: int, d: int) -> dict[str, Any]:
    """Return a matrix and its points on the plane of its two leading components."""
    matrix = (rng.standard_normal((n, d)) * np.arange(d, 0, -1)).astype(np.float32)
    found = layout(matrix, "pca", 0)
    assert found.shares is not None
    return {
        "matrix": matrix.ravel().tolist(),
        "d": d,
        "points": found.points.ravel().tolist(),
        "shares": found.shares.tolist(),
    }


def chosen_case(rng: np.random.Generator, n: int, share: float) -> dict[str, Any]:
    """Return examples that are chosen, and the text that stands for them."""
    chosen = np.flatnonzero(rng.random(n) < share)
    return {"n": n, "chosen": chosen.tolist(), "text": chosen_text(chosen)}


def grid_case(
    rng: np.random.Generator, n: int, values: tuple[int, int], size: tuple[int, int]
) -> dict[str, Any]:
    """Return distances and two concepts, some missing, and the grid's arrangement and pixels."""
    distances = np.round(np.abs(rng.normal(5, 2, n)), 2).astype(np.float32)
    selected = int(rng.integers(n))
    distances[selected] = 0
    order = nearest_first(distances)
    scale = Scale.of(distances, order)
    axes: dict[str, Axis] = {}
    concepts = []
    for name, count in zip(("rows", "columns"), values, strict=True):
        codes = rng.integers(0, count, n)
        codes[:count] = np.arange(count)
        if count % 2:
            codes[-3:] = -1
        texts = [f"v{value}" for value in range(count)]
        axes[name] = Axis.of(name, codes, texts)
        concepts.append({"name": name, "values": texts, "codes": codes.tolist()})
    arrangement = Arrangement.by(axes["rows"], axes["columns"], order)
    width, height = size
    lattice = Lattice.fit(
        width, height, arrangement.across, arrangement.down, arrangement.capacity, 2
    )
    pixels = lattice.paint(arrangement, scale.indexes(distances))
    mask = rng.random(n) < 0.4
    faded = lattice.paint(arrangement, scale.indexes(distances), mask)
    rank, log = (Scale.of(distances, order, name) for name in ("rank", "log"))
    return {
        "distances": [float(d) for d in distances],
        "selected": selected,
        "concepts": concepts,
        "scale": [scale.least, scale.most, scale.low, scale.high],
        "indexes": scale.indexes(distances).tolist(),
        "histogram": scale.histogram(distances, selected, 20).tolist(),
        "labels": [list(axis.labels) for axis in axes.values()],
        "starts": arrangement.starts.tolist(),
        "examples": arrangement.examples.tolist(),
        "size": [width, height],
        "lattice": _plain(lattice),
        "corners": lattice.corners(arrangement, np.arange(n)).tolist(),
        # Runs of equal pixels, row by row: index, length.
        "runs": _runs(pixels.ravel()),
        "mask": mask.astype(int).tolist(),
        "fadedRuns": _runs(faded.ravel()),
        "rank": rank.indexes(distances).tolist(),
        "log": log.indexes(distances).tolist(),
        "logHistogram": log.histogram(distances, selected, 20).tolist(),
    }


def _plain(lattice: Lattice) -> dict[str, Any]:
    return {
        "width": lattice.width,
        "height": lattice.height,
        "blockColumns": lattice.across,
        "blockRows": lattice.down,
        "pitchX": lattice.pitch_x,
        "pitchY": lattice.pitch_y,
        "columns": lattice.columns,
        "rows": lattice.rows,
        "cellWidth": lattice.cell_width,
        "cellHeight": lattice.cell_height,
        "perCell": lattice.per_cell,
    }


def _runs(pixels: np.ndarray) -> list[list[int]]:
    starts = np.flatnonzero(np.diff(pixels, prepend=pixels[0] - 1))
    lengths = np.diff(starts, append=len(pixels))
    return [
        [int(pixels[start]), int(length)] for start, length in zip(starts, lengths, strict=True)
    ]


def lattice_case(*space: int) -> dict[str, Any]:
    """Return a space, and the lattice that fits into it."""
    return {"space": list(space), "lattice": _plain(Lattice.fit(*space))}


def color_cases() -> dict[str, Any]:
    """Return the colors of distances, and of values of concepts."""
    lists = [
        ["0", "1"],
        [str(value) for value in range(10)],
        ["True", "False"],
        ["1e3", "0x10", " 7 ", "-.5"],
        ["1_000", "2"],
        ["", "1"],
        ["inf", "1"],
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"],
        [f"word {value}" for value in range(20)],
        ["only"],
        ["-2.5", "0", "0.1", "40"],
        ["1", "1.0"],
    ]
    many = [str(value) for value in range(300)]
    codes = np.array([0, 1, 150, 298, 299, -1])
    return {
        "distances": distance_table().tolist(),
        "palettes": [
            {"palette": palette, "near": near, "table": distance_table(palette, near)[::5].tolist()}
            for palette in PALETTES
            for near in NEARS
        ],
        "grays": [list(color) for color in value_colors(["1", "2", "3"], "gray")],
        "values": [{"values": v, "colors": [list(c) for c in value_colors(v)]} for v in lists],
        "many": {
            "values": many,
            "codes": codes.tolist(),
            "indexes": value_indexes(codes, many).tolist(),
            "table": value_table(many).tolist(),
        },
    }


def aside_case(rng: np.random.Generator, n: int, d: int) -> dict[str, Any]:
    """Return a matrix (n, d), three concepts, one with missing values and one a sum of the others
    but for them, what is left without them, and the components of that.
    """
    a, b = rng.integers(0, 3, (2, n))
    codes = [a, np.where(rng.random(n) < 0.2, -1, b), a + b]
    partitions = [
        Partition((name,), column.astype(np.int32), tuple(map(str, range(column.max() + 1))))
        for name, column in zip("abs", codes, strict=True)
    ]
    matrix = 3 * rng.normal(size=(3, d))[a] + rng.normal(size=(5, d))[a + b]
    matrix += rng.normal(size=(n, d)) * np.arange(1, d + 1) / d + 20
    matrix = np.round(matrix, 3).astype(np.float32)
    left = set_aside(matrix, partitions)
    found = components(left, most=3)
    return {
        "d": d,
        "matrix": [float(f"{x:.3f}") for x in matrix.ravel()],
        "concepts": [
            {"name": p.name, "values": list(p.groups), "codes": p.codes.tolist()}
            for p in partitions
        ],
        "left": [float(f"{x:.5f}") for x in left.ravel()],
        "components": [
            {"share": _rounded(share), "low": low, "high": high}
            for share, (low, high) in zip(
                found.shares, map(found.ends, range(len(found.shares))), strict=True
            )
        ],
    }


def metric_cases(rng: np.random.Generator, n: int, d: int) -> list[dict[str, Any]]:
    """Return a matrix (n, d) by each metric: distances from one row (n,).

    One coordinate is huge, one nearly constant, two go together. The last cases are of vectors that
    are held in fewer coordinates than those that are standardized.
    """
    matrix = rng.normal(size=(n, d)) + rng.normal(size=d)
    matrix[:, 0] *= 500
    matrix[:, 1] = 3e4
    matrix[n // 2, 1] = np.nextafter(np.float32(3e4), np.float32(4e4))
    matrix[:, 2] = matrix[:, 3] + 0.01 * matrix[:, 2]
    matrix[4] = matrix[5]
    matrix = matrix.astype(np.float32)
    basis = np.repeat(np.eye(d, dtype=np.float32), 2, axis=1)
    basis *= np.tile(np.array([0.6, 0.8], np.float32), d)
    first, row = n - 2, int(rng.integers(n - 2))
    found = []
    for held in (None, basis):
        scaling = None
        if held is not None:
            factors, width = scaling_of(matrix[:first], held)
            # Of all that stand for the same distances, one that no machine turns otherwise.
            lower = np.linalg.cholesky(factors @ factors.T + 1e-12 * np.eye(d))
            scaling = {"factors": [float(f"{x:.7g}") for x in lower.ravel()], "width": width}
        for metric in METRICS[1:]:
            mapped = transform_of(metric, matrix[:first], held).apply(matrix)
            found.append(
                {
                    "d": d,
                    "metric": metric,
                    "first": first,
                    "row": row,
                    "matrix": [float(x) for x in matrix.ravel()],
                    "scaling": scaling,
                    "distances": [float(f"{x:.5g}") for x in l2(mapped, row)],
                }
            )
    return found


FILTERED = pd.DataFrame(
    {
        "L0": [0, 1, 2, 6, 7, 9],
        "carry2": [0, 1, 1, 1, 0, 1],
        "L0+R0": [0.5, 1.0, float("nan"), 10.0, 1e3, -2.0],
        "city": ["Rome", "New York", None, "paris", "Paris", "12"],
        "first word": ["a", "b", "a", "b", "a", "or"],
        "even": [True, False, True, True, False, False],
    }
)
LABELS = ["1+2=3", "the CAT sat", "the dog", "Straße", 'say "not"', "cat; don't"]
FILTERS = (
    *("", "  ", "cat", "CAT", "the cat", "'the cat'", '"1+2=3"', "strasse", "don't"),
    *("carry2 = 1", "carry2=1 and L0>5", "carry2 == 1 AND NOT L0 >= 6", "L0 != 0", "L0 <= 2.0"),
    *("L0 < 1e0 or L0 > .7e1", "L0+R0 = 1", "L0+R0 != 1", "L0+R0 > -3", "L0+R0 < 1", "even = True"),
    *(
        "city = 'New York'",
        "city = New York",
        "city != Paris",
        "city = paris or city = Rome",
        "city > 11",
        "city = 12.0",
    ),
    *(
        "'first word' = a and (L0 = 0 or L0 = 7)",
        "first word = a",
        "city = New York or",
        '"first word" = "or"',
        "not (not cat)",
        "not not cat",
    ),
    *("not carry2 = 1 or the and cat", 'cat and carry2 = 1 or "say ""not"""', "L0 = x", "L0 = +1."),
    *(
        "carry2 =",
        "= 1",
        "carry9 = 1",
        "L0 < x",
        "first word < 2",
        "(cat",
        "cat)",
        "cat and",
        "and",
    ),
    *("not", "()", '"cat', "it's 'x", "cat ! dog", '"a" "b"', "cat not dog", "L0 = 1 = 2", "1+2=3"),
    *("(" * 51 + "a" + ")" * 51, "(" * 50 + "dog" + ")" * 50, "not " * 51 + "a", "x" * 1001),
    *("😀 = 1", "L0 = '", "L0 > >", "a ( b", "<", "İ", "L0 = 1 or"),
)


def filter_case(text: str) -> dict[str, Any]:
    """Return a filter and the examples that it lets through, or why it is none."""
    try:
        return {"text": text, "passes": passing(text, FILTERED, LABELS).astype(int).tolist()}
    except ValueError as error:
        return {"text": text, "error": str(error)}


def coded_case(name: str) -> dict[str, Any]:
    """Return a concept as it is sent to the page."""
    codes, values = concept_codes(FILTERED[name])
    return {"name": name, "values": values, "codes": codes.tolist()}


VIEWS: tuple[dict[str, Any], ...] = (
    {**DEFAULTS, "stage": "L1H3.result@S3"},
    {
        "stage": "embed@ü 'x'",
        "selected": 42,
        "k": 7,
        "color_by": "L0+R0 & (more)!*~",
        "arrange": "map",
        "arrange_by": ["a=b", "c;d"],
        "without": ["%41", ""],
        "metric": "cosine",
        "plain": True,
        "filter": "carry2 = 1 and '😀' > \"",
        "scale": "log",
        "palette": "gray",
        "near": "dark",
        "zoom": [2.5, 0.33333, 0.0],
        "unfolded": [0, 12],
    },
    {**DEFAULTS, "stage": "embed@0", "unfolded": []},
)


TEXTS = (
    *(
        "",
        "1+2=3",
        "the cat sat",
        " Paris",
        "Paris ",
        " ",
        "a  b",
        "two\nlines\r\nand\rmore",
        "\ta",
    ),
    *(
        "<|endoftext|>When Mary",
        "<s> a</s>",
        "[CLS] a [SEP]",
        "<b>bold</b>",
        "<|not closed",
        "[cls]",
    ),
    *("\u202eback", "zero\u200bwidth", "nul\0", "soft\u00adhyphen", "\u2028", "Ünï😀"),
)


def trace_case() -> dict[str, Any]:
    """Return a trace on a stage map, and the circles and curves that it is drawn as."""
    rows = [
        StageRow("embed", None, None, (1, 1, 1)),
        *(StageRow("result", 0, head, (1, 1, 1)) for head in (0, 1)),
        StageRow("attn_out", 0, None, (1, 1, 1)),
        StageRow("resid_post", 0, None, (1, 1, 1)),
        StageRow("logits", None, None, (1, 1, 1)),
    ]
    found = StageMap.of(rows, ["a", "b", "c"])
    nodes = pd.DataFrame(
        [
            ("embed@a", 2.5, True),
            ("embed@c", 0.0, False),
            ("L0H0.result@c", 0.7, True),
            ("L0H1.result@c", -0.1, True),
            # No line: they stand at the heading of their layer.
            ("L0.mlp_out@c", 0.3, True),
            ("L0.resid_mid@c", 0.4, True),
            ("L0.resid_post@c", 4.0, True),
            ("logits@c", np.nan, True),
        ],
        columns=["stage", "loss", "kept"],
    ).set_index("stage")
    edges = pd.DataFrame(
        [
            ("embed@a", "L0H0.result@c", "attention", 0.83, 1.0, True),
            ("embed@c", "L0H0.result@c", "attention", 0.12, 0.1, True),
            ("embed@c", "L0H1.result@c", "attention", 0.4, 0.0, False),
            ("L0H0.result@c", "L0.attn_out@c", "head", np.nan, 0.2, True),
            ("L0H1.result@c", "L0.attn_out@c", "head", np.nan, 0.2, True),
            ("L0.attn_out@c", "L0.resid_post@c", "attention out", np.nan, 0.3, True),
            ("embed@c", "L0.resid_post@c", "residual", np.nan, 0.0, False),
            ("L0H0.result@c", "L0.resid_post@c", "attention out", np.nan, 0.0, True),
            ("L0.resid_post@c", "logits@c", "answer", np.nan, np.nan, True),
        ],
        columns=["source", "target", "kind", "attention", "loss", "kept"],
    )
    trace = Trace(0, "next", "x", 1.0, 0.9, 1.0, nodes, edges)
    drawn = []
    for pruned in (False, True):
        dots = dots_of(trace, found, pruned=pruned)
        arcs = arcs_of(trace, found, pruned=pruned)
        drawn.append(
            {
                "dots": [[d.stage, *d.middle, _rounded(d.radius), d.answer] for d in dots],
                "arcs": [[[_rounded(x) for p in a.points for x in p], a.width] for a in arcs],
            }
        )
    layout = {
        "lines": [
            {"kind": kind, "layer": layer, "head": head, "y": y}
            for (kind, layer, head), y in found.lines.items()
        ],
        "headings": [{"layer": layer, "y": y} for layer, y in found.headings.items()],
        "lineHeight": LINE,
        "columnWidth": COLUMN,
    }
    return {
        "positions": list(found.columns),
        "layout": layout,
        "nodes": _records(nodes.reset_index()),
        "edges": _records(edges),
        "drawn": drawn,
    }


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


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
        "grids": [
            grid_case(rng, 60, (3, 4), (90, 70)),
            grid_case(rng, 150, (2, 31), (260, 60)),
            grid_case(rng, 400, (3, 2), (12, 17)),
        ],
        "lattices": [
            lattice_case(1040, 900, 10, 10, 124, 4),
            lattice_case(333, 777, 1, 1, 10_000, 2),
            lattice_case(500, 400, 20, 2, 7, 1),
            lattice_case(64, 48, 3, 5, 99_999, 2),
            lattice_case(5, 5, 7, 7, 3, 2),
        ],
        "colors": color_cases(),
        "trace": trace_case(),
        "aside": [aside_case(rng, *shape) for shape in ((40, 4), (120, 24))],
        "metrics": metric_cases(np.random.default_rng(1), 60, 9)
        + metric_cases(np.random.default_rng(2), 12, 20),
        "planes": [plane_case(rng, *shape) for shape in ((30, 3), (12, 1), (9, 20))],
        "chosen": [chosen_case(rng, *size) for size in ((40, 0.3), (7, 1), (9, 0), (20_000, 0.5))],
        "filters": {
            "labels": LABELS,
            "concepts": [coded_case(name) for name in FILTERED.columns],
            "cases": [filter_case(text) for text in FILTERS],
        },
        "signs": [
            {"text": text, "seen": seen(text), "token": seen(text, token=True)} for text in TEXTS
        ],
        "views": [{"view": view, "text": state_text(view)} for view in VIEWS],
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
