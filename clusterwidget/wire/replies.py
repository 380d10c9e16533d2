"""What the kernel answers to the page: plain fields for JSON, and buffers for arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget._version import __version__
from clusterwidget.activations.cache import Matrix
from clusterwidget.core.checks import checked_k, names, shown
from clusterwidget.core.distances import nearest_of
from clusterwidget.core.stages import ATTENTION_KINDS, Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.wire import replies_interventions, replies_meaning
from clusterwidget.wire.binary import Buffer, as_bytes, smallest_unsigned

Reply = tuple[dict[str, Any], list[Buffer]]

SHOWN_KINDS = ("embed", "pattern", "result", "attn_out", "mlp_out", "resid_post", "logits")
"""Kinds that the stage map shows before anyone asks for all of them."""


def reply(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    """Answer a request of the page; raise ValueError where it is not understood."""
    what = request.get("what")
    handler = _HANDLERS.get(what) if isinstance(what, str) else None
    if handler is None:
        raise ValueError(f"the page asked for {shown(what)}, which the kernel does not know.")
    return handler(explorer, _Fields(request), watch)


class _Fields(dict[str, Any]):
    """A request whose missing fields are named."""

    def __missing__(self, name: str) -> Any:
        raise ValueError(f"the page's request {self['what']!r} lacks the field {name!r}.")


def _hello(explorer: Explorer, *_: Any) -> Reply:
    examples = explorer.examples
    fields = {
        "version": __version__,
        "n": len(examples),
        "positions": list(examples.positions),
        "rows": [
            {"kind": row.kind, "layer": row.layer, "head": row.head, "d": list(row.widths)}
            for row in explorer.stage_set.rows
        ],
        "concepts": list(examples.concepts.columns),
        "axes": {position: list(pair) for position, pair in examples.axes.items()},
        "answers": [
            {"name": answer.name, "position": answer.position, "title": answer.title}
            for answer in examples.answers.values()
        ],
        "can_parse": examples.parse is not None and explorer.model is not None,
        "has_model": explorer.model is not None,
        "families": examples.families,
        "default_kinds": list(SHOWN_KINDS),
    }
    return fields, []


def _captions(explorer: Explorer, request: dict[str, Any], *_: Any) -> Reply:
    return {"captions": list(explorer.examples.captions(request["row"]).values())}, []


def _labels(explorer: Explorer, *_: Any) -> Reply:
    encoded = [label.encode() for label in explorer.examples.labels]
    offsets = np.zeros(len(encoded) + 1, np.uint32)
    np.cumsum([len(label) for label in encoded], out=offsets[1:])
    return {}, [b"".join(encoded), as_bytes(offsets)]


def _tokens(explorer: Explorer, *_: Any) -> Reply:
    examples = explorer.examples
    columns = [examples.tokens, *(answer.tokens for answer in examples.answers.values())]
    dtype = smallest_unsigned(max(int(column.max()) for column in columns))
    occurring = np.unique(np.concatenate([np.unique(column) for column in columns])).tolist()
    fields = {
        "shape": list(examples.tokens.shape),
        "dtype": dtype.name,
        "vocabulary": {str(token): examples.token_text(token) for token in occurring},
    }
    return fields, [as_bytes(column.astype(dtype)) for column in columns]


def _concepts(explorer: Explorer, request: dict[str, Any], *_: Any) -> Reply:
    fields: list[dict[str, Any]] = []
    buffers: list[Buffer] = []
    for name in names("names", request["names"]):
        if name not in explorer.examples.concepts.columns:
            raise ValueError(f"there is no concept {name!r} among the examples' concepts.")
        codes, values = concept_codes(explorer.examples.concepts[name])
        fields.append({"name": name, "values": values, "dtype": codes.dtype.name})
        buffers.append(as_bytes(codes))
    return {"concepts": fields}, buffers


def _matrix(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    stage = Stage.parse(request["stage"])
    matrix = explorer.matrix(stage, progress=watch)
    fields = {
        "stage": str(stage),
        "shape": list(matrix.shape),
        "dtype": "float32",
        "columns": _columns(explorer, stage, matrix),
    }
    return fields, [as_bytes(matrix)]


def _distances(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    stage, row = Stage.parse(request["stage"]), request["row"]
    k = checked_k(request["k"], len(explorer.examples))
    matrix = explorer.matrix(stage, progress=watch)
    distances = explorer.distances(stage, row)
    nearest = nearest_of(distances, row, k)
    table = explorer.neighbor_table(nearest, distances)
    fields = {
        "stage": str(stage),
        "row": row,
        "neighbors": table.to_dict("records"),
        "columns": _columns(explorer, stage, matrix),
    }
    return fields, [as_bytes(distances), as_bytes(matrix[row])]


def _find(explorer: Explorer, request: dict[str, Any], *_: Any) -> Reply:
    before = len(explorer.examples)
    index = explorer.add(request["text"])
    n = len(explorer.examples)
    return {"index": index, "n": n, "added": n > before}, []


def _prepare(explorer: Explorer, _: dict[str, Any], watch: Watch) -> Reply:
    shown = explorer.stages(
        kinds=[
            kind for kind in SHOWN_KINDS if any(row.kind == kind for row in explorer.stage_set.rows)
        ]
    )
    # In part it would only push out what is looked at: then each stage is captured when asked for.
    chosen = shown if len(explorer.affordable(shown)) == len(shown) else []
    explorer.capture(chosen, progress=watch)
    explorer.get_ready(watch.onward(watch.done))
    return {"captured": len(chosen), "of": len(shown)}, []


_HANDLERS: dict[str, Callable[..., Reply]] = {
    "hello": _hello,
    "captions": _captions,
    "labels": _labels,
    "tokens": _tokens,
    "concepts": _concepts,
    "matrix": _matrix,
    "distances": _distances,
    "find": _find,
    "prepare": _prepare,
    "partitions": replies_meaning.partitions,
    "atlas": replies_meaning.atlas,
    "lens": replies_meaning.lens,
    "clusters": replies_meaning.clusters,
    "swap": replies_interventions.swap,
    "swap_test": replies_interventions.swap_test,
    "swap_tests": replies_interventions.swap_tests,
    "trace": replies_interventions.trace,
}


def concept_codes(column: pd.Series) -> tuple[npt.NDArray[np.unsignedinteger[Any]], list[str]]:
    """Return each example's value of a concept as a code, and the values' texts, sorted.

    A missing value has the largest code of the type.
    """
    codes, values = pd.factorize(column, sort=True)
    dtype = smallest_unsigned(len(values))
    texts = [str(value) for value in values]
    return np.where(codes < 0, np.iinfo(dtype).max, codes).astype(dtype), texts


def _columns(explorer: Explorer, stage: Stage, matrix: Matrix) -> list[str] | None:
    if stage.kind not in ATTENTION_KINDS:
        return None
    return list(explorer.examples.positions[: matrix.shape[1]])
