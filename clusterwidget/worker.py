"""A worker: answers the page's requests one after another, off the kernel's main thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clusterwidget.explorer import Explorer
from clusterwidget.progress import CaptureCancelledError
from clusterwidget.replies import reply

Send = Callable[[dict[str, Any], "list[bytes | memoryview] | None"], None]

_PROGRESS_SECONDS = 0.1
_PATIENT = ("prepare", "atlas")
"""Requests that give way to every other, and are taken up again afterwards."""


@dataclass
class _Job:
    request: dict[str, Any]
    cancelled: threading.Event = field(default_factory=threading.Event)
    set_aside: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[Any, Any]:
        return self.request.get("view"), self.request.get("id")

    @property
    def patient(self) -> bool:
        return self.request.get("what") in _PATIENT

    def stopped(self) -> bool:
        return self.cancelled.is_set() or self.set_aside.is_set()


class Worker:
    """Answers requests in the order they come, the patient ones last.

    The thread lives only while there is something to do.

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
        self._added = added
        self._queue: deque[_Job] = deque()
        self._running: _Job | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, request: dict[str, Any]) -> None:
        """Queue a request; set a running patient one aside for it."""
        job = _Job(request)
        with self._lock:
            self._queue.append(job)
            if self._running is not None and self._running.patient and not job.patient:
                self._running.set_aside.set()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="clusterwidget", daemon=True
                )
                self._thread.start()

    def cancel(self, view: Any, request_id: Any) -> None:
        """Call a request off, whether it waits or runs."""
        with self._lock:
            for job in [*self._queue, *([self._running] if self._running else [])]:
                if job.key == (view, request_id):
                    job.cancelled.set()

    def stop(self) -> None:
        """Call everything off."""
        with self._lock:
            for job in [*self._queue, *([self._running] if self._running else [])]:
                job.cancelled.set()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._running = self._next()
                if self._running is None:
                    self._thread = None
                    return
            self._answer(self._running)

    def _next(self) -> _Job | None:
        for job in self._queue:
            if not job.patient:
                self._queue.remove(job)
                return job
        return self._queue.popleft() if self._queue else None

    def _answer(self, job: _Job) -> None:
        if job.cancelled.is_set():
            self._tell(job, "cancelled")
            return
        before = len(self._explorer.examples)
        try:
            fields, buffers = reply(self._explorer, job.request, self._reporter(job), job.stopped)
        except Exception as error:  # noqa: BLE001 - the page must hear of every failure
            self._fail(job, error)
            return
        self._tell(job, "reply", fields, buffers)
        if len(self._explorer.examples) > before:
            self._added()

    def _fail(self, job: _Job, error: Exception) -> None:
        if isinstance(error, CaptureCancelledError):
            if job.cancelled.is_set():
                self._tell(job, "cancelled")
            else:
                with self._lock:
                    self._queue.append(_Job(job.request))
            return
        if not isinstance(error, (ValueError, TypeError, IndexError, MemoryError)):
            logging.getLogger(__name__).exception("a request of the page failed")
        self._tell(job, "error", {"message": str(error) or type(error).__name__})

    def _reporter(self, job: _Job) -> Callable[[int, int], None]:
        last = time.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_SECONDS and not job.stopped():
                last = now
                self._tell(job, "progress", {"done": done, "total": total, "text": "examples run"})

        return report

    def _tell(
        self,
        job: _Job,
        kind: str,
        fields: dict[str, Any] | None = None,
        buffers: list[bytes | memoryview] | None = None,
    ) -> None:
        view, request_id = job.key
        self._send({**(fields or {}), "type": kind, "id": request_id, "view": view}, buffers)
