"""Scene: what the grid shows of an exploration, computed and not yet drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import checked_index, checked_k, choice, names, shown
from clusterwidget.core.columns import value_codes
from clusterwidget.core.distances import l2, nearest_of
from clusterwidget.core.metrics import checked_metric
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.meaning.atlas import best_pair
from clusterwidget.meaning.layouts import Layout
from clusterwidget.meaning.neighbors import default_k
from clusterwidget.plot.arrangement import ARRANGEMENTS, Arrangement, Axis, nearest_first
from clusterwidget.plot.colors import (
    NEARS,
    PALETTES,
    distance_table,
    value_indexes,
    value_table,
)
from clusterwidget.plot.scale import SCALES, Scale

Bytes = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DISTANCE, CLUSTER = "distance", "cluster"
"""What the grid can be colored by beside a concept."""
PLAIN = "plain"
"""The examples' own order."""


@dataclass(frozen=True)
class Coded:
    """A concept as colors: its name, its values in order, and each example's, -1 if missing."""

    name: str
    values: tuple[str, ...]
    codes: Ints


@dataclass(frozen=True)
class Scene:
    """What the grid shows.

    Attributes
    ----------
    stage : str
        With what is set aside there, and what the filter is.
    label : str
        Of the selected example.
    selected : int
    distances : numpy.ndarray, shape (N,)
    scale : Scale
    near : numpy.ndarray of int, shape (k,)
        The neighbors, nearest first.
    arrangement : Arrangement
    concept : Coded or None
        What the colors stand for; None for the distance.
    indexes : numpy.ndarray of uint8, shape (N,)
        Each example's color in `table`.
    table : numpy.ndarray of uint8, shape (256, 3)
    mask : numpy.ndarray of bool, shape (N,), or None
        Whether the filter lets each example through; the others are faded.
    palette : str
    order : numpy.ndarray of int, shape (N,)
        All examples, nearest first.
    layout : Layout or None
        Where each example is on the map; None for the lattice.
    """

    stage: str
    label: str
    selected: int
    distances: Float32Array
    scale: Scale
    near: Ints
    arrangement: Arrangement
    concept: Coded | None
    indexes: Bytes
    table: Bytes
    mask: npt.NDArray[np.bool_] | None
    palette: str
    order: Ints
    layout: Layout | None


def scene(
    ex: Explorer,
    stage: Stage | str,
    example: int,
    *,
    color_by: str = DISTANCE,
    arrange: str = ARRANGEMENTS[0],
    arrange_by: Sequence[str] | str | None = None,
    without: str | Sequence[str] = (),
    metric: str = "l2",
    plain: bool = False,
    filter: str = "",  # noqa: A002 - the trait's name
    scale: str = "linear",
    palette: str = "viridis",
    near: str = "bright",
    k: int | None = None,
    watch: Watch | None = None,
) -> Scene:
    """Return what the grid shows; the arguments are those of `clusterwidget.plot.grid`."""
    one, examples = Stage.of(stage), ex.examples
    ex.stage_set.width(one)
    selected = checked_index(example, len(examples))
    count = default_k(len(examples)) if k is None else checked_k(k, len(examples))
    known = list(examples.concepts.columns)
    if not isinstance(color_by, str) or color_by not in (DISTANCE, CLUSTER, *known):
        raise ValueError(
            f"color_by must be 'distance', 'cluster' or a concept, not {shown(color_by)}; there "
            f"are {', '.join(known) or 'no concepts'}."
        )
    choice("arrange", arrange, ARRANGEMENTS)
    axes = [] if plain else _checked_axes(arrange_by, known)
    choice("scale", scale, SCALES)
    choice("palette", palette, PALETTES)
    choice("near", near, NEARS)
    mask = None
    passing = examples.where(filter)
    if len(passing) < len(examples):
        mask = np.zeros(len(examples), bool)
        mask[passing] = True
    aside = names("without", without)
    checked_metric(metric)
    matrix = ex.matrix(one, without=aside, metric=metric, progress=watch)
    distances = l2(matrix, selected)
    order = nearest_first(distances)
    spanned = Scale.of(distances, order, scale)
    layout = None
    if arrange != ARRANGEMENTS[0]:
        axes = []
        layout = ex.layout(
            one, "pca" if arrange == "map" else arrange, without=aside, metric=metric
        )
    if axes is None:
        axes = list(suited_axes(ex, one))
    arrangement = Arrangement.plain(len(examples))
    if axes:
        rows, columns = (_axis(ex, name) for name in axes)
        arrangement = Arrangement.by(rows, columns, order)
    concept = None if color_by == DISTANCE else _coded(ex, color_by, one, aside)
    return Scene(
        _name(one, aside, metric, filter),
        examples.labels[selected],
        selected,
        distances,
        spanned,
        nearest_of(distances, selected, count),
        arrangement,
        concept,
        spanned.indexes(distances) if concept is None else _indexes(concept),
        distance_table(palette, near) if concept is None else value_table(concept.values, palette),
        mask,
        palette,
        order,
        layout,
    )


def _name(stage: Stage, aside: list[str], metric: str, filtered: str) -> str:
    without = f" without {', '.join(aside)}" if aside else ""
    without += "" if metric == "l2" else f" ({metric})"
    return f"{stage}{without}" + (f", {filtered.strip()}" if filtered.strip() else "")


def suited_axes(ex: Explorer, stage: Stage) -> tuple[str, ...]:
    """Return the two concepts that suit a stage as rows and columns, or none.

    Of the pairs that the examples name, the one that explains most of the stage, as the atlas says;
    where none explains any, the one that the examples name for the stage's position.
    """
    own = ex.examples.axes.get(stage.position, ())
    pairs = list(dict.fromkeys(ex.examples.axes.values()))
    if not pairs:
        return own
    try:
        known = ex.partitions()
    except ValueError:
        # A concept that groups nothing: there is no atlas then, and the page goes without it too.
        return own
    named = {name for partition in known.all for name in partition.names}
    usable = [pair for pair in pairs if named.issuperset(pair)]
    if stage in ex.known_atlas():
        # Saved with the exploration: what works it out takes memory that many kernels would hold.
        best = ex.atlas_of(stage, pairs=usable).best_pairs()[0]
    else:
        best = best_pair(ex.matrix(stage), [(known.named(a), known.named(b)) for a, b in usable])
    return usable[best] if best >= 0 else own


def _checked_axes(arrange_by: Sequence[str] | str | None, known: list[str]) -> list[str] | None:
    """Return two concepts, none for the examples' own order, or None to follow the stage."""
    if arrange_by is None:
        return None
    if isinstance(arrange_by, str) and arrange_by == PLAIN and PLAIN not in known:
        return []
    chosen = names("arrange_by", arrange_by, known)
    if not chosen:
        return None
    if len(chosen) != 2 or chosen[0] == chosen[1]:
        raise ValueError(
            "arrange_by must be two different concepts, rows and columns, or 'plain' for the "
            f"examples' own order, not {shown(arrange_by)}."
        )
    return chosen


def _axis(ex: Explorer, name: str) -> Axis:
    codes, values = value_codes(ex.examples.concepts[name])
    return Axis.of(name, codes, values)


def _coded(ex: Explorer, name: str, stage: Stage, aside: list[str]) -> Coded:
    if name in ex.examples.concepts.columns:
        codes, values = value_codes(ex.examples.concepts[name])
        return Coded(name, tuple(values), codes)
    found = ex.clusters(stage, without=aside)
    return Coded(name, tuple(found.names), found.labels.astype(np.int64))


def _indexes(concept: Coded) -> Bytes:
    return value_indexes(concept.codes, concept.values)
