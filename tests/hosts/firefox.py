"""Drives a page from the disk in Firefox, from the environment whose Playwright can do it.

``python -m tests.hosts.firefox page.html distances.npy picture.png seen.json``
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from tests.hosts.visit import visit

NAMES = ("firefox-esr", "firefox")


def find_firefox() -> str:
    """Return the Firefox on PATH.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    """
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("no Firefox on PATH: install one, such as Debian's firefox-esr.")


def main(page: str, distances: str, picture: str, seen: str) -> None:
    with sync_playwright() as playwright:
        # The installed Firefox, over WebDriver BiDi, not Playwright's own build.
        browser = playwright.firefox.launch(channel="moz-firefox", executable_path=find_firefox())
        opened = browser.new_page(viewport={"width": 1400, "height": 1000})
        opened.goto(Path(page).absolute().as_uri())
        found = visit(opened, np.load(distances), Path(picture), None, None)
        found.browser = f"Firefox {browser.version.split('.')[0]}"
        found.write(Path(seen))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
