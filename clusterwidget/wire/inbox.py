"""Large requests, put together from their parts.

The page sends a large request as parts of JSON, in ASCII so that it can be cut anywhere. Of each
part it is told that it has come; it sends a part again of which it hears nothing.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from clusterwidget.wire import messages
from clusterwidget.wire.parts import Key, Send, numbers_of_parts

_MOST_REQUEST_PARTS = 64
_MOST_REQUEST_CHARACTERS = 16 << 20
_MOST_COMING = 4
_REMEMBERED = 64


class Inbox:
    """Puts large requests together from their parts, in bounded memory.

    Parameters
    ----------
    send : function of a message and its buffers

    Examples
    --------
    >>> inbox = Inbox(lambda message, _: print(message["type"], message["part"]))
    >>> part = {"type": "part", "view": "v", "id": 1, "parts": 2}
    >>> inbox.take({**part, "part": 1, "text": '"hello"}'})
    got 1
    >>> inbox.take({**part, "part": 0, "text": '{"what": '})
    got 0
    {'what': 'hello', 'view': 'v', 'id': 1}
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._coming: OrderedDict[Key, dict[int, str]] = OrderedDict()
        self._done: OrderedDict[Key, None] = OrderedDict()

    def take(self, content: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take a part; return the request if it was the last one missing.

        What is no part, or too large, is answered with an error in words.
        """
        key = content["view"], content["id"]
        try:
            return self._take(key, content)
        except (ValueError, RecursionError) as error:
            self._coming.pop(key, None)
            self._finish(key)
            failed: messages.Failed = {"message": str(error)}
            self._send({**failed, "type": "error", "view": key[0], "id": key[1]}, None)
            return None

    def drop(self, key: Key) -> None:
        """Forget the parts of a request that is called off."""
        self._coming.pop(key, None)

    def _take(self, key: Key, content: Mapping[str, Any]) -> dict[str, Any] | None:
        part, parts, text = content.get("part"), content.get("parts"), content.get("text")
        if (
            not isinstance(part, int)
            or not isinstance(parts, int)
            or not isinstance(text, str)
            or numbers_of_parts([part], parts) != [part]
        ):
            raise ValueError("a part of the page's request is damaged: ask again.")
        view, request_id = key
        got: messages.Got = {"type": "got", "view": view, "id": request_id, "part": part}
        if key in self._done:
            self._send({**got}, None)
            return None
        coming = self._coming.setdefault(key, {})
        coming[part] = text
        characters = sum(map(len, coming.values()))
        if parts > _MOST_REQUEST_PARTS or characters > _MOST_REQUEST_CHARACTERS:
            raise ValueError(
                f"the page's request is larger than {_MOST_REQUEST_CHARACTERS >> 20} MB: "
                "ask for less."
            )
        if len(self._coming) > _MOST_COMING:
            self._coming.popitem(last=False)
        self._send({**got}, None)
        if len(coming) < parts:
            return None
        del self._coming[key]
        self._finish(key)
        request = json.loads("".join(coming[part] for part in sorted(coming)))
        if not isinstance(request, dict):
            raise ValueError("the page's request is damaged: ask again.")
        return {**request, "view": view, "id": request_id}

    def _finish(self, key: Key) -> None:
        """Remember that a request is done: parts of it that come late are none of a new one."""
        self._done[key] = None
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
