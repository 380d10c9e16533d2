"""Start: what a page shows before anyone has chosen."""

from __future__ import annotations

from clusterwidget.core.stages import Stage
from clusterwidget.explorer import Explorer


def first_stage(explorer: Explorer) -> Stage:
    """Return the last stage of the residual stream where the first answer is read."""
    examples, stages = explorer.examples, explorer.stages()
    if not explorer.is_loaded:
        # The first picture loads no model where it can be had without.
        stages = [stage for stage in stages if explorer.holds(stage)] or stages
    position = next(
        (answer.position for answer in examples.answers.values()), examples.positions[-1]
    )
    after = [stage for stage in stages if stage.kind == "resid_post"] or stages
    return next((stage for stage in reversed(after) if stage.position == position), after[-1])
