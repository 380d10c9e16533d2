"""A real server on loopback, and visitors who say what they like."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

import clusterwidget as cw
from clusterwidget.publish.server.limits import Limits
from clusterwidget.publish.server.origins import Origins
from clusterwidget.publish.server.run import listening, prepared


@contextmanager
def running(
    explorer: cw.Explorer, limits: Limits | None = None, origins: Origins | None = None
) -> Iterator[str]:
    """Serve an exploration, and yield where: ``127.0.0.1:PORT``."""
    server = prepared(explorer, "<b>title</b>", origins or Origins("127.0.0.1"), limits or Limits())
    bound = listening("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server ended at once"
        time.sleep(0.01)
    try:
        yield f"127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server does not stop"


@dataclass
class Visit:
    """A visitor's connection."""

    socket: ClientConnection
    changed: int = 0
    progress: list[str] = field(default_factory=list)
    _last: int = 0
    _arrived: dict[int, tuple[dict[str, Any], list[bytes]]] = field(default_factory=dict)

    def send(self, what: str, **fields: Any) -> int:
        """Ask something; return the number of the request."""
        self._last += 1
        message = {"type": "request", "id": self._last, "what": what, **fields}
        self.socket.send(json.dumps(message))
        return self._last

    def cancel(self, number: int) -> None:
        self.socket.send(json.dumps({"type": "cancel", "id": number}))

    def receive(self, number: int, timeout: float = 60) -> tuple[dict[str, Any], list[bytes]]:
        """Return what came of a request, and its buffers."""
        until = time.monotonic() + timeout
        while number not in self._arrived:
            self._take(until - time.monotonic())
        return self._arrived.pop(number)

    def ask(self, what: str, **fields: Any) -> tuple[dict[str, Any], list[bytes]]:
        """Ask something, and return its reply; raise where it is none."""
        message, buffers = self.receive(self.send(what, **fields))
        assert message["type"] == "reply", message
        return message, buffers

    def refused(self, what: str, **fields: Any) -> str:
        """Ask something, and return the error in words."""
        message, _ = self.receive(self.send(what, **fields))
        assert message["type"] == "error", message
        return str(message["message"])

    def _take(self, timeout: float) -> None:
        message = json.loads(self.socket.recv(timeout=timeout))
        if message["type"] == "changed":
            self.changed += 1
        elif message["type"] == "progress":
            self.progress.append(message["text"])
        elif message["type"] != "alive":
            buffers = []
            for size in message.get("sizes", []):
                buffer = b""
                while len(buffer) < size:
                    piece = self.socket.recv(timeout=timeout)
                    assert isinstance(piece, bytes)
                    assert len(piece) <= 64 << 10
                    buffer += piece
                assert len(buffer) == size
                buffers.append(buffer)
            self._arrived[message["id"]] = message, buffers


@contextmanager
def visiting(address: str, **options: Any) -> Iterator[Visit]:
    """Yield a visitor's connection."""
    options = {"max_size": None, "compression": None, **options}
    with connect(f"ws://{address}/socket", **options) as socket:
        yield Visit(socket)
