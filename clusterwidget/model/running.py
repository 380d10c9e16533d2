"""Running a model: one thread at a time, in evaluation mode, on a chosen number of CPU threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch

from clusterwidget.model.hooks import Model

_locks: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()
_making = threading.Lock()


def running(model: Model) -> threading.RLock:
    """Return the lock to hold while a model runs, the same for every explorer of the model.

    The page's requests run in a thread of their own, also while a cell runs the model, and the
    hooks of two runs would mix. Hold it for one batch, not for a whole capture.
    """
    with _making:
        return _locks.setdefault(model, threading.RLock())


@contextmanager
def evaluating(model: Model) -> Iterator[None]:
    """Switch dropout off while the model runs, and restore its mode afterwards."""
    training = bool(getattr(model, "training", False))
    if training:
        model.eval()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if training:
            model.train()  # type: ignore[attr-defined]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this many CPU threads for an operation, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
