"""App: the page, its WebSocket, and whether the server is well; nothing else can be reached."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from clusterwidget.publish.server.answers import Answers
from clusterwidget.publish.server.desk import Desk
from clusterwidget.publish.server.limits import Limits
from clusterwidget.publish.server.origins import Origins
from clusterwidget.publish.server.visitor import FULL, LEAVING, Visitor

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send
    from starlette.websockets import WebSocket

log = logging.getLogger(__name__)

_STATIC = Path(__file__).parents[2] / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
"""Nothing but this server's script and style, and no connection but to this server."""


class Served:
    """The page of an exploration, for many visitors at once.

    Parameters
    ----------
    page : str
        The page's HTML.
    answers : Answers
    limits : Limits
    origins : Origins
    get_ready : function
        Called on a thread once the server listens: what every visitor asks is worked out. The
        server is ready when it has returned.
    """

    def __init__(
        self,
        page: str,
        answers: Answers,
        limits: Limits,
        origins: Origins,
        get_ready: Callable[[], None],
    ) -> None:
        self._page = page
        self._limits = limits
        self._origins = origins
        self._get_ready = get_ready
        self._ready = False
        self._failed = False
        self._desk = Desk(answers)
        self._visitors: set[Visitor] = set()
        self._files = {
            name: (_STATIC / name).read_bytes()
            for name in ("served.js", "widget.css", "served.css")
        }

    @cached_property
    def app(self) -> ASGIApp:
        """What uvicorn runs."""
        routes = [
            Route("/", self._show_page),
            *(Route(f"/{name}", self._file(name)) for name in self._files),
            Route("/health", self._health),
            Route("/ready", self._readiness),
            WebSocketRoute("/socket", self._visit),
        ]
        return self._guarded(Starlette(routes=routes, lifespan=self._lifespan))

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._desk.start()
        threading.Thread(target=self._prepare, name="clusterwidget start", daemon=True).start()
        yield
        self._desk.stop()

    def stop(self) -> None:
        """Tell the visitors that the server stops; they come back to the next one."""
        for visitor in [*self._visitors]:
            visitor.close(LEAVING, "the server stops")

    def _prepare(self) -> None:
        try:
            self._get_ready()
            self._ready = True
        except Exception:
            self._failed = True
            log.exception("the server could not get ready")

    def _guarded(self, app: ASGIApp) -> ASGIApp:
        """Let pass what is asked of a host that is this server; health is asked of any."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan" or scope["path"] in ("/health", "/ready"):
                await app(scope, receive, send)
                return
            headers = dict(scope["headers"])
            host = _text(headers.get(b"host"))
            refusal = None
            if not self._origins.allows_host(host):
                refusal = (
                    "This server does not answer to this name. Whoever runs it can allow it: "
                    "clusterwidget serve --origin https://NAME"
                )
            elif scope["type"] == "websocket" and not self._origins.allows_origin(
                _text(headers.get(b"origin")), host
            ):
                refusal = "Pages of this origin may not use this server."
            if refusal is None:
                await app(scope, receive, send)
            else:
                await PlainTextResponse(refusal, 403)(scope, receive, send)

        return guarded

    async def _show_page(self, _: Request) -> Response:
        return Response(
            self._page, media_type="text/html", headers={**_HEADERS, "cache-control": "no-cache"}
        )

    def _file(self, name: str) -> Callable[[Request], Response]:
        content = self._files[name]
        media = _TYPES[Path(name).suffix]

        def file(_: Request) -> Response:
            headers: Mapping[str, str] = {**_HEADERS, "cache-control": "max-age=300"}
            return Response(content, media_type=media, headers=headers)

        return file

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "alive", "visitors": len(self._visitors)})

    async def _readiness(self, _: Request) -> Response:
        status = "ready" if self._ready else "failed" if self._failed else "getting ready"
        return JSONResponse({"status": status}, 200 if self._ready else 503)

    async def _visit(self, socket: WebSocket) -> None:
        await socket.accept()
        if len(self._visitors) >= self._limits.visitors:
            await socket.close(FULL, "the server has as many visitors as it may have")
            return
        visitor = Visitor(socket, self._desk, self._limits)
        self._visitors.add(visitor)
        try:
            await visitor.stay()
        finally:
            self._visitors.discard(visitor)
            self._desk.leave(visitor)


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
