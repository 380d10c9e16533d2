"""What the kernel answers when the page asks what a stage knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clusterwidget.core.concepts import Partitions
from clusterwidget.core.stages import HEAD_KINDS, Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.meaning.hues import hues_of
from clusterwidget.meaning.meaning import NESTED
from clusterwidget.meaning.neighbors import NEARLY_AS_STRONG, SIGNIFICANT, wide_look
from clusterwidget.wire import messages
from clusterwidget.wire.binary import Buffer, as_bytes, smallest_unsigned

_UNBIDDEN_BYTES = 1 << 30
"""What the sums of an atlas may take that nobody asked for in so many words."""
_UNBIDDEN_EXAMPLES = 200_000
_NUMEROUS = ("logits", "mlp_pre", "mlp_post", *HEAD_KINDS)


def partitions(explorer: Explorer, *_: Any) -> tuple[messages.Partitions, list[Buffer]]:
    """Send the groups of examples that concepts make."""
    known = explorer.partitions()
    described: list[messages.Codes] = []
    buffers: list[Buffer] = []
    for partition in known.all:
        dtype = smallest_unsigned(len(partition.groups))
        codes = np.where(partition.codes < 0, np.iinfo(dtype).max, partition.codes).astype(dtype)
        described.append(
            {
                "name": partition.name,
                "values": list(partition.groups),
                "dtype": dtype.name,
            }
        )
        buffers.append(as_bytes(codes))
    fields: messages.Partitions = {
        "partitions": described,
        "wide": wide_look(len(explorer.examples)),
        "nested": NESTED,
        "nearly_as_strong": NEARLY_AS_STRONG,
        "significant": SIGNIFICANT,
    }
    return fields, buffers


def atlas(
    explorer: Explorer, request: messages.AtlasRequest, watch: Watch
) -> tuple[messages.Atlas, list[Buffer]]:
    """Send explained shares, what explains each stage, and how to arrange the grid for it."""
    pairs = list(dict.fromkeys(explorer.examples.axes.values()))
    known = explorer.partitions()
    stages = _within_reach(explorer, request["kinds"], known)
    names = {name for partition in known.all for name in partition.names}
    usable = [pair for pair in pairs if names.issuperset(pair)]
    found = explorer.atlas_of(stages, pairs=usable, first=request["first"], progress=watch)
    hues, hue_of = hues_of(known, explorer.examples.families)
    fields: messages.Atlas = {
        "stages": [str(stage) for stage in stages],
        "concepts": [partition.name for partition in known.all],
        "hues": [{"name": hue.name, "color": hue.color} for hue in hues],
        "hue_of": hue_of,
        "best": found.best(),
        "pairs": [list(pair) for pair in usable],
        "axes": found.best_pairs(),
        "notes": list(known.notes),
    }
    return fields, [as_bytes(found.shares.astype(np.float32))]


def lens(
    explorer: Explorer, request: messages.LensRequest, _: Watch
) -> tuple[messages.Lens | messages.Unread, list[Buffer]]:
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
    answer: messages.LensAnswer | None = None
    if asked:
        right = explorer.examples.token_text(int(asked[0].tokens[row]))
        answer = {"name": asked[0].name, "text": right}
    tokens: list[messages.LensToken] = [
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


def clusters(
    explorer: Explorer, request: messages.StageRequest, _: Watch
) -> tuple[messages.Clusters, list[Buffer]]:
    """Send each example's cluster at a stage, and what is in the clusters."""
    found = explorer.clusters(request["stage"])
    dtype = smallest_unsigned(len(found.names))
    codes = np.where(found.labels < 0, np.iinfo(dtype).max, found.labels).astype(dtype)
    return {"names": list(found.names), "dtype": dtype.name}, [as_bytes(codes)]


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
