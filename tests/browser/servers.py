"""JupyterLab and Voila servers on loopback, with configuration of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

PUBLISHED = Path(__file__).parents[2] / "deploy" / "voila"
"""What Voila is published with."""


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """A running server.

    Parameters
    ----------
    process
        Its process, the parent of its kernels.
    url
        Where it listens, without a slash at the end.
    root
        The folder whose notebooks it serves.
    home
        Its own folder: configuration, log, and the kernels' connection files in ``runtime``.
    """

    process: subprocess.Popen[bytes]
    url: str
    root: Path
    home: Path

    @property
    def log(self) -> str:
        """Return what the server has written so far."""
        return (self.home / "log").read_text(errors="replace")

    def wait(self, path: str, seconds: float = 60) -> None:
        """Wait until the server answers at ``path``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended at once:\n{self.log}")
            try:
                with urllib.request.urlopen(self.url + path, timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        raise RuntimeError(f"{self.url}{path} did not answer in {seconds} s:\n{self.log}")

    def stop(self) -> None:
        """End the server, and with it its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_lab(root: Path, home: Path) -> Server:
    """Start JupyterLab; its page has ``window.jupyterapp``, and it asks no host for news.

    Widgets are saved with their notebooks.
    """
    for package, plugin, values in [
        ("@jupyterlab/apputils-extension", "notification", {"fetchNews": "false"}),
        ("@jupyter-widgets/jupyterlab-manager", "plugin", {"saveState": True}),
    ]:
        folder = home / "settings" / package
        folder.mkdir(parents=True)
        (folder / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values))
    server = _start(
        "jupyterlab",
        root,
        home,
        "--no-browser",
        "--allow-root",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    server.wait("/api/status")
    return server


def start_voila(root: Path, home: Path) -> Server:
    """Start Voila on all notebooks of a folder, with the options of `make demo`.

    A kernel's traceback reaches the page.
    """
    runtime = f"--Voila.connection_dir_root={home / 'runtime'}"
    (home / "runtime").mkdir()
    server = _start(
        "voila",
        root,
        home,
        runtime,
        "--no-browser",
        "--show_tracebacks=True",
        "--progressive_rendering=True",
        str(root),
    )
    server.wait("/voila/tree")
    return server


def start_published(root: Path, home: Path, notebook: str, **changes: dict[str, object]) -> Server:
    """Start Voila on one notebook with the settings of `deploy/voila`, some of them changed.

    Parameters
    ----------
    root : Path
        The folder of the notebook; the settings are copied there.
    **changes
        By class.
    """
    settings = json.loads((PUBLISHED / "voila.json").read_text())
    for name, values in changes.items():
        settings.setdefault(name, {}).update(values)
    (root / "voila.json").write_text(json.dumps(settings))
    (home / "runtime").mkdir(parents=True)
    runtime = f"--Voila.connection_dir_root={home / 'runtime'}"
    return _start("voila", root, home, runtime, notebook)


def _start(module: str, root: Path, home: Path, *options: str) -> Server:
    port = free_port()
    environment = {
        **os.environ,
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONWARNINGS": "default",
    }
    home.mkdir(parents=True, exist_ok=True)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, f"--port={port}", *options],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Server(process, f"http://127.0.0.1:{port}", root, home)


def kernel_of(server: Server, kernel_id: str) -> Path:
    """Return the connection file of one of a server's kernels."""
    return server.home / "runtime" / f"kernel-{kernel_id}.json"
