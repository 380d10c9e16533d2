"""Real pages of a real server: what they show, what each visitor sees, and the server's end."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

import clusterwidget as cw
from tests.browser.figure import Figure, assert_order_of_brightness
from tests.browser.fixtures import OpenPage
from tests.browser.servers import free_port

N = 400
STAGE = "L1H0.result@S3"


@dataclass
class Served:
    """The command, at work."""

    explorer: cw.Explorer
    store: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.process = start(self.store, self.port)

    def stop(self, number: int) -> str:
        """Send a signal, and return what the command has written after its first line."""
        self.process.send_signal(number)
        written, _ = self.process.communicate(timeout=30)
        return written


def start(store: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "clusterwidget.cli", "serve", str(store)]
    process = subprocess.Popen(
        [*command, "--model", "adder", "--load", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(rf"{N} examples at http://127\.0\.0\.1:{port} .*\n", line), line
    return process


def wait_until_ready(served: Served) -> None:
    """Wait until the model is there, which takes long where the machine is busy."""
    until = time.monotonic() + 200
    status = 0
    while status != 200:
        assert time.monotonic() < until, "the server is not ready"
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        connection.request("GET", "/ready")
        status = connection.getresponse().status
        connection.close()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store = tmp_path_factory.mktemp("served") / "adder.zarr"
    explorer = cw.Explorer(cw.addition.load_model("cpu"), cw.addition.problems(N, seed=0))
    explorer.save(store, explorer.stages(kinds=["resid_post", "result"]))
    port = free_port()
    found = Served(explorer, store, port, start(store, port))
    wait_until_ready(found)
    yield found
    found.process.kill()
    found.process.communicate()


def test_visitors_click_type_and_swap_each_for_themselves(
    served: Served, open_page: OpenPage
) -> None:
    mine, theirs = Figure(open_page(served.url)), Figure(open_page(served.url, width=700))
    for figure in (mine, theirs):
        figure.wait_for_picture()
    mine.choose_stage(STAGE)
    mine.click_cell(42)
    assert_order_of_brightness(mine.luminance(N), served.explorer.distances(STAGE, 42))
    mine.leave_grid()
    nearest = served.explorer.neighbors(STAGE, 42, 5)["example"].tolist()
    expect(mine.part("neighbors").locator("[data-example]").first).to_be_visible()
    assert mine.neighbors()[:5] == nearest

    with mine.repaint(selected=N):
        mine.type_example("1234+5678")
    expect(mine.part("spoken")).to_contain_text("1234+5678=06912")
    expect(mine.root).to_contain_text(f"{N + 1} examples")
    expect(theirs.root).to_contain_text(f"{N} examples")
    # What the server knows of it is in its visitor's page only.
    theirs.page.reload()
    theirs.wait_for_picture()
    expect(theirs.root).to_contain_text(f"{N} examples")

    x, y = mine.middle(7)
    mine.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    answered = f"[data-role=swap][data-at='{STAGE}'][data-donor='7']:not([data-stale])"
    mine.root.locator(answered).wait_for(timeout=120_000)
    served.explorer.add("1234+5678")
    expected = served.explorer.swap(STAGE, N, 7).table
    shown = mine.part("swap-answers").locator("[data-answer] b").all_inner_texts()
    assert shown == expected["after"].tolist()


def test_a_page_says_that_the_server_is_gone_and_comes_back_to_it(
    served: Served, open_page: OpenPage
) -> None:
    figure = Figure(open_page(served.url))
    figure.wait_for_picture()
    with figure.repaint(selected=N):
        figure.type_example("4321+1111")
    served.stop(signal.SIGKILL)
    expect(figure.part("gone")).to_have_text("The server cannot be reached. Trying again…")
    # What is here goes on.
    figure.click_cell(5)
    served.start()
    expect(figure.part("gone")).to_have_count(0, timeout=200_000)
    expect(figure.root).to_contain_text(f"{N + 1} examples")
    with figure.repaint(selected=N):
        figure.type_example("4321+1111")


def test_interrupting_stops_the_command_and_the_page_says_so(
    served: Served, open_page: OpenPage
) -> None:
    figure = Figure(open_page(served.url))
    figure.wait_for_picture()
    written = served.stop(signal.SIGINT)
    assert served.process.returncode == 0
    assert "Traceback" not in written
    expect(figure.part("gone")).to_be_visible()
    served.start()
    expect(figure.part("gone")).to_have_count(0, timeout=60_000)
