"""Recording: what a page without a kernel may ask, and what the kernel answers to it.

The page reads these replies as it reads a kernel's: see `js/src/source/page/recorded.ts`, which
also says what is worked out in the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.core.distances import l2
from clusterwidget.core.examples import Examples
from clusterwidget.core.metrics import Metric, scaling_of, transform_of
from clusterwidget.core.stages import Stage, shown_kinds
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.meaning.aside import partitions_aside, set_aside
from clusterwidget.wire.binary import Buffer, as_bytes, smallest_unsigned
from clusterwidget.wire.messages import Fields, Recorded
from clusterwidget.wire.replies import reply
from clusterwidget.wire.replies_meaning import second_parts_of

Request = Mapping[str, Any]

_AT_ONCE = 128 << 20
"""Bytes of stage matrices that are captured in one pass."""


@dataclass(frozen=True)
class Record:
    """A request, and what is answered to it.

    Attributes
    ----------
    request : mapping
        As a page sends it.
    fields : mapping
    buffers : list of bytes
    """

    request: Request
    fields: Fields
    buffers: list[Buffer]


@dataclass(frozen=True)
class View:
    """What the page shows first: the widget's traits of these names."""

    selected: int
    stage: str
    k: int
    color_by: str
    arrange_by: list[str]
    without: list[str]
    height: int | None
    metric: Metric = "l2"
    plain: bool = False
    arrange: str = "lattice"
    chosen: str = ""
    filter: str = ""
    scale: str = "linear"
    palette: str = "viridis"
    near: str = "bright"
    zoom: Sequence[float] = (1.0, 0.0, 0.0)
    unfolded: list[int] | None = None


def recorded(
    explorer: Explorer, stages: Sequence[Stage], view: View, dtype: str, watch: Watch
) -> Iterator[Record]:
    """Yield all that a page needs but stage matrices, and `hello`, which says which those are."""

    def asked(**request: Any) -> Record:
        return Record(request, *reply(explorer, request, watch))

    has_concepts = bool(explorer.partitions().all)
    shown = _kinds_shown(explorer, stages)
    tests = explorer.known_swap_tests()
    metrics: dict[str, None] = dict.fromkeys(("l2", view.metric))
    yield asked(what="labels")
    yield asked(what="tokens")
    yield asked(what="concepts", names=list(explorer.examples.concepts.columns))
    yield _distances(explorer, view, dtype)
    yield asked(what="partitions")
    if any(answer.caption for answer in explorer.examples.answers.values()):
        yield _captions(explorer.examples)
    if has_concepts:
        for metric in metrics:
            for kinds in dict.fromkeys((tuple(shown_kinds(shown)), shown)):
                yield asked(what="atlas", kinds=list(kinds), first=None, metric=metric)
            second, buffers = second_parts_of(explorer, stages, metric, watch)
            yield Record({"what": "second_parts", "metric": metric}, second, buffers)
            for stage in stages:
                yield asked(what="parts", stage=str(stage), without=[], metric=metric)
    if view.color_by == "cluster" and "cluster" not in explorer.examples.concepts.columns:
        left = {"stage": view.stage, "without": view.without, "metric": view.metric}
        yield asked(what="clusters", **left)
    if view.arrange == "umap":
        left = {"stage": view.stage, "without": view.without, "metric": view.metric}
        yield asked(what="layout", method="umap", **left)
    for stage in explorer.known_clusters(stages):
        yield asked(what="clusters", stage=str(stage), without=[], metric="l2")
    for example, answer in explorer.known_traces():
        yield asked(what="trace", row=example, answer=answer)
    if tests:
        request = {"what": "swap_tests", "kinds": [], "metric": "l2"}
        fields, buffers = reply(explorer, request, watch)
        known = [str(stage) for stage in tests]
        yield Record({"what": "swap_tests"}, {**fields, "stages": known}, buffers)
        for stage in tests:
            yield asked(what="swap_test", stage=str(stage), pairs=None, metric="l2")
        for stage in explorer.known_accounts():
            yield asked(what="account", stage=str(stage), metric="l2")


def matrix_records(explorer: Explorer, stages: Sequence[Stage], watch: Watch) -> Iterator[Record]:
    """Yield stage matrices as the page asks for them; several are captured in one pass."""
    n, width = len(explorer.examples), explorer.stage_set.width
    done = 0
    while done < len(stages):
        end, size = done, 0
        while end < len(stages) and (end == done or size <= _AT_ONCE):
            size += 4 * n * width(stages[end])
            end += 1
        explorer.capture(stages[done:end], progress=watch.quiet())
        for stage in stages[done:end]:
            watch.step(done, len(stages))
            request = {"what": "matrix", "stage": str(stage), "without": [], "metric": "l2"}
            fields, buffers = reply(explorer, request, watch.quiet())
            basis = explorer.basis(stage)
            if basis is not None:
                # What a page cannot work out of the vectors that it has: see `scaling_of`.
                first = explorer.matrix(stage)[: explorer.measured_on]
                factors, differing = scaling_of(first, basis)
                fields = {**fields, "scaling": differing}
                buffers = [*buffers, as_bytes(factors.astype(np.float32))]
            yield Record(request, fields, buffers)
            done += 1


def layout_record(explorer: Explorer, stage: Stage) -> Record:
    """Return the map of a stage, its points rounded to 1/100,000 or less of its size.

    So rounded they take two thirds of the room.
    """
    left = {"stage": str(stage), "without": [], "metric": "l2"}
    request = {"what": "layout", **left, "method": "pca"}
    fields, (points,) = reply(explorer, request, Watch())
    exact = np.frombuffer(points, np.float32)
    # A power of two, by which numbers are multiplied without an error.
    steps = 2.0 ** (17 - np.ceil(np.log2(max(float(np.abs(exact).max()), 1e-30))))
    rounded = (np.round(exact.astype(np.float64) * steps) / steps).astype(np.float32)
    return Record(request, fields, [as_bytes(rounded)])


def rounded(matrix: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[np.float32]:
    """Return numbers as the page has them."""
    if dtype == "float32":
        return matrix
    with np.errstate(over="ignore"):
        return matrix.astype(np.float16).astype(np.float32)


def hello_record(explorer: Explorer, stages: Sequence[Stage], view: View) -> Record:
    """Return what there is to explore in a page that has these stages."""
    request, shown = {"what": "hello"}, _kinds_shown(explorer, stages)
    fields, buffers = reply(explorer, request, Watch())
    has: Recorded = {
        "stages": [str(stage) for stage in stages],
        "clusters": [str(stage) for stage in explorer.known_clusters(stages)],
        "traces": list(explorer.known_traces()),
        "measured_on": explorer.measured_on,
    }
    changed = {
        "rows": [row for row in fields["rows"] if row["kind"] in shown],
        "can_parse": False,
        # They are found anew for each example and k, which takes a kernel.
        "has_texts": False,
        "layouts": ["pca", "umap"] if view.arrange == "umap" else ["pca"],
        "has_model": any(
            (fields["has_model"], explorer.known_swap_tests(), explorer.known_traces())
        ),
        "recorded": has,
    }
    return Record(request, {**fields, **changed}, buffers)


def _kinds_shown(explorer: Explorer, stages: Sequence[Stage]) -> tuple[str, ...]:
    """Return the kinds on the page's stage map, in the map's order: the usual, and the chosen."""
    chosen = {stage.kind for stage in stages}
    there = dict.fromkeys(row.kind for row in explorer.stage_set.rows)
    return _among(tuple(there), {*shown_kinds(there), *chosen})


def _among(kinds: Sequence[str], wanted: set[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(kind for kind in kinds if kind in wanted)


def _distances(explorer: Explorer, view: View, dtype: str) -> Record:
    """Return the distances of the first picture, which need not wait for the stage's matrix."""
    stage, row, without = view.stage, view.selected, view.without
    left = {"stage": stage, "without": without, "metric": view.metric}
    request = {"what": "distances", **left, "row": row}
    fields, buffers = reply(explorer, request, Watch())
    if dtype != "float32":
        matrix = rounded(explorer.matrix(stage), dtype)
        if view.metric != "l2":
            basis, first = explorer.basis(stage), matrix[: explorer.measured_on]
            matrix = transform_of(view.metric, first, basis).apply(matrix)
        if without:
            matrix = set_aside(matrix, partitions_aside(explorer.examples.concepts, without))
        buffers = [as_bytes(l2(matrix, row)), as_bytes(matrix[row])]
    return Record(request, fields, buffers)


def _captions(examples: Examples) -> Record:
    """Return the captions of all examples, which a page asks for one by one."""
    listed, buffers = [], []
    for answer in examples.answers.values():
        codes, texts = pd.factorize(np.array(answer.captions(examples.concepts), object))
        dtype = smallest_unsigned(len(texts))
        listed.append({"values": [str(text) for text in texts], "dtype": dtype.name})
        buffers.append(as_bytes(codes.astype(dtype)))
    return Record({"what": "captions"}, {"answers": listed}, buffers)
