"""What the kernel answers to the page: plain fields for JSON, and buffers for arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clusterwidget.activations.cache import Matrix
from clusterwidget.core.checks import shown
from clusterwidget.core.columns import value_codes
from clusterwidget.core.metrics import DOMINATES, HEAVY, LEAST_COORDINATES
from clusterwidget.core.stages import ATTENTION_KINDS, Stage, shown_kinds
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.meaning.layouts import known_methods
from clusterwidget.wire import messages, replies_interventions, replies_meaning, requests
from clusterwidget.wire.binary import Buffer, as_bytes, smallest_unsigned
from clusterwidget.wire.fed import fed_tokens
from clusterwidget.wire.messages import Reply


def reply(explorer: Explorer, request: Mapping[str, Any], watch: Watch) -> Reply:
    """Answer a request of the page.

    Raises
    ------
    ValueError
        Where the request is unknown, lacks a field or has one of another type.
    """
    what = request.get("what")
    known = _HANDLERS.get(what) if isinstance(what, str) else None
    if known is None:
        raise ValueError(f"the page asked for {shown(what)}, which the kernel does not know.")
    kind, handler = known
    return handler(explorer, requests.read(kind, request), watch)


def _hello(explorer: Explorer, *_: Any) -> tuple[messages.Hello, list[Buffer]]:
    examples = explorer.examples
    fields: messages.Hello = {
        "n": len(examples),
        "positions": list(examples.positions),
        "rows": [
            {"kind": row.kind, "layer": row.layer, "head": row.head, "widths": list(row.widths)}
            for row in explorer.stage_set.rows
        ],
        "concepts": list(examples.concepts.columns),
        "descriptions": examples.descriptions,
        "axes": {position: list(pair) for position, pair in examples.axes.items()},
        "answers": [
            {"name": answer.name, "position": answer.position, "title": answer.title}
            for answer in examples.answers.values()
        ],
        "can_parse": examples.parse is not None and explorer.has_model,
        "has_model": explorer.has_model,
        "default_kinds": shown_kinds(row.kind for row in explorer.stage_set.rows),
        "has_texts": replies_meaning.has_texts(examples),
        "layouts": known_methods(),
        "recorded": None,
    }
    return fields, []


def _captions(
    explorer: Explorer, request: requests.ExampleRequest, _: Watch
) -> tuple[messages.Captions, list[Buffer]]:
    return {"captions": list(explorer.examples.captions(request["row"]).values())}, []


def _labels(explorer: Explorer, *_: Any) -> tuple[messages.Nothing, list[Buffer]]:
    encoded = [label.encode() for label in explorer.examples.labels]
    offsets = np.zeros(len(encoded) + 1, np.uint32)
    np.cumsum([len(label) for label in encoded], out=offsets[1:])
    return {}, [b"".join(encoded), as_bytes(offsets)]


def _tokens(explorer: Explorer, *_: Any) -> tuple[messages.Tokens, list[Buffer]]:
    examples = explorer.examples
    at_positions = examples.inputs.tokens_at(len(examples.positions))
    columns = [at_positions, *(answer.tokens for answer in examples.answers.values())]
    fed = fed_tokens(examples)
    said = columns if fed is None else [*columns, fed[0]]
    occurring = np.unique(np.concatenate([np.unique(column) for column in said]))
    vocabulary = {
        str(token): examples.token_text(token) for token in occurring.tolist() if token >= 0
    }
    if occurring[0] < 0:
        # Where an example has no token, the page shows none.
        nothing = int(occurring[-1]) + 1
        columns[0] = np.where(at_positions < 0, nothing, at_positions)
        vocabulary[str(nothing)] = ""
    dtype = smallest_unsigned(max(int(column.max()) for column in [*said, columns[0]]))
    fields: messages.Tokens = {
        "positions": len(examples.positions),
        "dtype": dtype.name,
        "vocabulary": vocabulary,
        "answers": len(examples.answers),
    }
    buffers = [as_bytes(column.astype(dtype)) for column in columns]
    if fed is not None:
        tokens, *places = fed
        buffers += [
            as_bytes(tokens.astype(dtype)),
            *(as_bytes(p.astype(np.uint32)) for p in places),
        ]
    return fields, buffers


def _concepts(
    explorer: Explorer, request: requests.ConceptsRequest, _: Watch
) -> tuple[messages.Concepts, list[Buffer]]:
    fields: list[messages.Codes] = []
    buffers: list[Buffer] = []
    for name in request["names"]:
        if name not in explorer.examples.concepts.columns:
            raise ValueError(f"there is no concept {name!r} among the examples' concepts.")
        codes, values = concept_codes(explorer.examples.concepts[name])
        fields.append({"name": name, "values": values, "dtype": codes.dtype.name})
        buffers.append(as_bytes(codes))
    return {"concepts": fields}, buffers


def _matrix(
    explorer: Explorer, request: requests.LeftRequest, watch: Watch
) -> tuple[messages.Matrix, list[Buffer]]:
    stage, metric = Stage.parse(request["stage"]), request["metric"]
    matrix = explorer.matrix(stage, without=request["without"], metric=metric, progress=watch)
    fields: messages.Matrix = {
        "d": matrix.shape[1],
        "columns": _columns(explorer, stage, matrix, metric),
        "dominated": _dominated(explorer, stage, request["without"], metric),
    }
    return fields, [as_bytes(matrix)]


def _distances(
    explorer: Explorer, request: requests.DistancesRequest, watch: Watch
) -> tuple[messages.Distances, list[Buffer]]:
    stage, row, without = Stage.parse(request["stage"]), request["row"], request["without"]
    metric = request["metric"]
    matrix = explorer.matrix(stage, without=without, metric=metric, progress=watch)
    distances = explorer.distances(stage, row, without=without, metric=metric)
    fields: messages.Distances = {
        "columns": _columns(explorer, stage, matrix, metric),
        "dominated": _dominated(explorer, stage, without, metric),
    }
    return fields, [as_bytes(distances), as_bytes(matrix[row])]


def _find(
    explorer: Explorer, request: requests.FindRequest, watch: Watch
) -> tuple[messages.Found, list[Buffer]]:
    before = len(explorer.examples)
    if explorer.find(request["text"]) is None and explorer.examples.parse is not None:
        # A new example is for the model to read.
        explorer.load(progress=watch)
    index = explorer.add(request["text"])
    return {"index": index, "added": len(explorer.examples) > before}, []


def _load(
    explorer: Explorer, _: messages.Nothing, watch: Watch
) -> tuple[messages.Nothing, list[Buffer]]:
    explorer.load(progress=watch)
    return {}, []


def _prepare(
    explorer: Explorer, _: messages.Nothing, watch: Watch
) -> tuple[messages.Nothing, list[Buffer]]:
    if not explorer.is_loaded:
        # What was saved is read when it is looked at, and nothing unbidden loads the model.
        return {}, []
    stages = explorer.stages(kinds=shown_kinds(row.kind for row in explorer.stage_set.rows))
    # In part it would only push out what is looked at: then each stage is captured when asked for.
    chosen = stages if len(explorer.affordable(stages)) == len(stages) else []
    explorer.capture(chosen, progress=watch)
    explorer.get_ready(watch.onward(watch.done))
    return {}, []


_HANDLERS: dict[str, tuple[type, Callable[[Explorer, Any, Watch], Reply]]] = {
    "hello": (messages.Nothing, _hello),
    "captions": (requests.ExampleRequest, _captions),
    "labels": (messages.Nothing, _labels),
    "tokens": (messages.Nothing, _tokens),
    "concepts": (requests.ConceptsRequest, _concepts),
    "matrix": (requests.LeftRequest, _matrix),
    "distances": (requests.DistancesRequest, _distances),
    "find": (requests.FindRequest, _find),
    "load": (messages.Nothing, _load),
    "prepare": (messages.Nothing, _prepare),
    "partitions": (messages.Nothing, replies_meaning.partitions),
    "atlas": (requests.AtlasRequest, replies_meaning.atlas),
    "lens": (requests.LensRequest, replies_meaning.lens),
    "shared_texts": (requests.SharedTextsRequest, replies_meaning.shared_texts),
    "clusters": (requests.LeftRequest, replies_meaning.clusters),
    "parts": (requests.LeftRequest, replies_meaning.parts),
    "second_parts": (requests.KindsRequest, replies_meaning.second_parts),
    "concept_of": (requests.ConceptRequest, replies_meaning.concept_of),
    "layout": (requests.LayoutRequest, replies_meaning.layout),
    "concept_of_chosen": (requests.ChosenRequest, replies_meaning.concept_of_chosen),
    "swap": (requests.SwapRequest, replies_interventions.swap),
    "swap_test": (requests.SwapTestRequest, replies_interventions.swap_test),
    "account": (requests.AccountRequest, replies_interventions.account),
    "swap_tests": (requests.KindsRequest, replies_interventions.swap_tests),
    "trace": (requests.TraceRequest, replies_interventions.trace),
}


def concept_codes(column: pd.Series) -> tuple[npt.NDArray[np.unsignedinteger[Any]], list[str]]:
    """Return each example's value of a concept as a code, and the values' texts, sorted.

    A missing value has the largest code of the type.
    """
    codes, texts = value_codes(column)
    dtype = smallest_unsigned(len(texts))
    return np.where(codes < 0, np.iinfo(dtype).max, codes).astype(dtype), texts


def _columns(explorer: Explorer, stage: Stage, matrix: Matrix, metric: str) -> list[str] | None:
    """Return what the columns of attention are; mapped by a metric, they are no shares of it."""
    if stage.kind not in ATTENTION_KINDS or metric != "l2":
        return None
    attended = explorer.stage_set.attended(stage)[: matrix.shape[1]]
    return [explorer.examples.positions[column] for column in attended]


def _dominated(
    explorer: Explorer, stage: Stage, without: Sequence[str], metric: str
) -> messages.Dominated | None:
    """Return which share of L2 a few coordinates carry, where that is most of it.

    Where a head looks, a few positions carry most, and nothing is wrong with it.
    """
    if metric != "l2" or without or stage.kind in ATTENTION_KINDS:
        return None
    shares = explorer.coordinate_shares(stage)["share"]
    share = float(shares.iloc[:HEAVY].sum())
    if len(shares) < LEAST_COORDINATES or share <= DOMINATES:
        return None
    return {"coordinates": HEAVY, "of": len(shares), "share": share}
