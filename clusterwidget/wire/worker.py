"""A worker: answers the page's requests one after another, off the kernel's main thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.explorer import Explorer
from clusterwidget.wire.replies import reply

Send = Callable[[dict[str, Any], "list[bytes | memoryview] | None"], None]

_PROGRESS_SECONDS = 0.1
_PATIENT = ("prepare", "atlas", "swap_test")
"""Requests that let every other pass, also while they run."""
_COUNTED = {"swap_test": "runs", "trace": "layers"}
"""What progress counts, where that is not examples."""


@dataclass
class _Job:
    request: dict[str, Any]
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[Any, Any]:
        return self.request.get("view"), self.request.get("id")

    @property
    def patient(self) -> bool:
        return self.request.get("what") in _PATIENT


class Worker:
    """Answers requests in the order they come, the patient ones last.

    A patient request that runs stops between two batches to answer what came meanwhile, and goes
    on from there. The thread lives only while there is something to do.

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
        self._running: list[_Job] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, request: dict[str, Any]) -> None:
        """Queue a request."""
        with self._lock:
            self._queue.append(_Job(request))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="clusterwidget", daemon=True
                )
                self._thread.start()

    def cancel(self, view: Any, request_id: Any) -> None:
        """Call a request off, whether it waits or runs."""
        with self._lock:
            for job in [*self._queue, *self._running]:
                if job.key == (view, request_id):
                    job.cancelled.set()

    def stop(self) -> None:
        """Call everything off."""
        with self._lock:
            for job in [*self._queue, *self._running]:
                job.cancelled.set()

    def _work(self) -> None:
        while True:
            with self._lock:
                job = self._next(patient=False) or self._next(patient=True)
                if job is None:
                    self._thread = None
                    return
            self._answer(job)

    def _next(self, *, patient: bool) -> _Job | None:
        for job in self._queue:
            if job.patient == patient:
                self._queue.remove(job)
                self._running.append(job)
                return job
        return None

    def _answer(self, job: _Job) -> None:
        """Answer a request that is among the running ones."""
        watch = Watch(
            self._reporter(job),
            job.cancelled.is_set,
            self._let_others_pass if job.patient else None,
        )
        before = len(self._explorer.examples)
        try:
            if job.cancelled.is_set():
                raise CaptureCancelledError
            fields, buffers = reply(self._explorer, job.request, watch)
            self._tell(job, "reply", fields, buffers)
        except CaptureCancelledError:
            self._tell(job, "cancelled")
        except Exception as error:
            if not isinstance(error, (ValueError, TypeError, IndexError, MemoryError)):
                logging.getLogger(__name__).exception("a request of the page failed")
            self._tell(job, "error", {"message": str(error) or type(error).__name__})
        finally:
            with self._lock:
                self._running.remove(job)
        if not job.patient and len(self._explorer.examples) > before:
            self._added()

    def _let_others_pass(self) -> None:
        while True:
            with self._lock:
                job = self._next(patient=False)
            if job is None:
                return
            self._answer(job)

    def _reporter(self, job: _Job) -> Callable[[int, int], None]:
        last = time.monotonic()
        text = _COUNTED.get(str(job.request.get("what")), "examples run")

        def report(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_SECONDS and not job.cancelled.is_set():
                last = now
                self._tell(job, "progress", {"done": done, "total": total, "text": text})

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
