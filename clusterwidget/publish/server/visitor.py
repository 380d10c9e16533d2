"""Visitor: one connection, what it may ask, and what it has yet to read."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from clusterwidget.publish.server.answers import Typed
from clusterwidget.publish.server.framing import Answer, BadMessage, read_message
from clusterwidget.publish.server.lanes import Job, patience_of
from clusterwidget.publish.server.limits import Bucket, Limits

if TYPE_CHECKING:
    from clusterwidget.publish.server.desk import Desk

log = logging.getLogger(__name__)

IDLE, TOO_MUCH, FULL, BAD, LEAVING = 4408, 4429, 4503, 4400, 1012
"""Codes that connections are closed with; the page knows them."""
_MOST_UNREAD_BYTES = 4 << 20
"""Of answers that a visitor has not read; then the next one waits."""
_MOST_UNREAD = 400
"""Messages that a visitor has not read; then the connection is closed."""
_MOST_ERRORS = 40
"""Requests beyond the limits that are answered with an error; then the connection is closed."""
_ALIVE_SECONDS = 2.0


class _Closing(Exception):  # noqa: N818 - not an error of ours
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Visitor:
    """Reads what a page asks, and sends it what comes of it, within limits.

    Parameters
    ----------
    socket : WebSocket
        Accepted.
    desk : Desk
    limits : Limits
    """

    def __init__(self, socket: WebSocket, desk: Desk, limits: Limits) -> None:
        self.typed = Typed()
        self._socket = socket
        self._desk = desk
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._bucket = Bucket(limits.rate, 3 * limits.rate)
        self._open: set[int] = set()
        self._unread: deque[tuple[str, Answer | None]] = deque()
        self._unread_bytes = 0
        self._to_send = asyncio.Event()
        self._closing: _Closing | None = None
        self._errors = 0
        self._heard = time.monotonic()

    @property
    def may_be_answered(self) -> bool:
        """Whether the next answer may be made: what was made before has been read, by and large."""
        return self._unread_bytes <= _MOST_UNREAD_BYTES

    async def stay(self) -> None:
        """Talk with the page until one of the two has enough."""
        reading = asyncio.ensure_future(self._read())
        writing = asyncio.ensure_future(self._write())
        tasks = {reading, writing, asyncio.ensure_future(self._watch())}
        closing: _Closing | None = None
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) is not None:
                    raise error
        except _Closing as chosen:
            closing = chosen
        except (TimeoutError, asyncio.TimeoutError):
            closing = _Closing(TOO_MUCH, "answers were not read")
        except WebSocketDisconnect:
            log.debug("a page went while it was answered")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._unread.clear()
        if closing is not None:
            await self._close(closing)

    def close(self, code: int, reason: str) -> None:
        """Close the connection soon."""
        self._closing = _Closing(code, reason)
        self._to_send.set()

    # From the threads that answer.

    def answered(self, job: Job, answer: Answer) -> None:
        """Send an answer."""
        self._soon(job.id, answer.head(job.id), answer)

    def told(self, job: Job, kind: str, fields: Mapping[str, Any]) -> None:
        """Send progress, an error, or that a request was cancelled."""
        text = json.dumps({"type": kind, "id": job.id, **fields})
        self._soon(None if kind == "progress" else job.id, text, None)

    def changed(self) -> None:
        """Tell the page that there are more examples for it."""
        self._soon(None, '{"type": "changed"}', None)

    def _soon(self, done: int | None, text: str, answer: Answer | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._put, done, text, answer)
        except RuntimeError:
            # The server has stopped.
            log.debug("an answer came too late")

    def _put(self, done: int | None, text: str, answer: Answer | None) -> None:
        if done is not None:
            self._open.discard(done)
        self._unread.append((text, answer))
        self._unread_bytes += 0 if answer is None else answer.size
        self._to_send.set()
        if len(self._unread) > _MOST_UNREAD:
            self.close(TOO_MUCH, "answers were not read")

    # On the server's own thread.

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                raise _Closing(BAD, "a message is a text")
            try:
                request = read_message(text)
            except BadMessage as error:
                raise _Closing(BAD, str(error)) from error
            self._heard = time.monotonic()
            if request.kind == "cancel":
                if self._desk.cancel(self, request.id):
                    self._put(request.id, json.dumps({"type": "cancelled", "id": request.id}), None)
                continue
            self._take(request.id, request.fields)

    def _take(self, number: int, fields: dict[str, Any]) -> None:
        refusal = None
        if number in self._open:
            raise _Closing(BAD, "two requests have one id")
        if not self._bucket.passes(self._heard):
            refusal = "The page asks more than the server answers. Wait a moment."
        elif len(self._open) >= self._limits.open:
            refusal = "The page waits for too many answers. Wait a moment."
        if refusal is not None:
            self._errors += 1
            if self._errors > _MOST_ERRORS:
                raise _Closing(TOO_MUCH, "too many requests")
            failed = json.dumps({"type": "error", "id": number, "message": refusal})
            self._put(None, failed, None)
            return
        self._open.add(number)
        job = Job(self, number, fields, patience_of(fields))
        answer = self._desk.known(fields, self.typed) if self.may_be_answered else None
        if answer is not None:
            self._put(number, answer.head(number), answer)
        else:
            self._desk.submit(job)

    async def _write(self) -> None:
        while True:
            await self._to_send.wait()
            if self._closing is not None:
                raise self._closing
            if not self._unread:
                self._to_send.clear()
                continue
            text, answer = self._unread.popleft()
            await self._in_time(self._socket.send_text(text))
            if answer is None:
                continue
            for piece in answer.pieces():
                await self._in_time(self._socket.send_bytes(bytes(piece)))
            held_back = not self.may_be_answered
            self._unread_bytes -= answer.size
            if held_back and self.may_be_answered:
                self._desk.nudge()

    async def _in_time(self, sending: Any) -> None:
        await asyncio.wait_for(sending, self._limits.unread)

    async def _watch(self) -> None:
        """Tell the page that the server is there while it waits, and close what is idle."""
        while True:
            await asyncio.sleep(_ALIVE_SECONDS)
            if self._open:
                if not self._unread:
                    self._put(None, '{"type": "alive"}', None)
            elif time.monotonic() - self._heard > self._limits.idle:
                raise _Closing(IDLE, "nothing was asked for a while")

    async def _close(self, closing: _Closing) -> None:
        try:
            await asyncio.wait_for(self._socket.close(closing.code, str(closing)), 5)
        except (TimeoutError, asyncio.TimeoutError, WebSocketDisconnect, RuntimeError):
            log.debug("a connection could not be closed in time")
