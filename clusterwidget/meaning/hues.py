"""Hues: the color that stands for each concept, on the stage map and in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clusterwidget.core.concepts import Partitions

COLORS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#c4501b",
    "#8457c9",
    "#56b4e9",
    "#a39a00",
    "#8a6d5b",
)
"""Told apart by color-blind eyes in this order, also when pale; none is near the page's accent."""


@dataclass(frozen=True)
class Hue:
    """A color, and what it stands for."""

    name: str
    color: str


OTHER = Hue("other", "#7f7f7f")


def hues_of(partitions: Partitions, families: Mapping[str, str]) -> tuple[list[Hue], list[int]]:
    """Return the hues, and which one each concept has: its family's, or its own without families.

    Parameters
    ----------
    partitions : Partitions
    families : mapping of concept to family
    """
    names = [families.get(partition.names[0]) for partition in partitions.all]
    if all(name is None for name in names):
        names = [partition.name for partition in partitions.all]
    given = [name for name in dict.fromkeys(names) if name is not None][: len(COLORS)]
    hues = [Hue(name, color) for name, color in zip(given, COLORS, strict=False)]
    at = {name: index for index, name in enumerate(given)}
    if any(name not in at for name in names):
        hues.append(OTHER)
    return hues, [len(given) if name is None else at.get(name, len(given)) for name in names]
