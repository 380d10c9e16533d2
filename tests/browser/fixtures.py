"""One Chromium, one JupyterLab and one Voila for the whole session; nothing leaves this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.servers import Server, start_lab, start_voila

ELSEWHERE = re.compile(r"^(https?|wss?)://(?!(127\.0\.0\.1|localhost)[:/])")
# Voila's own template asks for its icons; without them the page works.
VOILA_ICONS = "https://cdn.jsdelivr.net/npm/@fortawesome/"
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = find_chromium()
    assert executable is not None, "no Chromium: run `make test`, or tests/browser/chromium.py"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def offline_pages(browser: Browser) -> Iterator[OpenPage]:
    """Open pages that reach this machine only; fail where one tried to reach another."""
    contexts: list[BrowserContext] = []
    attempts: list[str] = []

    def open_at(url: str, *, width: int = 1400, height: int = 1000, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        context.on("request", lambda r: attempts.append(r.url) if ELSEWHERE.match(r.url) else None)
        context.route(ELSEWHERE, lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(url, wait_until="domcontentloaded")
        return page

    yield open_at
    for context in contexts:
        context.close()
    ours = [url for url in attempts if not url.startswith(VOILA_ICONS)]
    assert ours == [], "a page asked another host"


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Return a function that opens a page for this test."""
    with offline_pages(chromium) as open_at:
        yield open_at


@pytest.fixture(scope="module")
def open_module_page(chromium: Browser) -> Iterator[OpenPage]:
    """Return a function that opens a page for all tests of this module."""
    with offline_pages(chromium) as open_at:
        yield open_at


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that both servers serve; tests write their notebooks there."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_lab(notebooks, tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def voila(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_voila(notebooks, tmp_path_factory.mktemp("voila"))
    yield server
    server.stop()
