"""Every host that the figure is driven in: how it starts, and how its page runs the cells."""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute

from tests.browser.books import lab_command, wait_for_kernel, write_notebook
from tests.browser.fixtures import ELSEWHERE
from tests.browser.kernels import Kernel
from tests.browser.servers import Server
from tests.hosts.servers import own_environment, serving
from tests.hosts.visit import EXPLORATION, WIDGET, Scale, Seen, visit
from tests.versions.run import ROOT


@dataclass(frozen=True)
class Stay:
    """What a host is given.

    Attributes
    ----------
    python : Path
        Of the environment that the host is in.
    folder : Path
        Its own: notebooks in ``root``, all else beside it.
    browser : Browser
    distances : ndarray of float32
        That the grid must show after the click, of the first examples.
    picture : Path
        Where its screenshot goes.
    """

    python: Path
    folder: Path
    browser: Browser
    distances: npt.NDArray[np.float32]
    picture: Path

    @property
    def root(self) -> Path:
        root = self.folder / "root"
        root.mkdir(parents=True, exist_ok=True)
        return root

    @property
    def home(self) -> Path:
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return home


START_SECONDS = 180
JUPYTER = (
    "--no-browser",
    "--allow-root",
    "--port={port}",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
    "--ServerApp.disable_check_xsrf=True",
)


@contextmanager
def page_of(stay: Stay, elsewhere: list[str]) -> Iterator[Page]:
    """Open an empty page that reaches this machine only, and note where else it asks."""
    context = stay.browser.new_context(viewport={"width": 1400, "height": 1000})
    context.on("request", lambda r: elsewhere.append(r.url) if ELSEWHERE.match(r.url) else None)
    context.route(ELSEWHERE, lambda route: route.abort())
    page = context.new_page()
    page.set_default_timeout(60_000)
    try:
        yield page
    finally:
        context.close()


def in_jupyter(stay: Stay, server: Server, path: str, run: Callable[[Page], None]) -> Seen:
    """Open a notebook, run its cells, and drive the figure."""
    elsewhere: list[str] = []
    with page_of(stay, elsewhere) as page:
        scale = Scale(page)
        page.goto(server.url + path, wait_until="domcontentloaded")
        run(page)
        return told(
            visit(page, stay.distances, stay.picture, selected_in(server), scale), elsewhere
        )


def selected_in(server: Server) -> Callable[[], int]:
    """Return a function that asks the server's one kernel what is selected."""

    def selected() -> int:
        files = list((server.home / "runtime").rglob("kernel-*.json"))
        kernel = Kernel(max(files, key=lambda file: file.stat().st_mtime))
        found: int = kernel.value("w.selected")
        kernel.close()
        return found

    return selected


def told(seen: Seen, elsewhere: list[str]) -> Seen:
    if elsewhere:
        hosts = sorted({url.split("/")[2] for url in elsewhere})
        seen.notes.append(f"the page asked {', '.join(hosts)}, in vain")
    return seen


def colab(stay: Stay) -> Seen:
    """Classic Notebook with Colab's versions; the buffers of a comm that opens are dropped."""
    name = write_notebook(stay.root, "colab", [EXPLORATION, WIDGET])
    with serving(
        stay.python,
        "notebook",
        stay.root,
        stay.home,
        "--no-browser",
        "--allow-root",
        "--port={port}",
        "--NotebookApp.token=",
        "--NotebookApp.disable_check_xsrf=True",
    ) as server:
        server.wait("/api", START_SECONDS)
        dropped: list[int] = []

        def run(page: Page) -> None:
            page.route_web_socket("**/api/kernels/**", lambda way: _drop_opening(way, dropped))
            page.reload(wait_until="domcontentloaded")
            run_classic(page)

        seen = in_jupyter(stay, server, f"/notebooks/{name}", run)
    if any(dropped):
        seen.problem = seen.problem or f"{sum(dropped)} buffers came as the comm opened"
    return seen


def _drop_opening(way: WebSocketRoute, dropped: list[int]) -> None:
    """Pass messages on, and drop the buffers of each comm that opens, as Colab does."""
    server = way.connect_to_server()

    def to_page(message: str | bytes) -> None:
        if isinstance(message, bytes):
            # Jupyter's older protocol: so many offsets, of the JSON and of the buffers.
            (count,) = struct.unpack_from("!I", message)
            offsets = [*struct.unpack_from(f"!{count}I", message, 4), len(message)]
            content = json.loads(message[offsets[0] : offsets[1]])
            if content["header"]["msg_type"] == "comm_open":
                dropped.append(count - 1)
                way.send(json.dumps({**content, "buffers": []}))
                return
        way.send(message)

    server.on_message(to_page)
    way.on_message(server.send)


def run_classic(page: Page) -> None:
    """Run all cells of a notebook in the classic interface, once it can show widgets."""
    page.wait_for_function(
        """() => {
          const { kernel, _fully_loaded } = window.Jupyter?.notebook ?? {};
          return _fully_loaded && kernel?.is_connected() && kernel.info_reply?.status === "ok"
            && kernel.comm_manager?.targets?.["jupyter.widget"]
            && window.Jupyter.notebook.get_cell(0).output_area.mime_types()
              .includes("application/vnd.jupyter.widget-view+json");
        }"""
    )
    # What is shown before the page has taken in the kernel, it removes again, with any widget.
    page.wait_for_timeout(10_000)
    page.evaluate("() => window.Jupyter.notebook.execute_all_cells()")


def run_lab(page: Page) -> None:
    """Run all cells of a notebook in JupyterLab's interface, or Notebook 7's."""
    wait_for_kernel(page)
    lab_command(page, "notebook:run-all-cells")


def nbclassic(stay: Stay) -> Seen:
    """The classic interface on today's server."""
    name = write_notebook(stay.root, "nbclassic", [EXPLORATION, WIDGET])
    with serving(stay.python, "nbclassic", stay.root, stay.home, *JUPYTER) as server:
        server.wait("/api/status", START_SECONDS)
        return in_jupyter(stay, server, f"/nbclassic/notebooks/{name}", run_classic)


def notebook(stay: Stay) -> Seen:
    """Notebook 7."""
    name = write_notebook(stay.root, "notebook", [EXPLORATION, WIDGET])
    exposed = "--JupyterNotebookApp.expose_app_in_browser=True"
    with serving(stay.python, "notebook", stay.root, stay.home, *JUPYTER, exposed) as server:
        server.wait("/api/status", START_SECONDS)
        return in_jupyter(stay, server, f"/notebooks/{name}", run_lab)


def lab(stay: Stay) -> Seen:
    """JupyterLab."""
    name = write_notebook(stay.root, "lab", [EXPLORATION, WIDGET])
    exposed = "--LabApp.expose_app_in_browser=True"
    with serving(stay.python, "jupyterlab", stay.root, stay.home, *JUPYTER, exposed) as server:
        server.wait("/api/status", START_SECONDS)
        return in_jupyter(stay, server, f"/lab/tree/{name}", run_lab)


def voila(stay: Stay) -> Seen:
    """Voila, which runs the cells itself."""
    name = write_notebook(stay.root, "voila", [EXPLORATION, WIDGET])
    with serving(
        stay.python,
        "voila",
        stay.root,
        stay.home,
        "--no-browser",
        "--port={port}",
        f"--Voila.connection_dir_root={stay.home / 'runtime'}",
        str(stay.root),
    ) as server:
        server.wait("/voila/tree", START_SECONDS)
        return in_jupyter(stay, server, f"/voila/render/{name}", lambda _: None)


MARIMO = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo

{exploration}
    w = mo.ui.anywidget(cw.ClusterWidget(explorer))
    return mo, w


@app.cell
def _(w):
    w
    return


@app.cell
def _(mo, w):
    mo.md(f"Python has selected {{w.value['selected']}}.")
    return


if __name__ == "__main__":
    app.run()
"""


def marimo(stay: Stay) -> Seen:
    """marimo, the widget in `mo.ui.anywidget`."""
    indented = "\n".join(f"    {line}" for line in EXPLORATION.strip().splitlines())
    (stay.root / "app.py").write_text(MARIMO.format(exploration=indented))
    options = ("run", "app.py", "--headless", "--no-token", "--port={port}", "--host=127.0.0.1")
    elsewhere: list[str] = []
    with (
        serving(stay.python, "marimo", stay.root, stay.home, *options) as server,
        page_of(stay, elsewhere) as page,
    ):
        server.wait("/health", START_SECONDS)
        scale = Scale(page)
        page.goto(server.url, wait_until="domcontentloaded")

        def selected() -> int:
            text = page.get_by_text("Python has selected").first.inner_text()
            return int(text.split()[-1].rstrip("."))

        return told(visit(page, stay.distances, stay.picture, selected, scale), elsewhere)


EMBEDDED = WIDGET.replace("(explorer)", "(explorer, embed=True)")


def executed(stay: Stay) -> Seen:
    """`nbconvert --execute`: the page of a notebook that it ran itself, without a kernel."""
    return _converted(stay, write_notebook(stay.root, "run", [EXPLORATION, WIDGET]), "--execute")


def executed_embedded(stay: Stay) -> Seen:
    """The same where the widget has the page without a kernel in its output."""
    return _converted(stay, write_notebook(stay.root, "run", [EXPLORATION, EMBEDDED]), "--execute")


def saved(stay: Stay) -> Seen:
    """`nbconvert` of a notebook that JupyterLab ran and saved."""
    return _converted(stay, _saved(stay, WIDGET))


def saved_embedded(stay: Stay) -> Seen:
    """The same where the widget has the page without a kernel in its output."""
    return _converted(stay, _saved(stay, EMBEDDED))


def _saved(stay: Stay, widget: str) -> str:
    """Run a notebook in JupyterLab and save it, with its outputs."""
    name = write_notebook(stay.root, "saved", [EXPLORATION, widget])
    exposed = "--LabApp.expose_app_in_browser=True"
    with (
        serving(stay.python, "jupyterlab", stay.root, stay.home, *JUPYTER, exposed) as server,
        page_of(stay, []) as page,
    ):
        server.wait("/api/status", START_SECONDS)
        page.goto(f"{server.url}/lab/tree/{name}", wait_until="domcontentloaded")
        run_lab(page)
        page.locator(".clusterwidget[data-painted-revision]").wait_for(timeout=120_000)
        page.wait_for_timeout(4000)
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_timeout(2000)
    return name


def _converted(stay: Stay, name: str, *options: str) -> Seen:
    """Look at the page that nbconvert makes of a notebook, from the disk."""
    command = [str(stay.python), "-m", "nbconvert", "--to", "html", *options, name]
    done = subprocess.run(
        command,
        cwd=stay.root,
        env=own_environment(stay.home),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return Seen(problem=done.stderr.strip().splitlines()[-1])
    elsewhere: list[str] = []
    with page_of(stay, elsewhere) as page:
        page.goto((stay.root / name).with_suffix(".html").as_uri())
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for frame in page.frames:
                if frame.locator(".clusterwidget").count() > 0:
                    seen = visit(page, stay.distances, stay.picture, None, None, frame)
                    return told(seen, elsewhere)
            if any(_is_picture(image) for image in page.locator("img").all()):
                page.screenshot(path=stay.picture)
                return told(Seen("picture"), elsewhere)
            page.wait_for_timeout(500)
        page.screenshot(path=stay.picture)
        return told(Seen("nothing"), elsewhere)


def _is_picture(image: Locator) -> bool:
    """Tell whether an image is there to see, and no sign."""
    wide: bool = image.evaluate("image => image.complete && image.naturalWidth > 100")
    return wide and image.is_visible()


def from_disk(stay: Stay) -> Seen:
    """One file that the widget exported, opened from the disk."""
    elsewhere: list[str] = []
    with page_of(stay, elsewhere) as page:
        page.goto(_exported(stay).as_uri())
        return told(visit(page, stay.distances, stay.picture, None, None), elsewhere)


def from_disk_in_firefox(stay: Stay) -> Seen:
    """The same in Firefox, which another Playwright drives."""
    distances, seen = stay.folder / "distances.npy", stay.folder / "seen.json"
    np.save(distances, stay.distances)
    files = [str(file) for file in (_exported(stay), distances, stay.picture, seen)]
    subprocess.run(
        [str(stay.python), "-m", "tests.hosts.firefox", *files],
        cwd=ROOT,
        env={**own_environment(stay.home), "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=300,
    )
    return Seen.read(seen)


def _exported(stay: Stay) -> Path:
    names: dict[str, Any] = {}
    exec(EXPLORATION + WIDGET, names)
    path = stay.root / "exported.html"
    names["w"].export(path)
    return path
