"""The worked example, ready to look at: opened where it was saved before, made anew otherwise."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget._version import __version__
from clusterwidget.addition import load_model, problems
from clusterwidget.addition.shipped import WEIGHTS
from clusterwidget.core import checks
from clusterwidget.core.examples import Examples
from clusterwidget.core.stages import SHOWN_KINDS, Stage
from clusterwidget.core.watch import Progress, Watch
from clusterwidget.explorer import Explorer
from clusterwidget.store.description import VERSION
from clusterwidget.store.reading import Store

FOLDER = "CLUSTERWIDGET_CACHE"
"""Environment variable that names the folder; without it, it is in the user's cache."""

_PREFIX = "adder-"


def demo(n: int = 10_000, *, seed: int = 0) -> Explorer:
    """Return the worked example: the model that adds two numbers, and problems for it.

    Where ``clusterwidget save-demo`` has saved it, it opens at once, without torch. Otherwise the
    same is worked out when it is asked for. The model is loaded when the first question needs it.

    Parameters
    ----------
    n : int
        Number of problems.
    seed : int
        Of the problems.

    See Also
    --------
    addition.load_model, addition.problems : what it is made of.

    Examples
    --------
    >>> cw.demo(200).examples.labels[0]
    '9972+0847=10819'
    """
    examples = problems(n, seed=seed)
    saved = _saved(_path(examples), examples)
    return Explorer(load_model, examples, saved=saved, keep=False)


def save_demo(n: int = 10_000, *, seed: int = 0, progress: Progress | Watch | None = None) -> Path:
    """Save the worked example where `demo` looks for it, in place of what was saved there before.

    Returns
    -------
    Path
        Of the saved exploration.
    """
    examples = problems(n, seed=seed)
    path, watch = _path(examples), Watch.of(progress)
    if _saved(path, examples) is None:
        explorer = Explorer(load_model, examples)
        stages = explorer.stages(kinds=SHOWN_KINDS)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            # What is there is damaged.
            shutil.rmtree(path)
        explorer.capture(stages, progress=watch)
        explorer.atlas(stages, progress=watch.quiet())
        explorer.save(path, stages, progress=watch.quiet())
    for other in path.parent.glob(f"{_PREFIX}*.zarr"):
        if other != path:
            shutil.rmtree(other, ignore_errors=True)
    return path


def _path(examples: Examples) -> Path:
    """Return where it is saved: the name says all that it depends on."""
    digest = hashlib.sha256(f"{__version__} {VERSION}".encode())
    digest.update(WEIGHTS.read_bytes())
    digest.update(np.ascontiguousarray(examples.tokens, np.int64).tobytes())
    digest.update(examples.inputs.marks())
    digest.update(repr(list(examples.concepts.columns)).encode())
    return _folder() / f"{_PREFIX}{digest.hexdigest()[:16]}.zarr"


def _folder() -> Path:
    given = os.environ.get(FOLDER)
    if given:
        return checks.folder(given)
    import platformdirs

    return Path(platformdirs.user_cache_dir("clusterwidget", appauthor=False))


def _saved(path: Path, examples: Examples) -> _Saved | None:
    """Return what is saved; None where that is nothing, or of no use: it may not break the demo."""
    try:
        found = _Saved(path, examples)
        fits = found.n == len(examples) and found.whole.positions == examples.positions
        return found if fits and found.is_whole() else None
    except (OSError, ValueError):
        return None


class _Saved(Store):
    """A saved exploration that works out anew what turns out to be damaged.

    Parameters
    ----------
    path : Path
    examples : Examples
        Those that were saved.
    """

    def __init__(self, path: Path, examples: Examples) -> None:
        super().__init__(path)
        self._examples = examples
        self._anew: Explorer | None = None

    def is_whole(self) -> bool:
        """Tell whether every file is there, as large as it should be."""
        for name in self._arrays.values():
            array = self._array(name)
            for index in range(-(-array.shape[0] // array.rows)):
                array.stored_bytes(index)
        return True

    def rows(
        self, stage: Stage, start: int = 0, stop: int | None = None
    ) -> npt.NDArray[np.float32]:
        """Return rows of a stage's matrix, shape (rows, d), float32."""
        try:
            return super().rows(stage, start, stop)
        except (OSError, ValueError):
            return self._made_anew().matrix(stage)[start:stop]

    def basis(self, layer: int, head: int) -> npt.NDArray[np.float32] | None:
        """Return what turns a head's `result` into vectors; None for the model's own."""
        try:
            return super().basis(layer, head)
        except (OSError, ValueError):
            return None

    def _made_anew(self) -> Explorer:
        if self._anew is None:
            self._anew = Explorer(load_model, self._examples)
        return self._anew

    def require_model(self, model: Any, stage_set: Any, tokens: Any) -> None:
        """Accept the shipped model: the name of what is saved has the digest of its weights."""
