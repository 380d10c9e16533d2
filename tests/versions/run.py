"""Runs the smoke test with several Pythons, each in an environment without torch."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformer-lens")
"""Large to install, and not needed for activations that are given or saved."""

_VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"
_REQUIRES = (
    "import json; from importlib.metadata import requires; "
    "print(json.dumps(requires('clusterwidget')))"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the environments are made and kept")
    parser.add_argument("pythons", nargs="+", help="commands; those that do not start are left out")
    options = parser.parse_args()
    versions = {python: version_of(python) for python in options.pythons}
    there = {python: version for python, version in versions.items() if version is not None}
    for python in versions.keys() - there.keys():
        print(f"{python} does not start here: left out.")
    if not there:
        print("No Python starts here: name some with PYTHONS=….", file=sys.stderr)
        return 1
    failed = [
        version
        for python, version in there.items()
        if not passes(python, options.folder.absolute() / version)
    ]
    if failed:
        print(f"The smoke test failed with Python {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def version_of(python: str) -> str | None:
    """Return a Python's version, such as ``3.12``, or None where the command starts none.

    A version manager may leave a command on PATH for a version that is not selected.
    """
    try:
        done = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def passes(python: str, home: Path) -> bool:
    """Install the package, and what it needs less `HEAVY`; tell whether the script succeeds."""
    own = str(home / "bin" / "python")
    subprocess.run([python, "-m", "venv", str(home)], check=True)
    install = [own, "-m", "pip", "install", "--quiet", "--no-warn-conflicts"]
    subprocess.run([*install, "--force-reinstall", "--no-deps", str(ROOT)], check=True)
    subprocess.run([*install, *light_dependencies(own)], check=True)
    script = Path(__file__).with_name("smoke.py")
    # Isolated: what is imported is the installed package, not the checkout around it.
    return subprocess.run([own, "-I", str(script)], cwd=home, check=False).returncode == 0


def light_dependencies(python: str) -> list[str]:
    """Return what the installed package requires, less `HEAVY` and what only extras need."""
    done = subprocess.run([python, "-c", _REQUIRES], capture_output=True, text=True, check=True)
    required: list[str] = json.loads(done.stdout)
    return [
        text
        for text in required
        if "extra ==" not in text and re.split(r"[^\w.-]", text)[0] not in HEAVY
    ]


if __name__ == "__main__":
    sys.exit(main())
