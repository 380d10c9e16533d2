"""Many visitors of a Voila server with the settings of `deploy/voila`: waiting time, and memory.

A visitor fetches the page, connects to the kernel that it names, and asks what a page asks: for the
first picture, and then for what comes after each click. What a browser does with the answers takes
a visitor's own machine; `page` measures it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import statistics
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from playwright.sync_api import sync_playwright
from websockets.asyncio.client import ClientConnection, connect

import clusterwidget as cw
from benchmarks.timing import percentile, print_table
from clusterwidget.core.stages import SHOWN_KINDS
from clusterwidget.worked import FOLDER, save_demo
from tests.browser.chromium import find_chromium
from tests.browser.fixtures import QUIET
from tests.browser.servers import PUBLISHED, Server, start_published

VISITORS = 20
WITHIN = 60.0
"""Seconds in which they come, evenly."""
CLICKS = 10
THINK = 6.0
"""Seconds between two clicks of a visitor: at the end all are there at once."""
PROTOCOL = "v1.kernel.websocket.jupyter.org"
"""The one that pages speak."""
LIMIT = 60.0
"""Seconds after which an answer has failed to come."""

_MB = 1 << 20


def main() -> None:
    """Let one visitor come, with a browser, and then many."""
    with _served() as server:
        first = _pictures(server)
        alone = _visitor_memory(server)
        visits, most = asyncio.run(_crowd(server))
        failed = [visit for visit in visits if visit.failed]
        clicks = [taken for visit in visits for taken in visit.clicks]
        starts = [visit.first for visit in visits if visit.first is not None]
        left = _seconds_until_gone(server)
    print_table(
        f"Voila, {VISITORS} visitors within {WITHIN:.0f} s, each clicks {CLICKS} times "
        f"({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f})",
        ["what", "found"],
        [
            ["first picture in a browser, preheated kernel (median of 3)", f"{first:.1f} s"],
            ["memory of a visitor's kernel after 10 clicks (PSS)", f"{alone:.0f} MB"],
            ["visitors that something failed for", f"{len(failed)}"],
            ["all that the first picture needs, p50 and p95", _p50_p95(starts)],
            ["what a click needs, p50 and p95", _p50_p95(clicks)],
            ["most memory, server and kernels (PSS)", f"{most / 1000:.2f} GB"],
            ["kernels gone after the last page was closed", f"{left:.0f} s"],
        ],
    )
    for visit in failed:
        print(visit.failed)


@dataclass
class _Visit:
    first: float | None = None
    clicks: list[float] = field(default_factory=list)
    failed: str = ""


@contextmanager
def _served() -> Iterator[Server]:
    """Serve the worked example, as it is published."""
    folder = Path(tempfile.mkdtemp(prefix="visitors-"))
    try:
        os.environ.setdefault(FOLDER, str(folder / "cache"))
        save_demo()
        root = folder / "published"
        root.mkdir()
        shutil.copy(PUBLISHED / "adder.ipynb", root)
        server = start_published(root, folder / "home", "adder.ipynb")
        try:
            server.wait("/voila/static/voila.js")
            _settle(server)
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settle(server: Server, seconds: float = 120) -> None:
    """Wait until the kernels that wait for visitors have drawn their page."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = _busy(server)
        time.sleep(2)
        if _busy(server) - before < 0.2:
            return


def _busy(server: Server) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in _processes(server))


def _processes(server: Server) -> list[psutil.Process]:
    root = psutil.Process(server.process.pid)
    return [root, *root.children(recursive=True)]


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / _MB
    except psutil.NoSuchProcess:
        return 0.0


def _pictures(server: Server) -> float:
    """Return how long a browser takes from the address to the picture."""
    taken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        for _ in range(4):
            page = context.new_page()
            start = time.perf_counter()
            page.goto(server.url, wait_until="commit")
            page.wait_for_selector(".clusterwidget[data-painted-revision]", timeout=120_000)
            taken.append(time.perf_counter() - start)
            page.close()
            _settle(server)
        browser.close()
    # The first one filled the browser's cache.
    return statistics.median(taken[1:])


def _visitor_memory(server: Server) -> float:
    visitor = _Visitor(server, 0)
    asyncio.run(visitor.visit())
    if visitor.met.failed:
        raise RuntimeError(visitor.met.failed)
    process = next(
        each for each in _processes(server) if visitor.kernel in " ".join(each.cmdline())
    )
    return _pss(process)


async def _crowd(server: Server) -> tuple[list[_Visit], float]:
    """Return what visitors met, and the most memory that all processes took together."""
    over = asyncio.Event()

    async def watch() -> float:
        most = 0.0
        while not over.is_set():
            most = max(most, await asyncio.to_thread(lambda: sum(map(_pss, _processes(server)))))
            await asyncio.sleep(2)
        return most

    watching = asyncio.create_task(watch())
    visitors = [_Visitor(server, at) for at in range(VISITORS)]
    await asyncio.gather(
        *(visitor.visit(after=WITHIN * at / VISITORS) for at, visitor in enumerate(visitors))
    )
    over.set()
    return [visitor.met for visitor in visitors], await watching


def _seconds_until_gone(server: Server) -> float:
    start, waiting = time.monotonic(), json.loads((PUBLISHED / "voila.json").read_text())
    pool = waiting["VoilaConfiguration"]["default_pool_size"]
    while len(_processes(server)) > 1 + pool and time.monotonic() - start < 120:
        time.sleep(0.5)
    return time.monotonic() - start


class _Visitor:
    """Speaks to a kernel as the page does, over the page's websocket."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server, self._seed = server, seed
        self._id = 0
        self._session = uuid.uuid4().hex
        self.kernel = ""
        self.met = _Visit()

    async def visit(self, after: float = 0) -> None:
        """Come, look, click, and go."""
        await asyncio.sleep(after)
        try:
            await self._visit()
        except Exception as error:  # noqa: BLE001 - whatever a visitor meets is told
            self.met.failed = f"visitor {self._seed}: {type(error).__name__}: {error}"

    async def _visit(self) -> None:
        start = time.perf_counter()
        html = await asyncio.to_thread(self._page)
        self.kernel = _found(r'"kernelId": "([0-9a-f-]{36})"', html)
        self._model = _found(r'"model_id": "([0-9a-f]{32})"', html)
        url = self._server.url.replace("http", "ws")
        address = f"{url}/api/kernels/{self.kernel}/channels?session_id={self._session}"
        # What comes between two questions waits: it must not keep pings from being heard.
        options: dict[str, Any] = {"max_size": None, "max_queue": None, "ping_interval": None}
        options |= {"subprotocols": [PROTOCOL]}
        async with connect(address, open_timeout=LIMIT, **options) as socket:
            hello = await self._ask(socket, "hello")
            rows, positions = hello["rows"], hello["positions"]
            shown = [
                str(cw.Stage(row["kind"], row["layer"], row["head"], position))
                for row in rows
                if row["kind"] in SHOWN_KINDS
                for position in positions
            ]
            await self._ask(socket, "labels")
            await self._ask(socket, "tokens")
            await self._look(socket, "L1.resid_post@S3")
            self.met.first = time.perf_counter() - start
            await self._ask(socket, "partitions")
            await self._ask(socket, "atlas", kinds=list(SHOWN_KINDS), first=None, metric="l2")
            await self._ask(socket, "prepare")
            for click in range(CLICKS):
                await asyncio.sleep(THINK)
                start = time.perf_counter()
                at = (self._seed * 37 + click * 101) % len(shown)
                await self._look(socket, shown[at])
                self.met.clicks.append(time.perf_counter() - start)
                await self._ask(socket, "lens", stage=shown[at], row=click, k=100, metric="l2")
                await self._ask(socket, "captions", row=click)

    async def _look(self, socket: ClientConnection, stage: str) -> None:
        await self._ask(socket, "matrix", stage=stage, without=[], metric="l2")

    def _page(self) -> str:
        with urllib.request.urlopen(self._server.url, timeout=LIMIT) as answer:
            return str(answer.read().decode())

    async def _ask(self, socket: ClientConnection, what: str, **fields: Any) -> dict[str, Any]:
        """Return the fields of an answer; raise where it is an error or does not come."""
        self._id += 1
        wanted = self._id
        request = {"type": "request", "view": "v", "id": wanted, "what": what, **fields}
        await socket.send(self._message(request))
        return await asyncio.wait_for(self._answer(socket, wanted, what), LIMIT)

    async def _answer(self, socket: ClientConnection, wanted: int, what: str) -> dict[str, Any]:
        while True:
            content = _custom(await socket.recv())
            if content is None or content.get("id") != wanted:
                continue
            if content["type"] == "reply":
                return content
            if content["type"] in ("error", "cancelled"):
                raise RuntimeError(f"{what}: {content.get('message')}")

    def _message(self, content: dict[str, Any]) -> bytes:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "comm_msg",
            "username": "",
            "session": self._session,
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }
        data = {"method": "custom", "content": content}
        parts: tuple[dict[str, Any], ...] = (header, {}, {}, {"comm_id": self._model, "data": data})
        packed = [json.dumps(part).encode() for part in parts]
        return bytes(serialize_msg_to_ws_v1(packed, "shell"))  # type: ignore[no-untyped-call]


def _custom(raw: str | bytes) -> dict[str, Any] | None:
    """Return what the widget sent; None for other messages."""
    if isinstance(raw, str):
        return None
    _, parts = deserialize_msg_from_ws_v1(raw)  # type: ignore[no-untyped-call]
    header, content = parts[0], parts[3]
    if json.loads(header)["msg_type"] != "comm_msg":
        return None
    data = json.loads(content)["data"]
    found = data.get("content") if data.get("method") == "custom" else None
    return found if isinstance(found, dict) else None


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"the page has no {pattern}: … {text[-600:]}")
    return found[1]


def _p50_p95(values: list[float]) -> str:
    if not values:
        return "none came"
    p95 = percentile(tuple(values), 0.95)
    return f"{statistics.median(values):.2f} s, {p95:.2f} s"


if __name__ == "__main__":
    main()
