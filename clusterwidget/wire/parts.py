"""Large messages in parts: none is over 4 MB, in either direction.

Colab and some proxies lose or cut large messages. A large answer is one run of bytes: its fields as
JSON, then its buffers. It is sent in parts; as they arrive, the page asks for further ones, so that
few are under way at a time, and can be called off. In the same way it asks again for one that was
lost, and it says when it has them all. `js/src/source/kernel/parts.ts` is the page's side, and
`inbox.py` takes the parts of large requests.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clusterwidget.wire import messages
from clusterwidget.wire.binary import Buffer

Key = tuple[str, int]
"""The view that asks, and its number of the request."""
Send = Callable[[dict[str, Any], "list[Buffer] | None"], None]

PART_BYTES = 2_900_000
"""In base64, as marimo sends it, and with what goes around it: below 4 MB. Smaller parts take
longer in all."""
AT_A_TIME = 5
"""Parts under way at once: fewer would wait for the way there and back."""

_ALIGNED = 8
_MOST_KEPT = 16
_KEPT_SECONDS = 120.0
_AGAIN_AFTER_SECONDS = 1.0
"""A kernel that was busy finds several requests for the same part: the first is answered."""


@dataclass
class _Parcel:
    """A message that the page may still ask for parts of."""

    pieces: list[memoryview]
    """The fields and the buffers, each filled up to a multiple of `_ALIGNED` bytes."""
    text: int
    """Bytes of the fields."""
    sent: dict[int, float] = field(default_factory=dict)
    """When each part was sent."""
    asked: float = field(default_factory=time.monotonic)
    """When the page was last heard of it."""

    @property
    def size(self) -> int:
        return sum(len(piece) for piece in self.pieces)

    def cut(self, start: int, end: int) -> Iterator[memoryview]:
        """Yield the bytes from start to end, as views of the pieces that they lie in."""
        at = 0
        for piece in self.pieces:
            if at < end and at + len(piece) > start:
                yield piece[max(0, start - at) : end - at]
            at += len(piece)


class Outbox:
    """Sends messages, large ones in parts, and keeps these until the page has them.

    Parameters
    ----------
    send : function of a message and its buffers
        Called from any thread.
    part_bytes : int
        Bytes of a part; a message with no more is sent as it is.
    at_a_time : int
        How many parts are sent before the page asks for more.

    Examples
    --------
    >>> outbox = Outbox(lambda message, buffers: print(message, buffers), part_bytes=64)
    >>> outbox.send({"type": "reply", "view": "v", "id": 1}, None)
    {'type': 'reply', 'view': 'v', 'id': 1} None
    """

    def __init__(
        self, send: Send, part_bytes: int = PART_BYTES, at_a_time: int = AT_A_TIME
    ) -> None:
        self._send = send
        self._part_bytes = part_bytes
        self._at_a_time = at_a_time
        self._kept: OrderedDict[Key, _Parcel] = OrderedDict()
        self._lock = threading.Lock()

    def send(self, message: Mapping[str, Any], buffers: Sequence[Buffer] | None) -> None:
        """Send a message that answers a request, in parts where it is large.

        Raises
        ------
        ValueError, TypeError
            Where it has a field that JSON cannot say.
        """
        text = json.dumps(message)
        if len(text) + sum(map(_bytes, buffers or [])) <= self._part_bytes:
            self._send({**message}, list(buffers) if buffers else None)
            return
        key = (message["view"], message["id"])
        parcel = _parcel(message, buffers or [])
        with self._lock:
            self._kept[key] = parcel
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        # Over a slow connection the first part takes long; the page knows then what it waits for.
        view, request_id = key
        alive: messages.Alive = {
            "type": "alive",
            "view": view,
            "open": [request_id],
            "unread": [request_id],
        }
        self._send({**alive}, None)
        self._send_parts(key, parcel, range(min(self._at_a_time, self._parts(parcel))))

    def send_again(self, key: Key, parts: Any) -> None:
        """Send parts that the page asks for: the next ones, and those that were lost."""
        with self._lock:
            parcel = self._kept.get(key)
            if parcel is None:
                asked = []
            else:
                now = time.monotonic()
                parcel.asked = now
                asked = [
                    part
                    for part in numbers_of_parts(parts, self._parts(parcel))[: self._at_a_time]
                    if now - parcel.sent.get(part, -_AGAIN_AFTER_SECONDS) >= _AGAIN_AFTER_SECONDS
                ]
        if parcel is None:
            view, request_id = key
            failed: messages.Failed = {"message": "a part of the answer was lost: ask again."}
            self._send({**failed, "type": "error", "view": view, "id": request_id}, None)
        else:
            self._send_parts(key, parcel, asked)

    def drop(self, key: Key) -> None:
        """Forget a message: the page has it, or wants it no more."""
        with self._lock:
            self._kept.pop(key, None)

    def drop_where(self, unwanted: Callable[[Key], bool]) -> None:
        """Forget some messages, such as those to a view that is gone."""
        with self._lock:
            for key in [key for key in self._kept if unwanted(key)]:
                del self._kept[key]

    def waiting(self) -> list[Key]:
        """Return what is kept; a message that nobody has asked for in a while is not any more."""
        now = time.monotonic()
        with self._lock:
            for key, parcel in [*self._kept.items()]:
                if now - parcel.asked > _KEPT_SECONDS:
                    del self._kept[key]
            return list(self._kept)

    def _parts(self, parcel: _Parcel) -> int:
        return -(-parcel.size // self._part_bytes)

    def _send_parts(self, key: Key, parcel: _Parcel, parts: Sequence[int]) -> None:
        view, request_id = key
        size, count = parcel.size, self._parts(parcel)
        for part in parts:
            with self._lock:
                if self._kept.get(key) is not parcel:
                    return
                parcel.sent[part] = time.monotonic()
            start = part * self._part_bytes
            about: messages.Part = {
                "type": "part",
                "view": view,
                "id": request_id,
                "part": part,
                "parts": count,
                "at": start,
                "size": size,
                "text": parcel.text,
                "at_a_time": self._at_a_time,
            }
            cut = parcel.cut(start, min(start + self._part_bytes, size))
            self._send({**about}, list(cut))


def _parcel(message: Mapping[str, Any], buffers: Sequence[Buffer]) -> _Parcel:
    fields = {"fields": message, "sizes": [_bytes(buffer) for buffer in buffers]}
    text = json.dumps(fields, allow_nan=False).encode()
    pieces = []
    for whole in (text, *buffers):
        view = memoryview(whole).cast("B") if _bytes(whole) else memoryview(b"")
        pieces.append(view)
        # The page reads numbers in place, at multiples of their size.
        fill = b" " if whole is text else b"\0"
        pieces.append(memoryview(fill * (-len(view) % _ALIGNED)))
    return _Parcel([piece for piece in pieces if len(piece)], len(text))


def _bytes(buffer: Buffer) -> int:
    return buffer.nbytes if isinstance(buffer, memoryview) else len(buffer)


def numbers_of_parts(values: Any, below: int) -> list[int]:
    """Return those of the values that are numbers of parts, each once."""
    if not isinstance(values, list):
        return []
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    return [value for value in dict.fromkeys(numbers) if 0 <= value < below]
