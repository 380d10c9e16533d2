"""Passes: stages in groups that fit into memory together."""

from __future__ import annotations

from collections.abc import Iterable

from clusterwidget.core.stages import Stage


def groups_within(sizes: Iterable[tuple[Stage, int]], limit: int) -> list[list[Stage]]:
    """Divide stages, in order, into groups whose sizes add up to at most `limit`.

    A stage that is larger by itself is a group of its own.

    Examples
    --------
    >>> a, b, c = (Stage("embed", position=position) for position in "abc")
    >>> [len(group) for group in groups_within([(a, 2), (b, 2), (c, 3)], 4)]
    [2, 1]
    """
    groups: list[list[Stage]] = []
    left = 0
    for stage, size in sizes:
        if not groups or size > left:
            groups.append([])
            left = limit
        groups[-1].append(stage)
        left -= size
    return groups
