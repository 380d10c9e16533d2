"""Notebooks that the tests write, and how a page runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import nbformat
from playwright.sync_api import Page

from tests.browser.kernels import Kernel
from tests.browser.servers import Server, kernel_of

# 400 examples at two stages, with nothing to compute: a kernel with it is up in a second.
ARRAYS = """
import numpy as np
import clusterwidget as cw

rng = np.random.default_rng(0)
a, b = rng.integers(0, 10, (2, 400))
examples = cw.Examples(
    np.stack([a, b], axis=1),
    labels=[f"{x} and {y}" for x, y in zip(a, b)],
    positions=["a", "b"],
    concepts={"a": a, "b": b, "even": a % 2 == 0},
    axes={"a": ("a", "b"), "b": ("a", "b")},
)
noise = rng.normal(0, 0.05, (400, 8))
explorer = cw.Explorer(
    examples=examples,
    activations={
        "L0.resid_post@a": (np.eye(10)[a] @ rng.normal(size=(10, 8)) + noise).astype("f4"),
        "L1.resid_post@b": (np.eye(10)[b] @ rng.normal(size=(10, 8)) + noise).astype("f4"),
    },
)
"""
WIDGET = "w = cw.ClusterWidget(explorer)\nw"


def write_notebook(
    folder: Path, name: str, cells: Sequence[str], *, kernel: str = "python3"
) -> str:
    """Write a notebook of code cells for a kernel; return its name, with its ending."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
    )
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return f"{name}.ipynb"


def lab_url(lab: Server, name: str) -> str:
    """Return where JupyterLab shows a notebook, in a workspace that no other page has."""
    workspace = f"{Path(name).stem}-{time.monotonic_ns()}"
    return f"{lab.url}/lab/workspaces/{workspace}/tree/{quote(name)}"


def voila_url(voila: Server, name: str) -> str:
    """Return where Voila shows a notebook."""
    return f"{voila.url}/voila/render/{quote(name)}"


def wait_for_kernel(page: Page) -> None:
    """Wait until the notebook in a JupyterLab page has an idle kernel."""
    page.wait_for_function(
        """() => window.jupyterapp?.shell.currentWidget?.sessionContext
          ?.session?.kernel?.status === "idle" """
    )


def run_all(page: Page) -> None:
    """Run all cells of the notebook in a JupyterLab page; does not wait for their end."""
    wait_for_kernel(page)
    lab_command(page, "notebook:run-all-cells")


def lab_command(page: Page, name: str) -> None:
    """Execute one of JupyterLab's commands, as its menus do."""
    page.evaluate("name => void window.jupyterapp.commands.execute(name)", name)


def kernel_behind(lab: Server, page: Page) -> Kernel:
    """Return a client of the kernel of the notebook in a JupyterLab page."""
    kernel_id: str = page.evaluate(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id"
    )
    return Kernel(kernel_of(lab, kernel_id))


@contextmanager
def wait_for_new_kernel(server: Server) -> Iterator[Callable[[], Path]]:
    """Give a function that returns the connection file of the kernel started in the block."""
    runtime = server.home / "runtime"
    before = set(runtime.rglob("kernel-*.json"))
    new: list[Path] = []
    yield lambda: new[0]
    deadline = time.monotonic() + 30
    while not new:
        assert time.monotonic() < deadline, f"no kernel was started:\n{server.log}"
        time.sleep(0.05)
        new.extend(set(runtime.rglob("kernel-*.json")) - before)
