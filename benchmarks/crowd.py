"""A crowd: 200 visitors of `clusterwidget serve` within a minute, and a real page among them.

``python -m benchmarks.crowd [adder.zarr]`` takes a saved exploration in place of one made anew.
Server, visitors and browser share this machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright
from websockets.asyncio.client import ClientConnection, connect

import clusterwidget as cw
from benchmarks.served import p50_p95
from benchmarks.timing import print_table
from clusterwidget.core.stages import SHOWN_KINDS
from tests.browser.chromium import find_chromium
from tests.browser.figure import Figure
from tests.browser.fixtures import QUIET

VISITORS = 200
WITHIN = 60.0
CLICKS = 10
SWAPPING = 20
EXAMPLES = 10_000
AT_ONCE = 1 << 20
"""Bytes of a stage matrix that a page asks for at once; of a larger one, the distances first."""
LONGEST = 180.0
"""Seconds after which a visitor has failed."""
STEPS = 5.0
"""Most seconds between two clicks."""

Times = dict[str, list[float]]


def main(store: Path | None = None) -> None:
    """Print what the visitors waited and what the server took."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _serving(store or _saved(Path(folder) / "adder.zarr")) as (address, process),
    ):
        idle, before = _pss(process), _cpu(process)
        peak = _Peak(process)
        times, failed, page = _visited(address)
        most, used = peak.end(), _cpu(process) - before
    rows = [
        [name, len(times[name]), *(f"{value:.0f} ms" for value in p50_p95(tuple(times[name])))]
        for name in sorted(times)
    ]
    load = f"load before: {LOAD_BEFORE[0]:.1f}"
    print_table(
        f"{VISITORS} visitors within {WITHIN:.0f} s, each clicks {CLICKS} times, "
        f"{SWAPPING} swap ({EXAMPLES:,} problems; {load})",
        ["", "times", "median", "95 of 100 within"],
        rows,
    )
    print_table(
        "The same, in a real page among them",
        ["", "times", "median", "95 of 100 within"],
        [
            [name, len(values), *(f"{value:.0f} ms" for value in p50_p95(tuple(values)))]
            for name, values in page.items()
        ],
    )
    print_table(
        "The server",
        ["MB before the first visitor (PSS)", "most MB", "seconds of CPU", "visitors that failed"],
        [[f"{idle:.0f}", f"{most:.0f}", f"{used:.0f}", len(failed)]],
    )
    for reason in failed[:5]:
        print(reason)


LOAD_BEFORE = os.getloadavg()


def _saved(path: Path) -> Path:
    explorer = cw.Explorer(cw.addition.load_model(), cw.addition.problems(EXAMPLES, seed=0))
    kinds = {row.kind for row in explorer.stage_set.rows}
    stages = explorer.stages(kinds=[kind for kind in SHOWN_KINDS if kind in kinds])
    explorer.parts_of(stages)
    explorer.save(path, stages)
    return path


@contextmanager
def _serving(store: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Start the command, and yield its address once it is ready."""
    command = [sys.executable, "-m", "clusterwidget.cli", "serve", str(store)]
    process = subprocess.Popen(
        [*command, "--model", "adder", "--load", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://(\S+)", line)
        assert found is not None, line
        while True:
            try:
                with urllib.request.urlopen(f"{found[0]}/ready"):
                    break
            except urllib.error.HTTPError as error:
                if b"failed" in error.read():
                    raise RuntimeError("the server could not get ready") from error
                time.sleep(0.2)
        yield found[1], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _pss(process: psutil.Process) -> float:
    tree = [process, *process.children(recursive=True)]
    return sum(float(each.memory_full_info().pss) for each in tree) / 1e6


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Peak:
    """Looks at the memory of a process and its children twice a second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._most = 0.0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self._most = max(self._most, _pss(self._process))

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self._most


def _visited(address: str) -> tuple[Times, list[str], Times]:
    """Return what the crowd waited, who failed, and what a page waited meanwhile."""
    times: Times = defaultdict(list)
    failed: list[str] = []
    crowd = threading.Thread(target=lambda: asyncio.run(_crowd(address, times, failed)))
    crowd.start()
    page = _page(address)
    crowd.join()
    return times, failed, page


async def _crowd(address: str, times: Times, failed: list[str]) -> None:
    rng = random.Random(0)
    starts = sorted(rng.uniform(0, WITHIN) for _ in range(VISITORS))
    swapping = {round(step * VISITORS / SWAPPING) for step in range(SWAPPING)}

    async def visit(number: int, start: float) -> None:
        await asyncio.sleep(start)
        try:
            visitor = Visitor(address, times, random.Random(number), number in swapping)
            await asyncio.wait_for(visitor.come(), LONGEST)
        except Exception as error:  # noqa: BLE001 - whatever it is, this visitor has failed
            failed.append(f"visitor {number}: {type(error).__name__}: {error}")

    await asyncio.gather(*(visit(number, start) for number, start in enumerate(starts)))


class Visitor:
    """Asks what a page asks, when it does."""

    def __init__(self, address: str, times: Times, rng: random.Random, swaps: bool) -> None:
        self._address = address
        self._times = times
        self._rng = rng
        self._swaps = swaps
        self._last = 0
        self._open: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._later: list[asyncio.Task[Any]] = []
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._socket: ClientConnection

    async def come(self) -> None:
        """Look at the page, click, and go."""
        started = time.perf_counter()
        host, _, port = self._address.partition(":")
        for path in ("/", "/served.js", "/widget.css", "/served.css"):
            await _get(host, int(port), path)
        url = f"ws://{self._address}/socket"
        async with connect(url, max_size=None, compression=None) as self._socket:
            reading = asyncio.create_task(self._read())
            try:
                await self._look(started)
                for click in range(CLICKS):
                    await asyncio.sleep(self._rng.uniform(0.5, STEPS))
                    await (self._click_stage() if click % 2 else self._click_example())
                    if self._swaps and click == CLICKS // 2:
                        await self._swap()
                await asyncio.gather(*self._later)
                followed = asyncio.gather(*self._followed.values(), return_exceptions=True)
                for error in await followed:
                    if isinstance(error, Exception):
                        raise error
            finally:
                reading.cancel()

    async def _look(self, started: float) -> None:
        hello = await self._ask("hello")
        self._n = hello["n"]
        self._stages = [
            (f"{_row(row)}@{position}", width)
            for row in hello["rows"]
            if row["kind"] in hello["default_kinds"]
            for position, width in zip(hello["positions"], row["widths"], strict=True)
            if width
        ]
        self._answers = [answer["name"] for answer in hello["answers"]]
        self._row = self._rng.randrange(self._n)
        self._stage, self._width = next(s for s in self._stages if s[0] == "L1.resid_post@=")
        await asyncio.gather(
            self._ask("tokens"),
            self._ask("labels"),
            self._picture(),
            self._ask("concepts", names=hello["axes"]["="]),
        )
        self._note("first picture", started)
        kinds = list(dict.fromkeys(row["kind"] for row in hello["rows"]))
        kinds = [kind for kind in kinds if kind in hello["default_kinds"]]
        self._soon(self._ask("atlas", kinds=kinds, first=1000, metric="l2"))
        await self._ask("partitions")
        await self._ask("prepare")
        self._soon(self._ask("atlas", kinds=kinds, first=None, metric="l2"))
        self._beside(stage_is_new=True)

    async def _picture(self) -> None:
        """Ask for what the grid needs; where it is not the matrix, that as well, for hovering."""
        fields: dict[str, Any] = {"stage": self._stage, "without": [], "metric": "l2"}
        if 4 * self._n * self._width > AT_ONCE:
            await self._ask("distances", row=self._row, **fields)
            self._soon(self._ask("matrix", **fields))
        else:
            await self._ask("matrix", **fields)

    async def _click_stage(self) -> None:
        self._stage, self._width = self._rng.choice(self._stages)
        started = time.perf_counter()
        await self._picture()
        self._note("click on a stage: its picture's data", started)
        self._beside(stage_is_new=True)

    async def _click_example(self) -> None:
        """Ask about another example, whose picture the page draws without asking."""
        self._row = self._rng.randrange(self._n)
        started = time.perf_counter()
        await self._ask("captions", row=self._row)
        self._note("click on an example: its captions", started)
        self._beside(stage_is_new=False)

    def _beside(self, *, stage_is_new: bool) -> None:
        """Ask what stands beside the grid; what was asked of another place is called off."""
        self._later_on("lens", 0.12, stage=self._stage, row=self._row, k=100, metric="l2")
        if stage_is_new:
            self._later_on("parts", 0.4, stage=self._stage, without=[], metric="l2")

    def _later_on(self, what: str, wait: float, **fields: Any) -> None:
        async def ask() -> None:
            await asyncio.sleep(wait)
            await self._ask(what, **fields)

        if (before := self._followed.get(what)) is not None:
            before.cancel()
        self._followed[what] = asyncio.create_task(ask())

    async def _swap(self) -> None:
        stages = [stage for stage, _ in self._stages if stage.endswith("@S3")]
        fields = {"receiver": self._row, "donor": self._rng.randrange(self._n), "free": False}
        started = time.perf_counter()
        await self._ask("swap", stage=self._rng.choice(stages[:-1]), **fields)
        self._note("swap", started)

    def _note(self, name: str, started: float) -> None:
        self._times[name].append(1000 * (time.perf_counter() - started))

    def _soon(self, asking: Any) -> None:
        self._later.append(asyncio.create_task(asking))

    async def _ask(self, what: str, **fields: Any) -> dict[str, Any]:
        self._last += 1
        message = {"type": "request", "id": self._last, "what": what, **fields}
        answered = self._open[self._last] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message))
        try:
            found: dict[str, Any] = await answered
        except asyncio.CancelledError:
            self._open.pop(message["id"], None)
            await self._socket.send(json.dumps({"type": "cancel", "id": message["id"]}))
            raise
        return found

    async def _read(self) -> None:
        while True:
            message = json.loads(await self._socket.recv())
            left = sum(message.get("sizes", []))
            while left:
                left -= len(await self._socket.recv())
            answered = self._open.get(message.get("id", 0))
            if answered is None or message["type"] not in ("reply", "error") or answered.done():
                continue
            del self._open[message["id"]]
            if message["type"] == "reply":
                answered.set_result(message)
            else:
                answered.set_exception(RuntimeError(message["message"]))


def _row(row: dict[str, Any]) -> str:
    layer = "" if row["layer"] is None else f"L{row['layer']}"
    head = "" if row["head"] is None else f"H{row['head']}"
    return f"{layer}{head}.{row['kind']}" if layer else row["kind"]


async def _get(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
    )
    found = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert found.startswith(b"HTTP/1.1 200"), found[:100]
    return found


def _page(address: str) -> Times:
    """Open a page in the middle of the crowd's arrival, and click in it."""
    times: Times = defaultdict(list)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        time.sleep(WITHIN / 3)
        started = time.perf_counter()
        page.goto(f"http://{address}/", wait_until="commit")
        figure = Figure(page)
        figure.wait_for_picture()
        times["first picture, painted"].append(1000 * (time.perf_counter() - started))
        page.evaluate(
            "window.painted = [];"
            "addEventListener('clusterwidget:painted', e => painted.push(e.detail.ms), true)"
        )
        time.sleep(2)
        stages = ["L1H0.result@S3", "L0.attn_out@=", "L1.mlp_out@S2", "L0H2.result@=", "embed@L3"]
        for click in range(CLICKS):
            if click % 2:
                figure.choose_stage(stages[click // 2])
                name = "click on a stage, painted"
            else:
                # Where a new arrangement has come meanwhile, it is another example's cell.
                x, y = figure.middle(100 + click)
                with figure.repaint():
                    figure.grid.click(position={"x": x, "y": y})
                name = "click on an example, painted"
            times[name].append(page.evaluate("painted.at(-1)"))
            time.sleep(2)
        browser.close()
    return times


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else None)
