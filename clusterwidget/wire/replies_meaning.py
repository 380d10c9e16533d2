"""What the kernel answers when the page asks what a stage knows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from clusterwidget.core.concepts import Partitions
from clusterwidget.core.examples import Examples
from clusterwidget.core.stages import HEAD_KINDS, Stage
from clusterwidget.core.tokenkinds import are_words
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.meaning.hues import hues_of
from clusterwidget.meaning.meaning import NESTED
from clusterwidget.meaning.neighbors import NEARLY_AS_STRONG, SIGNIFICANT, wide_look
from clusterwidget.meaning.textindex import MOST
from clusterwidget.wire import messages, requests
from clusterwidget.wire.binary import Buffer, as_bytes, smallest_unsigned
from clusterwidget.wire.chosen import chosen_of

COMPONENTS = 3
"""Principal components of what is left that are offered."""
_PATTERNS = 20
"""Patterns that near texts share that are sent."""
_EXAMPLES_READ = 1000
"""Examples whose tokens tell whether they are texts."""
_UNBIDDEN_BYTES = 1 << 30
"""What the sums of an atlas may take that nobody asked for in so many words."""
_UNBIDDEN_EXAMPLES = 200_000
_MOST_UMAP = 50_000
"""Examples of which the page may ask UMAP for: some minutes' worth."""
_NUMEROUS = ("logits", "mlp_pre", "mlp_post", *HEAD_KINDS)


def partitions(explorer: Explorer, *_: Any) -> tuple[messages.Partitions, list[Buffer]]:
    """Send the groups of examples that concepts make."""
    known = explorer.partitions()
    if known.left_out and not known.all:
        raise ValueError("\n".join(known.notes))
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
    buffers.append(as_bytes(known.determined.astype(np.float32)))
    fields: messages.Partitions = {
        "partitions": described,
        "wide": wide_look(len(explorer.examples)),
        "nested": NESTED,
        "nearly_as_strong": NEARLY_AS_STRONG,
        "significant": SIGNIFICANT,
    }
    return fields, buffers


def atlas(
    explorer: Explorer, request: requests.AtlasRequest, watch: Watch
) -> tuple[messages.Atlas, list[Buffer]]:
    """Send explained shares, what explains each stage, and how to arrange the grid for it."""
    known, usable = explorer.partitions(), explorer.axes_pairs()
    stages = _within_reach(explorer, request["kinds"], known)
    found = explorer.atlas_of(
        stages, pairs=usable, first=request["first"], metric=request["metric"], progress=watch
    )
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


def has_texts(examples: Examples) -> bool:
    """Return whether patterns are looked for in the examples: their tokens are words of a text.

    Digits and signs, as of sums, are not: there concepts say what is shared.
    """
    if examples.vocabulary is None or examples.tokens.size > MOST:
        return False
    some = examples.inputs.tokens[:_EXAMPLES_READ]
    return are_words(examples.token_text(int(token)) for token in np.unique(some))


def shared_texts(
    explorer: Explorer, request: requests.SharedTextsRequest, _: Watch
) -> tuple[messages.SharedTexts, list[Buffer]]:
    """Send the patterns that near texts share, those that say the same as another left out."""
    found = explorer.shared_texts_of(
        request["stage"],
        request["row"],
        request["k"],
        without=request["without"],
        metric=request["metric"],
    )
    heads = found.table.index[found.table["under"].isna()][:_PATTERNS]
    matches = [found.matches[head] for head in heads]
    patterns: list[messages.PatternShown] = [
        {
            "text": str(head["pattern"]),
            "where": str(head["where"]),
            "share": float(head["share"]),
            "base": float(head["base"]),
            "p": float(head["p"]),
            "matches": len(own),
        }
        for head, own in zip(found.table.loc[heads].to_dict("records"), matches, strict=True)
    ]
    together = np.concatenate([np.zeros((0, 3), np.int64), *matches])
    return {"patterns": patterns}, [as_bytes(together.astype(np.uint32))]


def lens(
    explorer: Explorer, request: requests.LensRequest, _: Watch
) -> tuple[messages.Lens | messages.Unread, list[Buffer]]:
    """Send what the model would answer if it stopped at a stage, or why that cannot be said.

    The page asks unbidden, and nothing unbidden loads the model: `load` does.
    """
    stage, row, k = Stage.parse(request["stage"]), request["row"], request["k"]
    if explorer.has_model and not explorer.is_loaded:
        return {"available": False, "reason": "the model is not loaded", "waits": True}, []
    try:
        table = explorer.lens(stage, row)
    except ValueError as error:
        return {"available": False, "reason": str(error), "waits": False}, []
    same, of = explorer.lens_agreement(stage, row, k, metric=request["metric"])
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


def parts(
    explorer: Explorer, request: requests.LeftRequest, watch: Watch
) -> tuple[messages.Parts, list[Buffer]]:
    """Send what a stage is made of, and the principal components of what is left of it."""
    stage, without, metric = Stage.parse(request["stage"]), request["without"], request["metric"]
    found = next(iter(explorer.parts_of(stage, metric=metric, progress=watch).values()))
    colors = _colors(explorer)
    shown: list[messages.PartShown] = [
        {
            "name": part.name,
            "concepts": list(part.names),
            "alone": part.alone,
            "adds": part.adds,
            "only": part.only,
            "p": part.p,
            "color": colors[part.names[-1]],
        }
        for part in found.all
    ]
    same = math.isnan(found.unexplained)
    left = (
        None
        if same
        else explorer.components(stage, without=without, metric=metric, most=COMPONENTS)
    )
    ends = [] if left is None else [left.ends(at) for at in range(len(left.shares))]
    components: list[messages.ComponentShown] = [
        {"share": float(share), "low": low, "high": high}
        for share, (low, high) in zip([] if left is None else left.shares, ends, strict=True)
    ]
    return {
        "parts": shown,
        "unexplained": None if same else found.unexplained,
        "spread": found.spread,
        "components": components,
    }, []


def second_parts(
    explorer: Explorer, request: requests.KindsRequest, watch: Watch
) -> tuple[messages.SecondParts, list[Buffer]]:
    """Send the second part of the stages of some kinds, for the stage map."""
    stages = _within_reach(explorer, request["kinds"], explorer.partitions())
    return second_parts_of(explorer, stages, request["metric"], watch)


def second_parts_of(
    explorer: Explorer, stages: Sequence[Stage], metric: str, watch: Watch
) -> tuple[messages.SecondParts, list[Buffer]]:
    """Send the second part of some stages."""
    found = explorer.parts_of(stages, metric=metric, progress=watch)
    colors = _colors(explorer)
    second = [found[stage].all[1:2] for stage in stages]
    return {
        "stages": [str(stage) for stage in stages],
        "concepts": [some[0].name if some else "" for some in second],
        "colors": [colors[some[0].names[-1]] if some else "" for some in second],
        "adds": [some[0].adds if some else 0.0 for some in second],
    }, []


def concept_of(
    explorer: Explorer, request: requests.ConceptRequest, _: Watch
) -> tuple[messages.Named, list[Buffer]]:
    """Make a concept of a component's ranges or of the clusters of what is left of a stage."""
    stage, without, component = request["stage"], request["without"], request["component"]
    metric = request["metric"]
    rest = f" without {', '.join(without)}" if without else ""
    rest += "" if metric == "l2" else f" ({metric})"
    if component is None:
        name = f"cluster of {stage}{rest}"
        said = f"Groups of examples that lie together at {stage}{rest}."
        explorer.add_concept(
            name, explorer.clusters(stage, without=without, metric=metric).labels, said
        )
    else:
        name = f"component {component + 1} of {stage}{rest}"
        left = explorer.components(stage, without=without, metric=metric, most=COMPONENTS)
        if not 0 <= component < len(left.shares):
            raise ValueError(
                f"there is no component {component} of {stage}: there are {len(left.shares)}."
            )
        said = f"Ranges along principal component {component + 1} of the vectors at {stage}{rest}."
        explorer.add_concept(name, left.ranges(component), said)
    return {"name": name}, []


def _colors(explorer: Explorer) -> dict[str, str]:
    """Return the color of each concept."""
    known = explorer.partitions()
    hues, hue_of = hues_of(known, explorer.examples.families)
    return {
        partition.name: hues[hue].color for partition, hue in zip(known.all, hue_of, strict=True)
    }


def layout(
    explorer: Explorer, request: requests.LayoutRequest, watch: Watch
) -> tuple[messages.Layout, list[Buffer]]:
    """Send a stage's examples as points of a plane."""
    stage, method = request["stage"], request["method"]
    without, metric = request["without"], request["metric"]
    n = len(explorer.examples)
    if method == "umap" and n > _MOST_UMAP:
        raise ValueError(
            f"UMAP of {n:,} examples would take too long here: {_MOST_UMAP:,} are the most. Take "
            "the map, which is of the principal components."
        )
    explorer.matrix(stage, without=without, metric=metric, progress=watch)
    found = explorer.layout(stage, method, without=without, metric=metric)
    shares = None if found.shares is None else found.shares.tolist()
    return {"shares": shares}, [as_bytes(found.points)]


def concept_of_chosen(
    explorer: Explorer, request: requests.ChosenRequest, _: Watch
) -> tuple[messages.Named, list[Buffer]]:
    """Make a concept of examples that were chosen: 1 for those, 0 for the others."""
    name, n = request["name"].strip(), len(explorer.examples)
    if not name:
        raise ValueError("a concept needs a name: write what the chosen examples have in common.")
    if name in explorer.examples.concepts:
        raise ValueError(f"there is a concept {name!r} already: take another name.")
    chosen = chosen_of(request["chosen"], n)
    if not 0 < len(chosen) < n:
        raise ValueError("a concept tells examples apart: choose some of them, but not all.")
    values = np.zeros(n, np.int64)
    values[chosen] = 1
    explorer.add_concept(name, values, f"{len(chosen):,} examples that were chosen.")
    return {"name": name}, []


def clusters(
    explorer: Explorer, request: requests.LeftRequest, _: Watch
) -> tuple[messages.Clusters, list[Buffer]]:
    """Send each example's cluster at a stage, and what is in the clusters."""
    found = explorer.clusters(
        request["stage"], without=request["without"], metric=request["metric"]
    )
    dtype = smallest_unsigned(len(found.names))
    codes = np.where(found.labels < 0, np.iinfo(dtype).max, found.labels).astype(dtype)
    return {"names": list(found.names), "dtype": dtype.name}, [as_bytes(codes)]


def _within_reach(explorer: Explorer, kinds: Sequence[str], known: Partitions) -> list[Stage]:
    """Return the stages of these kinds, less the most numerous kinds in a large model.

    Of very many examples only what is held: the page asks for the atlas unbidden, and that must
    not keep a machine busy for long. The same before the model is loaded.
    """
    there = {row.kind for row in explorer.stage_set.rows}
    chosen = [kind for kind in kinds if kind in there]
    groups = sum(len(partition.groups) for partition in known.all)
    for dropped in (None, *_NUMEROUS):
        chosen = [kind for kind in chosen if kind != dropped]
        stages = explorer.stages(kinds=chosen)
        if 8 * groups * sum(map(explorer.stage_set.width, stages)) <= _UNBIDDEN_BYTES:
            break
    if len(explorer.examples) > _UNBIDDEN_EXAMPLES or not explorer.is_loaded:
        return [stage for stage in stages if explorer.holds(stage)]
    return stages
