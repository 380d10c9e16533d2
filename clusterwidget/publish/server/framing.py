"""Framing: messages as they travel over a WebSocket.

A visitor sends JSON texts, a request each: what a notebook's page sends to its kernel, without
the view, for a connection is one. An answer is a JSON text as well; its arrays follow as binary
messages of bounded size, one run of bytes whose ``sizes`` the text tells.
`js/src/source/socket/socket.ts` is the page's side.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clusterwidget.wire.binary import Buffer

PIECE_BYTES = 64 << 10
"""Of the arrays: what is under way to one visitor at a time. All else is shared."""
_MOST_ID = 1 << 53
_MOST_TEXT = 1000
_MOST_LISTED = 100


class BadMessage(ValueError):  # noqa: N818 - it is the message that is bad
    """What was sent is no message of a page."""


@dataclass(frozen=True)
class Request:
    """A message from a page.

    Attributes
    ----------
    kind : str
        ``"request"`` or ``"cancel"``.
    id : int
        The page's number of the request.
    fields : dict
        What it asks for, ``what``, and with what; empty where it cancels.
    """

    kind: str
    id: int
    fields: dict[str, Any]


def read_message(text: str) -> Request:
    """Return the request that a text is.

    Lengths are bounded here; `wire.messages` checks what each request consists of.

    Raises
    ------
    BadMessage
        For what no page sends.

    Examples
    --------
    >>> read_message('{"type": "request", "id": 3, "what": "hello"}').fields
    {'what': 'hello'}
    >>> read_message("{")
    Traceback (most recent call last):
    ...
    clusterwidget.publish.server.framing.BadMessage: what was sent is not JSON.
    """
    try:
        content = json.loads(text, parse_constant=_refuse, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise BadMessage("what was sent is not JSON.") from error
    if not isinstance(content, dict):
        raise BadMessage("a message is an object.")
    kind, number = content.pop("type", None), content.pop("id", None)
    if kind not in ("request", "cancel"):
        raise BadMessage("a message is a request, or calls one off.")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < _MOST_ID:
        raise BadMessage("a message has an id, a whole number.")
    if kind == "cancel":
        return Request("cancel", number, {})
    if not all(map(_is_bounded, content.values())):
        raise BadMessage("a request has a field that is too long.")
    return Request("request", number, content)


def _is_bounded(value: Any) -> bool:
    """Whether a field is a short text, a number, nothing, or a short list of different texts."""
    if isinstance(value, list):
        texts = all(isinstance(item, str) and len(item) <= _MOST_TEXT for item in value)
        return texts and len(value) <= _MOST_LISTED and len(set(value)) == len(value)
    if isinstance(value, str):
        return len(value) <= _MOST_TEXT
    return not isinstance(value, dict)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON.")


def _whole(digits: str) -> int:
    if len(digits) > 17:
        raise ValueError("a whole number is too large.")
    return int(digits)


@dataclass(frozen=True)
class Answer:
    """An answer, encoded once for all who ask the same.

    Attributes
    ----------
    fields : str
        The members of a JSON object, without its braces.
    buffers : tuple of buffers
    size : int
        Bytes of it all.
    """

    fields: str
    buffers: tuple[memoryview, ...]
    size: int

    @classmethod
    def of(cls, fields: Mapping[str, Any], buffers: Sequence[Buffer]) -> Answer:
        """Encode the fields and buffers of a reply.

        Examples
        --------
        >>> Answer.of({"d": 2}, [b"12345678"]).fields
        '"d": 2, "sizes": [8]'
        """
        views = tuple(memoryview(buffer) for buffer in buffers)
        sizes = [view.nbytes for view in views]
        text = json.dumps({**fields, "sizes": sizes}, allow_nan=False)[1:-1]
        return cls(text, views, len(text) + sum(sizes))

    def head(self, number: int) -> str:
        """Return the text of the reply to a request.

        Examples
        --------
        >>> Answer.of({"d": 2}, []).head(7)
        '{"type": "reply", "id": 7, "d": 2, "sizes": []}'
        """
        return f'{{"type": "reply", "id": {number}, {self.fields}}}'

    def pieces(self) -> Iterator[memoryview]:
        """Yield the bytes of the buffers, one after another, in pieces of bounded size.

        Examples
        --------
        >>> [len(piece) for piece in Answer.of({}, [bytes(70_000), b"", bytes(8)]).pieces()]
        [65536, 4464, 8]
        """
        for view in self.buffers:
            for start in range(0, view.nbytes, PIECE_BYTES):
                yield view[start : start + PIECE_BYTES]
