"""Lanes: requests of many visitors, each answered in its turn.

Two threads answer: one what is quick, one what runs the model or takes long. In each lane visitors
take turns, however much one of them asks; what takes long stops between two batches to let pass
what takes less, as `wire.worker` does for one page.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass, field
from typing import Any

QUICK, SOON, PATIENT, LAST = range(4)
_PATIENCE = {
    "find": SOON,
    "load": SOON,
    "swap": SOON,
    "lens": SOON,
    "matrix": SOON,
    "distances": SOON,
    "layout": SOON,
    "trace": PATIENT,
    "parts": PATIENT,
    "clusters": PATIENT,
    "concept_of": PATIENT,
    "swap_test": LAST,
    "account": LAST,
    "atlas": LAST,
    "second_parts": LAST,
    "prepare": LAST,
}
"""What is not named here is quick."""
_LESS_PATIENT_AFTER = 3.0
"""Seconds after which what waits is less patient by one: nothing waits for ever."""


def patience_of(request: dict[str, Any]) -> int:
    """Return how long a request can wait: it lets those with less pass.

    Examples
    --------
    >>> patience_of({"what": "labels"}) < patience_of({"what": "swap"})
    True
    """
    what = request.get("what")
    if what == "atlas" and request.get("first") is not None:
        return PATIENT
    return _PATIENCE.get(what, QUICK) if isinstance(what, str) else QUICK


@dataclass(eq=False)
class Job:
    """A request that waits or runs.

    Attributes
    ----------
    visitor : object, hashable
        Who asks.
    id : int
        The visitor's number of it.
    request : dict
    patience : int
    asked : float
        When it was, in seconds.
    cancelled : threading.Event
    """

    visitor: Any
    id: int
    request: dict[str, Any]
    patience: int
    asked: float = field(default_factory=time.monotonic)
    cancelled: threading.Event = field(default_factory=threading.Event)


Answer = Callable[[Job, "Callable[[], None] | None"], None]
"""Answers a job. It is given what to call between two batches where others may pass."""


class Lane:
    """Answers jobs on one thread, visitors in turn and the least patient jobs first.

    Parameters
    ----------
    name : str
        Of the thread.
    answer : function
        See `Answer`; it raises nothing.
    may_be_answered : function of a visitor
        Whether the visitor can take another answer now. `nudge` where that has changed.
    """

    def __init__(
        self, name: str, answer: Answer, may_be_answered: Callable[[Any], bool] = lambda _: True
    ) -> None:
        self._answer = answer
        self._may_be_answered = may_be_answered
        self._waiting: dict[Hashable, deque[Job]] = {}
        self._running: list[Job] = []
        self._turns: dict[Hashable, int] = {}
        """When each visitor who waits or has waited was answered last."""
        self._turn = 0
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Call everything off, and end once what runs has noticed."""
        with self._changed:
            self._ended = True
            for job in self._running:
                job.cancelled.set()
            self._waiting.clear()
            self._changed.notify_all()

    def submit(self, job: Job) -> None:
        """Queue a job."""
        with self._changed:
            self._waiting.setdefault(job.visitor, deque()).append(job)
            self._changed.notify()

    def nudge(self) -> None:
        """Look again who can be answered."""
        with self._changed:
            self._changed.notify()

    def cancel(self, visitor: Hashable, number: int) -> bool:
        """Call a job off; return whether it only waited, so that nobody will tell of it."""
        with self._changed:
            for job in self._running:
                if job.visitor is visitor and job.id == number:
                    job.cancelled.set()
            jobs = self._waiting.get(visitor, deque())
            waiting = [job for job in jobs if job.id == number]
            for job in waiting:
                jobs.remove(job)
            return bool(waiting)

    def leave(self, visitor: Hashable) -> None:
        """Call off all that a visitor who is gone has asked."""
        with self._changed:
            self._waiting.pop(visitor, None)
            self._turns.pop(visitor, None)
            for job in self._running:
                if job.visitor is visitor:
                    job.cancelled.set()

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._next(LAST)
                while job is None and not self._ended:
                    self._changed.wait()
                    job = self._next(LAST)
                if job is None:
                    return
            self._run(job)

    def _run(self, job: Job) -> None:
        pause = None if job.patience <= SOON else lambda: self._let_pass(job.patience - 1)
        try:
            self._answer(job, pause)
        finally:
            with self._changed:
                self._running.remove(job)

    def _let_pass(self, patience: int) -> None:
        """Answer what waits and is less patient than what runs, one job of each visitor."""
        passed: set[Hashable] = set()
        while True:
            with self._changed:
                job = self._next(patience, passed)
            if job is None:
                return
            passed.add(job.visitor)
            self._run(job)

    def _next(self, most: int, but: Container[Hashable] = ()) -> Job | None:
        """Take the least patient job, of the visitor who was answered longest ago; under the lock.

        Within a visitor's own jobs of one patience, the oldest.
        """
        now = time.monotonic()
        best: tuple[int, int] | None = None
        chosen: Job | None = None
        for visitor, jobs in self._waiting.items():
            may = [job for job in jobs if job.patience <= most]
            if not may or visitor in but or not self._may_be_answered(visitor):
                continue
            job = min(may, key=lambda job: _rank(job, now))
            rank = (_rank(job, now), self._turns.get(visitor, 0))
            if best is None or rank < best:
                best, chosen = rank, job
        if chosen is None:
            return None
        jobs = self._waiting[chosen.visitor]
        jobs.remove(chosen)
        if not jobs:
            del self._waiting[chosen.visitor]
        self._turn += 1
        self._turns[chosen.visitor] = self._turn
        self._running.append(chosen)
        return chosen


def _rank(job: Job, now: float) -> int:
    """Return a job's patience, less what it has lost by waiting; the quick ones keep theirs."""
    lost = int((now - job.asked) / _LESS_PATIENT_AFTER)
    return max(min(job.patience, SOON), job.patience - lost)
