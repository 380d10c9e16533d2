"""Saving: which parts of an exploration are written, and whether anything would be lost."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import folder
from clusterwidget.core.stages import Stage, row_name
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.setting import Setting
from clusterwidget.store.reading import Store, model_fingerprint
from clusterwidget.store.records import Records, all_records
from clusterwidget.store.writing import Bases, require_free, write_store


def save(
    path: str | os.PathLike[str],
    setting: Setting,
    made: Records,
    own: Path | None,
    stages: Sequence[Stage] | None,
    watch: Watch,
) -> Path:
    """Save an exploration: see `Explorer.save`.

    Parameters
    ----------
    path : path of the folder
    setting : Setting
    made : Records
        What was worked out since it was opened, by kind and key.
    own : Path or None
        Where the exploration was saved before.
    stages : sequence of Stage or None
        None for those that are held.
    watch : Watch

    Returns
    -------
    Path
        Where it is saved now.
    """
    target = folder(path)
    require_free(target)
    activations = setting.activations
    chosen = activations.held_stages() if stages is None else list(dict.fromkeys(stages))
    for stage in chosen:
        if setting.stages.column(stage) < 0:
            raise ValueError(
                f"{stage} counts from the end, and only positions with names are saved: name it, "
                "Examples(tokens, columns={'last': […]})."
            )
    chosen = list(dict.fromkeys(map(setting.stages.named, chosen)))
    if not chosen:
        raise ValueError(
            "nothing is captured yet, so there is nothing to save: say which stages, "
            "explorer.save(path, stages=explorer.stages(kinds=…))."
        )
    saved = activations.saved if isinstance(activations.saved, Store) else None
    places = {own, None if saved is None else saved.path} - {None}
    again = target.absolute() in {place.absolute() for place in places if place is not None}
    whole = set(setting.stages.select()).issubset(chosen)
    if again and setting.lazy is None and not whole:
        raise ValueError(
            f"{target} would lose the stages that are not saved again, and there is no model "
            "to capture them: save all of them, or choose another name."
        )
    write_store(
        target,
        setting.examples,
        setting.stages if saved is None or setting.lazy is not None else saved.whole,
        activations.each(chosen, watch),
        bases=bases_of(setting, chosen),
        records=lambda: _records(own, made),
        fingerprint=_fingerprint(setting, saved),
    )
    if again or (saved is None and (setting.lazy is not None or whole)):
        activations.saved = Store(target)
    return target


def bases_of(setting: Setting, chosen: Iterable[Stage]) -> Bases:
    """Yield the bases of the heads whose `result` is among some stages, by name."""
    of_heads = {
        row_name(stage.kind, stage.layer, stage.head): stage
        for stage in chosen
        if stage.kind == "result"
    }
    for name, stage in of_heads.items():
        basis = setting.activations.basis(stage)
        if basis is not None:
            yield name, basis


def _records(own: Path | None, made: Records) -> Records:
    """Return what is in the saved exploration, and what was worked out since."""
    known: Records = all_records(own) if own is not None else {}
    return {**known, **{kind: {**known.get(kind, {}), **some} for kind, some in made.items()}}


def _fingerprint(setting: Setting, saved: Store | None) -> npt.NDArray[np.float32] | None:
    lazy = setting.lazy
    if lazy is None or (lazy.loaded is None and saved is not None):
        return None if saved is None else saved.fingerprint
    return model_fingerprint(lazy.get(), lazy.stages(), setting.examples.inputs)
