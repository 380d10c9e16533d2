"""Voila with the settings of `deploy/voila`: the page, and nothing else, for as long as it is open.

Its notebook opens a saved exploration with a function that loads the model.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

import clusterwidget as cw
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import PUBLISHED, Server, start_published

NOTEBOOK = """
import clusterwidget as cw

def load():
    # Long enough to be seen.
    import time
    time.sleep(2)
    return cw.addition.load_model("cpu")

cw.ClusterWidget(cw.open("adder.zarr", model=load, parse=cw.addition.parse, keep=False))
"""
MOST_MB = 150
GONE_AFTER = 8.0
"""Less, and on a busy machine a page that connects anew finds its kernel gone."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("published")
    explorer = cw.Explorer(cw.addition.load_model("cpu"), cw.addition.problems(2000, seed=0))
    stages = explorer.stages(kinds=["result", "resid_post"], layers=1)
    explorer.atlas(stages)
    explorer.save(root / "adder.zarr", stages)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    book.metadata = {"kernelspec": {"display_name": "", "language": "python", "name": "python3"}}
    nbformat.write(book, root / "page.ipynb")
    (root / "secret.txt").write_text("secret")
    (root / "secret.png").write_text("secret")
    server = start_published(
        root,
        tmp_path_factory.mktemp("published-home"),
        "page.ipynb",
        VoilaConfiguration={"default_pool_size": 1},
        VisitorKernels={"abandoned_after": GONE_AFTER, "cull_interval": 1, "most_kernels": 4},
    )
    server.wait("/voila/static/voila.js")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def page(server: Server, open_module_page: OpenPage) -> Page:
    page = open_module_page(server.url)
    Figure(page).wait_for_picture(seconds=120)
    return page


def kernels(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children()


def kernel_of(server: Server, page: Page) -> psutil.Process:
    """Return the process of the kernel that a page is connected to."""
    kernel_id = kernel_id_of(page.content())
    return next(each for each in kernels(server) if kernel_id in " ".join(each.cmdline()))


def kernel_id_of(html: str) -> str:
    found = re.search(r'"kernelId": "([0-9a-f-]{36})"', html)
    assert found
    return found[1]


def maps(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/maps").read_text()


def mapped_by_torch(process: psutil.Process) -> bool:
    return "libtorch" in maps(process)


def wait_until(what: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def asked(server: Server, path: str, method: str = "GET") -> tuple[int, bytes]:
    request = urllib.request.Request(f"{server.url}/{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells the memory")
def test_a_visitor_costs_little_and_needs_no_torch(server: Server, page: Page) -> None:
    page.wait_for_timeout(1000)
    kernel = kernel_of(server, page)
    assert not mapped_by_torch(kernel)
    assert "adder.zarr/stages" in maps(kernel)
    assert kernel.memory_full_info().pss < MOST_MB << 20


def test_the_model_is_loaded_when_it_is_asked_for_and_the_page_says_so(
    server: Server, page: Page
) -> None:
    lens = page.locator("[data-role=lens]")
    lens.locator("[data-role=load-model]").click()
    expect(lens.locator("[data-role=loading-model]")).to_contain_text("loading the model")
    expect(lens.locator("li").first).to_be_visible(timeout=60_000)
    assert mapped_by_torch(kernel_of(server, page))


@pytest.mark.parametrize(
    "path",
    [
        *("page.ipynb", "voila/files/page.ipynb", "voila/files/voila.json", "secret.txt"),
        *("voila/files/secret.txt", "voila/files/secret.png", "voila/files/adder.zarr/.zattrs"),
        *("voila/files/..%2f..%2fetc/passwd", "voila/static/..%2f..%2f..%2fetc/passwd"),
        *("voila/templates/..%2f..%2fetc/passwd", "voila/labextensions/..%2f..%2fetc/passwd"),
        *("tree", "lab", "voila/tree", "voila/render/page.ipynb", "voila/api/contents/"),
        *(
            "api/contents",
            "api/contents/page.ipynb",
            "api/kernels",
            "api/sessions",
            "api/terminals",
        ),
        *("api/kernelspecs", "api/config/notebook", "terminals/1", "terminals/websocket/1"),
        *("files/page.ipynb", "nbconvert/html/page.ipynb", "metrics", "api/shutdown"),
    ],
)
def test_nothing_but_the_page_is_there(server: Server, path: str) -> None:
    before = {each.pid for each in kernels(server)}
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, body = asked(server, path, method)
        assert status in (400, 403, 404, 405, 500), (method, status)
        assert b"secret" not in body
        assert b"root:" not in body
        assert b"import clusterwidget" not in body
    assert {each.pid for each in kernels(server)} <= before


def connection(server: Server, kernel_id: str, **options: Any) -> ClientConnection:
    url = server.url.replace("http", "ws")
    found: ClientConnection = connect(
        f"{url}/api/kernels/{kernel_id}/channels", open_timeout=20, **options
    )
    return found


def message(kind: str, content: dict[str, Any], channel: str, protocol: str | None) -> str | bytes:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "s"}
    header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
    if protocol is not None:
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        return bytes(serialize_msg_to_ws_v1(parts, channel))  # type: ignore[no-untyped-call]
    rest = {"parent_header": {}, "metadata": {}, "channel": channel, "buffers": []}
    return json.dumps({"header": header, "content": content, **rest})


def kinds_until(socket: ClientConnection, last: str, seconds: float = 20) -> list[str]:
    """Return the types of the messages that came until there was one of a type."""
    came: list[str] = []
    deadline = time.monotonic() + seconds
    while not came or came[-1] != last:
        assert time.monotonic() < deadline, came
        raw = socket.recv(timeout=seconds)
        if isinstance(raw, bytes):
            _, parts = deserialize_msg_from_ws_v1(raw)  # type: ignore[no-untyped-call]
            raw = parts[0].decode()
        came.append(json.loads(raw)["msg_type"])
    return came


@pytest.mark.parametrize("protocol", [None, "v1.kernel.websocket.jupyter.org"])
def test_a_visitor_runs_no_code_of_their_own(
    server: Server, page: Page, tmp_path: Path, protocol: str | None
) -> None:
    written = tmp_path / "written"
    code = f"open({str(written)!r}, 'w')"
    execute = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
    options = {} if protocol is None else {"subprotocols": [protocol]}
    with connection(server, kernel_id_of(page.content()), **options) as socket:
        assert socket.subprotocol == protocol
        for kind, content, channel in (
            ("execute_request", execute, "shell"),
            ("execute_request", execute, "control"),
            ("inspect_request", {"code": "open", "cursor_pos": 4, "detail_level": 1}, "shell"),
            ("complete_request", {"code": "open('/etc/", "cursor_pos": 11}, "shell"),
            ("history_request", {"hist_access_type": "tail", "n": 9, "raw": True}, "shell"),
            ("debug_request", {"type": "request", "command": "initialize"}, "control"),
            ("input_reply", {"value": code}, "stdin"),
        ):
            socket.send(message(kind, content, channel, protocol))
        socket.send(message("kernel_info_request", {}, "shell", protocol))
        came = kinds_until(socket, "kernel_info_reply")
    assert {kind for kind in came if kind.endswith("_reply")} == {"kernel_info_reply"}
    assert not written.exists()


def test_another_site_and_a_guessed_kernel_get_no_connection(server: Server, page: Page) -> None:
    with pytest.raises(InvalidStatus) as elsewhere:
        connection(server, kernel_id_of(page.content()), origin="https://elsewhere.example")
    assert elsewhere.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as guessed:
        connection(server, str(uuid.uuid4()))
    assert guessed.value.response.status_code == 404


def test_the_page_shows_no_code_and_no_other_theme_starts_another_kernel(server: Server) -> None:
    status, body = asked(server, "")
    assert status == 200
    assert b"cw.ClusterWidget" not in body
    assert b"adder.zarr" not in body


def test_a_page_that_is_closed_frees_its_kernel_and_those_that_wait_stay(
    server: Server, page: Page
) -> None:
    kernel = kernel_of(server, page)
    page.close()
    kernel.wait(GONE_AFTER + 20)
    wait_until(lambda: len(kernels(server)) >= 1)
    # It waits for a visitor, and has done so for longer than a page may be gone.
    time.sleep(GONE_AFTER + 3)
    assert asked(server, "")[0] == 200


def test_too_many_visitors_are_told_so(server: Server) -> None:
    # None of these connects: their kernels stay for two minutes.
    found = [asked(server, "")[0] for _ in range(6)]
    assert set(found) == {200, 503}
    assert len(kernels(server)) <= 4


def test_the_settings_are_the_ones_that_are_documented() -> None:
    settings = json.loads((PUBLISHED / "voila.json").read_text())
    kernels = settings["VisitorKernels"]
    # A page that is closed frees its kernel within a minute.
    assert kernels["abandoned_after"] + kernels["cull_interval"] < 60
    assert settings["VoilaConfiguration"]["preheat_kernel"]
    assert sorted(path.name for path in PUBLISHED.iterdir()) == ["adder.ipynb", "voila.json"]
