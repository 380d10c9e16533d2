"""Finds a Chromium for the tests, and installs one where there is none.

``python -m tests.browser.chromium`` prints where it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> Path | None:
    """Return the Chromium on PATH, else Playwright's own, else None."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.is_file() else None


def install_chromium() -> Path:
    """Install Chromium: Playwright's build, else Debian's package.

    Raises
    ------
    SystemExit
        Where neither can be had; the message says what to do.
    """
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts += [["apt-get", "update"], ["apt-get", "install", "--yes", "chromium"]]
    for command in attempts:
        print("$", *command, flush=True)
        subprocess.run(
            command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )
        if found := find_chromium():
            return found
    raise SystemExit(
        f"No Chromium could be installed. Install one so that PATH has one of {NAMES}."
    )


if __name__ == "__main__":
    print(find_chromium() or install_chromium())
