"""The hosts' servers, each from its own environment, on loopback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.servers import Server, free_port


def own_environment(home: Path) -> dict[str, str]:
    """Return an environment in which Jupyter keeps what it writes in a folder of its own.

    The package is the installed one, not the checkout around it.
    """
    changed = {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, **changed}


@contextmanager
def serving(python: Path, module: str, root: Path, home: Path, *options: str) -> Iterator[Server]:
    """Run a module as a server; ``{port}`` in its options becomes a free port."""
    port = free_port()
    (home / "runtime").mkdir(parents=True, exist_ok=True)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-m", module, *(option.format(port=port) for option in options)],
            cwd=root,
            env=own_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, f"http://127.0.0.1:{port}", root, home)
    try:
        yield server
    finally:
        server.stop()
