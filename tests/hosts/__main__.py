"""Drives the figure in every host that is supported, and writes what came of it to docs/hosts.md.

``python -m tests.hosts .venv-hosts`` makes the environments first; that needs the package index.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.fixtures import QUIET
from tests.hosts.environments import environment, newest_python, versions
from tests.hosts.hosts import Stay
from tests.hosts.table import HOSTS, PAGE, Row, written
from tests.hosts.visit import CLICKED, COMPARED, EXPLORATION, Seen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("folder", type=Path, help="where environments and pictures are kept")
    parser.add_argument("--only", nargs="*", metavar="HOST", help="only these hosts")
    parser.add_argument(
        "--python",
        nargs="*",
        default=["python3.13", "python3.12", "python3.11"],
        help="the first that starts makes the environments",
    )
    options = parser.parse_args()
    rows = [row for row in HOSTS if not options.only or row.name in options.only]
    unknown = set(options.only or []) - {row.name for row in HOSTS}
    if unknown:
        parser.error(f"no host {unknown}; there are {', '.join(row.name for row in HOSTS)}.")
    python = newest_python(options.python)
    pictures = options.folder.absolute() / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    kept = options.folder.absolute() / "seen"
    kept.mkdir(exist_ok=True)
    distances = expected()
    failed: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET))
        for row in rows:
            print(f"{row.name} …", flush=True)
            own = environment(options.folder, row.environment, python)
            with tempfile.TemporaryDirectory() as folder:
                stay = Stay(own, Path(folder), browser, distances, pictures / f"{row.name}.png")
                found = attempt(row, stay)
            found.browser = found.browser or f"Chromium {browser.version.split('.')[0]}"
            found.versions = versions(own, row.packages)
            found.write(kept / f"{row.name}.json")
            print(f"  {found}", flush=True)
            if not row.holds(found):
                failed.append(row.name)
        browser.close()
    # Of hosts that were not driven now, the table says what was seen the last time.
    files = {row: kept / f"{row.name}.json" for row in HOSTS}
    if all(file.exists() for file in files.values()):
        PAGE.write_text(written([(row, Seen.read(file)) for row, file in files.items()]))
    if failed:
        print(f"Not as expected: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def attempt(row: Row, stay: Stay) -> Seen:
    try:
        return row.drive(stay)
    except Exception as error:  # noqa: BLE001 - a host that does not start is a line in the table
        print(error, file=sys.stderr)
        return Seen(problem=f"{type(error).__name__}: {error}".splitlines()[0])


def expected() -> Any:
    """Return the distances that the grid must show: computed here, not in the host."""
    names: dict[str, Any] = {}
    exec(EXPLORATION, names)
    explorer = names["explorer"]
    first = explorer.distances("L1.resid_post@b", CLICKED)[:COMPARED]
    return np.asarray(first, dtype=np.float32)


if __name__ == "__main__":
    sys.exit(main())
