"""Choosing: the stages of a page for which nobody named any."""

from __future__ import annotations

from clusterwidget.core.stages import Stage, shown_kinds
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.meaning.atlas import NOTHING


def within_reach(explorer: Explorer) -> list[Stage]:
    """Return the stages of the kinds shown first; of a large model, those that are held."""
    there = dict.fromkeys(row.kind for row in explorer.stage_set.rows)
    kinds = shown_kinds(there) or sorted(there)
    stages = explorer.stages(kinds=kinds)
    if len(explorer.affordable(stages)) == len(stages):
        return stages
    return [stage for stage in stages if explorer.holds(stage)]


def worth_seeing(explorer: Explorer, first: Stage, watch: Watch) -> list[Stage]:
    """Return stages in the order in which they are worth a place in the page.

    `first` comes first. Then, for each concept, the stage that it explains best; then the next best
    of each, and so on; last, stages that nothing named explains. Those where all examples are the
    same are left out.

    Parameters
    ----------
    explorer : Explorer
    first : Stage
        What the page shows first.
    watch : Watch
    """
    stages = within_reach(explorer)
    if not explorer.partitions().all:
        return list(dict.fromkeys([first, *stages]))
    atlas = explorer.atlas_of(stages, progress=watch)
    by_concept: dict[int, list[tuple[float, int]]] = {}
    unexplained = []
    for at, concept in enumerate(atlas.best()):
        if concept >= 0:
            share = float(atlas.shares[at, concept])
            by_concept.setdefault(concept, []).append((-share, at))
        elif concept == NOTHING:
            unexplained.append(at)
    ranked = [
        (rank, share, at)
        for found in by_concept.values()
        for rank, (share, at) in enumerate(sorted(found))
    ]
    order = [at for *_, at in sorted(ranked)] + unexplained
    return list(dict.fromkeys([first, *(stages[at] for at in order)]))
