"""A worker: answers the page's requests one after another, off the kernel's main thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.explorer import Explorer
from clusterwidget.wire import messages
from clusterwidget.wire.binary import Buffer
from clusterwidget.wire.inbox import Inbox
from clusterwidget.wire.parts import Outbox, Send
from clusterwidget.wire.replies import reply

_PROGRESS_SECONDS = 0.1
_ALIVE_SECONDS = 0.5
"""A page that hears nothing for some of these says that the kernel is gone."""
_FIRST_ALIVE_SECONDS = 0.1
_PATIENT = ("prepare", "atlas", "second_parts", "swap_test", "account")
"""Requests that let every less patient one pass, also while they run."""
_AT_ONCE = ("hello", "labels", "tokens", "concepts", "captions")
"""Requests that need no activations: they pass a capture that was begun ahead of its request."""
_SAVED = (*_AT_ONCE, "matrix", "distances", "partitions", "parts", "clusters", "swap_tests")
"""Requests that what was saved may answer: they pass one that waits for the model to be loaded."""
_MOST_WAITING = 16
COUNTED = {"swap_test": "runs", "account": "parts", "trace": "layers"}
"""What progress counts, where that is not examples."""


@dataclass
class _Job:
    request: Mapping[str, Any]
    ahead: bool = False
    """Begun before the page asked: nobody is told what comes of it."""
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[Any, Any]:
        return self.request.get("view"), self.request.get("id")

    @property
    def stage(self) -> Any:
        return self.request.get("stage")

    @property
    def patience(self) -> int:
        """The job waits for those with less: a first look at the atlas goes before the rest."""
        if self.request.get("what") not in _PATIENT:
            return 0
        return 2 if self.request.get("first") is None else 1


class Worker:
    """Answers requests in the order they come, the patient ones last.

    A patient request that runs stops between two batches to answer what came meanwhile, and goes
    on from there. While requests are open, a second thread tells the page twice a second that the
    kernel is alive. Both threads live only while there is something to do.

    Parameters
    ----------
    explorer : Explorer
    send : function of a message and its buffers
        Called from the worker's thread.
    added : function
        Called, from that thread, after a request has added an example.
    """

    def __init__(self, explorer: Explorer, send: Send, added: Callable[[], None]) -> None:
        self._explorer = explorer
        self._send = send
        self._outbox = Outbox(send)
        self._inbox = Inbox(send)
        self._added = added
        self._queue: deque[_Job] = deque()
        self._running: list[_Job] = []
        self._thread: threading.Thread | None = None
        self._telling: threading.Thread | None = None
        self._idle = threading.Event()
        self._lock = threading.Lock()

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take a message of the page; one that is not understood changes nothing."""
        kind, view, request_id = (content.get(name) for name in ("type", "view", "id"))
        if kind == "bye":
            self._leave(view)
        # Without these there is nobody to answer.
        if not (isinstance(view, str) and isinstance(request_id, int)):
            return
        if kind == "request":
            self.submit(content)
        elif kind == "part":
            request = self._inbox.take(content)
            if request is not None:
                self.submit(request)
        elif kind == "more":
            self._outbox.send_again((view, request_id), content.get("parts"))
        elif kind == "received":
            self._outbox.drop((view, request_id))
            self._rest()
        elif kind == "cancel":
            self.cancel(view, request_id)

    def submit(self, request: Mapping[str, Any]) -> None:
        """Queue a request."""
        self._submit(_Job(request))

    def begin(self, stage: str, metric: str = "l2") -> None:
        """Capture a stage that the page is about to ask for, while the page is being set up."""
        request: dict[str, Any] = {
            "what": "matrix",
            "stage": stage,
            "without": [],
            "metric": metric,
            "view": None,
            "id": None,
        }
        self._submit(_Job(request, ahead=True))

    def _submit(self, job: _Job) -> None:
        with self._lock:
            self._queue.append(job)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="clusterwidget", daemon=True
                )
                self._idle.clear()
                self._thread.start()
            if self._telling is None:
                self._telling = threading.Thread(
                    target=self._tell_alive, name="clusterwidget alive", daemon=True
                )
                self._telling.start()

    def cancel(self, view: Any, request_id: Any) -> None:
        """Call a request off, whether it waits or runs."""
        with self._lock:
            for job in [*self._queue, *self._running]:
                if job.key == (view, request_id):
                    job.cancelled.set()
                    for ahead in self._ahead_of(job):
                        ahead.cancelled.set()
        self._inbox.drop((view, request_id))
        self._outbox.drop((view, request_id))
        self._rest()

    def _leave(self, view: Any) -> None:
        """Forget what a view that is gone has not read."""
        self._outbox.drop_where(lambda key: key[0] == view)
        self._rest()

    def _rest(self) -> None:
        """Let the thread that tells the page of life end, if there is nothing to tell."""
        with self._lock:
            if self._thread is None and not self._outbox.waiting():
                self._idle.set()

    def stop(self) -> None:
        """Call everything off."""
        with self._lock:
            for job in [*self._queue, *self._running]:
                job.cancelled.set()
        self._outbox.drop_where(lambda _: True)
        self._rest()

    def _work(self) -> None:
        while True:
            with self._lock:
                job = self._next(lambda _: True)
                if job is None:
                    self._thread = None
                    if not self._outbox.waiting():
                        self._idle.set()
                    return
            self._answer(job)

    def _next(self, may: Callable[[_Job], bool]) -> _Job | None:
        """Take the least patient job from the queue, among those that may run now."""
        job = min(filter(may, self._queue), key=lambda job: job.patience, default=None)
        if job is None:
            return None
        self._queue.remove(job)
        self._running.append(job)
        return job

    def _tell_alive(self) -> None:
        """Tell each view which of its requests are open, until none is."""
        wait = _FIRST_ALIVE_SECONDS
        while True:
            self._idle.wait(wait)
            wait = _ALIVE_SECONDS
            by_view: dict[str, messages.Alive] = {}
            with self._lock:
                unread = self._outbox.waiting()
                if self._thread is None and not unread:
                    self._telling = None
                    return
                asked = [job.key for job in [*self._running, *self._queue] if not job.ahead]
                for view, request_id in [*asked, *(key for key in unread if key not in asked)]:
                    alive = by_view.setdefault(
                        repr(view), {"type": "alive", "view": view, "open": [], "unread": []}
                    )
                    alive["open"].append(request_id)
                    if (view, request_id) in unread:
                        alive["unread"].append(request_id)
            for alive in by_view.values():
                self._send({**alive}, None)

    def _answer(self, job: _Job) -> None:
        """Answer a request that is among the running ones."""
        watch = Watch(
            self._reporter(job),
            job.cancelled.is_set,
            self._passing(self._may_pass(job)) if job.patience or job.ahead else None,
            self._waiter(job),
        )
        before = self._explorer.examples
        try:
            if job.cancelled.is_set():
                raise CaptureCancelledError
            fields, buffers = reply(self._explorer, job.request, watch)
            if job.cancelled.is_set():
                raise CaptureCancelledError
            self._tell(job, "reply", fields, buffers)
        except CaptureCancelledError:
            self._tell(job, "cancelled")
        except Exception as error:
            if not isinstance(error, (ValueError, TypeError, IndexError, MemoryError)):
                logging.getLogger(__name__).exception("a request of the page failed")
            failed: messages.Failed = {"message": str(error) or type(error).__name__}
            self._tell(job, "error", failed)
        finally:
            with self._lock:
                self._running.remove(job)
        if not job.patience and self._explorer.examples is not before:
            self._added()

    def _may_pass(self, running: _Job) -> Callable[[_Job], bool]:
        if running.ahead:
            return lambda job: job.request.get("what") in _AT_ONCE
        return lambda job: job.patience < running.patience

    def _passing(self, may: Callable[[_Job], bool]) -> Callable[[], None]:
        def let_others_pass() -> None:
            while True:
                with self._lock:
                    job = self._next(may)
                if job is None:
                    return
                self._answer(job)

        return let_others_pass

    def _reporter(self, job: _Job) -> Callable[[int, int], None]:
        last = time.monotonic()
        text = COUNTED.get(str(job.request.get("what")), "examples run")

        def report(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_SECONDS and not job.cancelled.is_set():
                last = now
                progress: messages.Progress = {"done": done, "total": total, "text": text}
                for told in self._waiting_for(job) if job.ahead else [job]:
                    self._tell(told, "progress", progress)

        return report

    def _waiter(self, job: _Job) -> Callable[[str], None]:
        """Return what tells the page what its request waits for, and lets others pass."""
        last = 0.0

        def may(other: _Job) -> bool:
            # Those that pass may wait for the model in their turn, each on top of the other.
            return other.request.get("what") in _SAVED and len(self._running) < _MOST_WAITING

        let_others_pass = self._passing(may)

        def wait(what: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_SECONDS and not job.cancelled.is_set():
                last = now
                progress: messages.Progress = {"done": 0, "total": 0, "text": what}
                for told in self._waiting_for(job) if job.ahead else [job]:
                    self._tell(told, "progress", progress)
            let_others_pass()

        return wait

    def _waiting_for(self, ahead: _Job) -> list[_Job]:
        """Return the page's requests for the stage that is captured ahead of them."""
        with self._lock:
            return [job for job in self._queue if job.stage == ahead.stage]

    def _ahead_of(self, waiting: _Job) -> list[_Job]:
        """Return what was begun for a request; under the lock."""
        open_jobs = [*self._queue, *self._running]
        return [job for job in open_jobs if job.ahead and job.stage == waiting.stage]

    def _tell(
        self,
        job: _Job,
        kind: str,
        fields: Mapping[str, Any] | None = None,
        buffers: list[Buffer] | None = None,
    ) -> None:
        if job.ahead:
            return
        view, request_id = job.key
        message = {**(fields or {}), "type": kind, "id": request_id, "view": view}
        self._outbox.send(message, buffers)
