"""Desk: takes what visitors ask, and has it answered in its turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.publish.server.answers import Answers, Typed
from clusterwidget.publish.server.framing import Answer
from clusterwidget.publish.server.lanes import QUICK, Job, Lane
from clusterwidget.publish.server.visitor import Visitor
from clusterwidget.wire import messages
from clusterwidget.wire.worker import COUNTED

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 0.25
_OF_STAGES = ("matrix", "distances")


class Desk:
    """Has requests answered on two threads: the quick ones never wait for the model.

    Parameters
    ----------
    answers : Answers
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._quick = Lane("clusterwidget quick", self._answer, _may_be_answered)
        self._slow = Lane("clusterwidget slow", self._answer, _may_be_answered)
        self._lanes = (self._quick, self._slow)

    def start(self) -> None:
        """Begin to answer."""
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Call everything off."""
        for lane in self._lanes:
            lane.stop()

    def known(self, fields: Mapping[str, Any], typed: Typed) -> Answer | None:
        """Return an answer that need not wait."""
        return self._answers.known(fields, typed)

    def submit(self, job: Job) -> None:
        """Queue a job."""
        # Who has typed examples has answers made for them alone.
        quick = job.patience == QUICK and self._answers.is_common(job.request, job.visitor.typed)
        if job.request.get("what") in _OF_STAGES:
            quick = self._answers.is_at_hand(job.request, job.visitor.typed)
        (self._quick if quick else self._slow).submit(job)

    def cancel(self, visitor: Visitor, number: int) -> bool:
        """Call a request off; return whether it only waited."""
        waited = [lane.cancel(visitor, number) for lane in self._lanes]
        return any(waited)

    def nudge(self) -> None:
        """Go on with a visitor who has read what was sent."""
        for lane in self._lanes:
            lane.nudge()

    def leave(self, visitor: Visitor) -> None:
        """Forget a visitor, and what was asked and typed."""
        for lane in self._lanes:
            lane.leave(visitor)
        self._answers.forget(visitor.typed)

    def _answer(self, job: Job, pause: Callable[[], None] | None) -> None:
        visitor: Visitor = job.visitor
        watch = Watch(_reporter(job), job.cancelled.is_set, pause, _waiter(job))
        before = len(visitor.typed)
        try:
            if job.cancelled.is_set():
                raise CaptureCancelledError
            answer = self._answers.answer(job.request, visitor.typed, watch)
        except CaptureCancelledError:
            visitor.told(job, "cancelled", {})
        except Exception as error:
            if not isinstance(error, (ValueError, TypeError, IndexError, MemoryError)):
                log.exception("a request of a page failed")
                error = RuntimeError("The server failed at this. Its log says why.")
            failed: messages.Failed = {"message": self._answers.words(error)}
            visitor.told(job, "error", failed)
        else:
            visitor.answered(job, answer)
            if job.request.get("what") == "find" and len(visitor.typed) > before:
                visitor.changed()


def _may_be_answered(visitor: Visitor) -> bool:
    return visitor.may_be_answered


def _reporter(job: Job) -> Callable[[int, int], None]:
    text = COUNTED.get(str(job.request.get("what")), "examples run")
    tell = _teller(job)
    return lambda done, total: tell({"done": done, "total": total, "text": text})


def _waiter(job: Job) -> Callable[[str], None]:
    tell = _teller(job)
    return lambda what: tell({"done": 0, "total": 0, "text": what})


def _teller(job: Job) -> Callable[[messages.Progress], None]:
    """Return what tells a visitor of progress, not too often."""
    visitor: Visitor = job.visitor
    last = time.monotonic()

    def tell(progress: messages.Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_SECONDS and not job.cancelled.is_set():
            last = now
            visitor.told(job, "progress", progress)

    return tell
