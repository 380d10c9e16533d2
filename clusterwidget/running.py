"""Running a model: one thread at a time, since hooks of two would mix."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

from clusterwidget.hooks import Model

_locks: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()
_making = threading.Lock()


def running(model: Model) -> threading.RLock:
    """Return the lock to hold while a model runs, the same for every explorer of the model.

    A page asks from a thread of its own, also while a cell runs the model. Hold it for one batch,
    not for a whole capture.
    """
    with _making:
        return _locks.setdefault(model, threading.RLock())
