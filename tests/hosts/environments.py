"""Environments of their own for the hosts: pinned versions, the package, and no torch."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.versions.run import ROOT, light_dependencies, version_of

REQUIREMENTS = Path(__file__).parent / "requirements"
SHARED = ROOT / "constraints.txt"


def newest_python(names: Sequence[str]) -> str:
    """Return the first of the commands that starts a Python, else this one."""
    return next((name for name in names if version_of(name) is not None), sys.executable)


@cache
def environment(folder: Path, name: str, python: str) -> Path:
    """Make an environment, or bring it up to date, once in a run; return its Python.

    Parameters
    ----------
    folder : Path
        Where the environments are kept.
    name : str
        ``colab``, ``jupyter``, ``marimo`` or ``firefox``: one of `REQUIREMENTS`.
    python : str
        The command to make it with.

    Raises
    ------
    subprocess.CalledProcessError
        Where something cannot be installed; pip has said why.
    """
    home = folder.absolute() / name
    own = home / "bin" / "python"
    wanted = REQUIREMENTS / f"{name}.txt"
    stamp = home / "stamp"
    recipe = hashlib.sha256(wanted.read_bytes() + SHARED.read_bytes()).hexdigest()
    if not own.exists():
        subprocess.run([python, "-m", "venv", str(home)], check=True)
    install = [str(own), "-m", "pip", "install", "--quiet", "--no-warn-conflicts"]
    # Colab's versions are older than those that all other tests run with.
    limits = [] if name == "colab" else ["--constraint", str(SHARED)]
    if name == "firefox":
        # It has another Playwright, and nothing of ours but what reads a figure.
        limits, packages = [], ["numpy"]
    else:
        subprocess.run([*install, "--force-reinstall", "--no-deps", str(ROOT)], check=True)
        packages = light_dependencies(str(own))
    if not stamp.exists() or stamp.read_text() != recipe:
        subprocess.run([*install, *limits, "--requirement", str(wanted), *packages], check=True)
        stamp.write_text(recipe)
    return own


def versions(python: Path, packages: Sequence[str]) -> str:
    """Return the versions of some packages in an environment, in words."""
    code = (
        "import sys; from importlib.metadata import version; "
        "print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"
    )
    done = subprocess.run(
        [str(python), "-c", code, *packages], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
