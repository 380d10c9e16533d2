"""What the kernel answers when the page asks what a stage knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clusterwidget.core.concepts import Partition, Partitions
from clusterwidget.core.stages import HEAD_KINDS, Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.wire.binary import Buffer, as_bytes, smallest_unsigned

_UNBIDDEN_BYTES = 1 << 30
"""What the sums of an atlas may take that nobody asked for in so many words."""
_UNBIDDEN_EXAMPLES = 200_000
_NUMEROUS = ("logits", "mlp_pre", "mlp_post", *HEAD_KINDS)

Reply = tuple[dict[str, Any], list[Buffer]]


def partitions(explorer: Explorer, *_: Any) -> Reply:
    """Send the groups of examples that concepts make."""
    known = explorer.partitions()
    fields = []
    buffers = []
    for partition in known.all:
        dtype = smallest_unsigned(len(partition.groups))
        codes = np.where(partition.codes < 0, np.iinfo(dtype).max, partition.codes).astype(dtype)
        fields.append(
            {
                "name": partition.name,
                "names": list(partition.names),
                "values": list(partition.groups),
                "dtype": dtype.name,
                "family": _family(explorer, partition),
            }
        )
        buffers.append(as_bytes(codes))
    return {"partitions": fields, "notes": list(known.notes)}, buffers


def atlas(explorer: Explorer, request: dict[str, Any], watch: Watch) -> Reply:
    """Send explained shares, what explains each stage, and how to arrange the grid for it."""
    pairs = list(dict.fromkeys(explorer.examples.axes.values()))
    known = explorer.partitions()
    stages = _within_reach(explorer, request["kinds"], known)
    names = {name for partition in known.all for name in partition.names}
    usable = [pair for pair in pairs if names.issuperset(pair)]
    found = explorer.atlas_of(stages, pairs=usable, progress=watch)
    fields = {
        "stages": [str(stage) for stage in stages],
        "concepts": [partition.name for partition in known.all],
        "families": [_family(explorer, partition) for partition in known.all],
        "best": found.best(),
        "pairs": [list(pair) for pair in usable],
        "axes": found.best_pairs(),
        "notes": list(known.notes),
    }
    return fields, [as_bytes(found.shares.astype(np.float32))]


def lens(explorer: Explorer, request: dict[str, Any], *_: Any) -> Reply:
    """Send what the model would answer if it stopped at a stage, or why that cannot be said."""
    stage, row, k = Stage.parse(request["stage"]), request["row"], request["k"]
    try:
        table = explorer.lens(stage, row)
    except ValueError as error:
        return {"available": False, "reason": str(error)}, []
    same, of = explorer.lens_agreement(stage, row, k)
    column = str(table.columns[-1])
    asked = [
        answer for answer in explorer.examples.answers.values() if answer.position == stage.position
    ]
    answer = None
    if asked:
        token = int(asked[0].tokens[row])
        answer = {
            "name": asked[0].name,
            "text": explorer.examples.token_text(token),
            "right": token == int(table["token"].iloc[0]),
        }
    tokens = [
        {"text": text, "value": float(value)}
        for text, value in zip(table["text"], table[column], strict=True)
    ]
    return {
        "available": True,
        "kind": column,
        "tokens": tokens,
        "answer": answer,
        "same": same,
        "of": of,
    }, []


def clusters(explorer: Explorer, request: dict[str, Any], *_: Any) -> Reply:
    """Send each example's cluster at a stage, and what is in the clusters."""
    found = explorer.clusters(request["stage"], request.get("n"))
    dtype = smallest_unsigned(len(found.names))
    codes = np.where(found.labels < 0, np.iinfo(dtype).max, found.labels).astype(dtype)
    fields = {
        "stage": request["stage"],
        "n": len(found.names),
        "names": list(found.names),
        "dtype": dtype.name,
    }
    return fields, [as_bytes(codes)]


def _within_reach(explorer: Explorer, kinds: Sequence[str], known: Partitions) -> list[Stage]:
    """Return the stages of these kinds, less the most numerous kinds in a large model.

    Of very many examples only what is held: the page asks for the atlas unbidden, and that must
    not keep a machine busy for long.
    """
    there = {row.kind for row in explorer.stage_set.rows}
    chosen = [kind for kind in kinds if kind in there]
    groups = sum(len(partition.groups) for partition in known.all)
    for dropped in (None, *_NUMEROUS):
        chosen = [kind for kind in chosen if kind != dropped]
        stages = explorer.stages(kinds=chosen)
        if 8 * groups * sum(map(explorer.stage_set.width, stages)) <= _UNBIDDEN_BYTES:
            break
    if len(explorer.examples) > _UNBIDDEN_EXAMPLES:
        return [stage for stage in stages if explorer.holds(stage)]
    return stages


def _family(explorer: Explorer, partition: Partition) -> str | None:
    return explorer.examples.families.get(partition.names[0])
