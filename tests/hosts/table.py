"""The table of hosts: what is expected of each, and what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.hosts import hosts
from tests.hosts.visit import Seen
from tests.versions.run import ROOT

PAGE = ROOT / "docs" / "hosts.md"


@dataclass(frozen=True)
class Row:
    """A host.

    Attributes
    ----------
    name, title : str
    environment : str
    packages : tuple of str
        Whose versions the table gives.
    drive : function of a `Stay`
    live : bool
        Whether a kernel is behind the page: then a click recolors, and Python knows of it.
    interactive : bool
        Whether a click recolors.
    """

    name: str
    title: str
    environment: str
    packages: tuple[str, ...]
    drive: Callable[[hosts.Stay], Seen]
    live: bool = True
    interactive: bool = True

    def holds(self, seen: Seen) -> bool:
        """Tell whether all that is expected was seen."""
        if seen.problem or seen.picture == "nothing":
            return False
        clicked = seen.recolored is True or not self.interactive
        return clicked and (seen.read_back is True or not self.live)


HOSTS = (
    Row(
        "colab",
        "Colab's versions, in classic Notebook, opening buffers dropped",
        "colab",
        ("notebook", "ipywidgets", "anywidget", "traitlets", "ipython", "ipykernel"),
        hosts.colab,
    ),
    Row("nbclassic", "nbclassic", "jupyter", ("nbclassic", "ipywidgets"), hosts.nbclassic),
    Row("notebook", "Notebook 7", "jupyter", ("notebook", "ipywidgets"), hosts.notebook),
    Row("lab", "JupyterLab", "jupyter", ("jupyterlab", "ipywidgets"), hosts.lab),
    Row("voila", "Voila", "jupyter", ("voila", "ipywidgets"), hosts.voila),
    Row("marimo", "marimo, `mo.ui.anywidget`", "marimo", ("marimo", "anywidget"), hosts.marimo),
    Row(
        "nbconvert-execute",
        "`nbconvert --execute`",
        "jupyter",
        ("nbconvert",),
        hosts.executed,
        live=False,
        interactive=False,
    ),
    Row(
        "nbconvert-execute-embed",
        "the same, `embed=True`",
        "jupyter",
        ("nbconvert",),
        hosts.executed_embedded,
        live=False,
        interactive=True,
    ),
    Row(
        "nbconvert",
        "`nbconvert`, as JupyterLab saved it",
        "jupyter",
        ("nbconvert",),
        hosts.saved,
        live=False,
        interactive=False,
    ),
    Row(
        "nbconvert-embed",
        "the same, `embed=True`",
        "jupyter",
        ("nbconvert",),
        hosts.saved_embedded,
        live=False,
        interactive=True,
    ),
    Row(
        "file",
        "a file that `w.export` wrote, from disk",
        "jupyter",
        (),
        hosts.from_disk,
        live=False,
    ),
    Row(
        "file-firefox",
        "the same",
        "firefox",
        (),
        hosts.from_disk_in_firefox,
        live=False,
    ),
)

_HEAD = """# Where the figure was driven

`make hosts` wrote this page. It makes an environment for each host, with the package and without
torch, and opens 10,000 examples, at stages of 5 MB each, in a browser that reaches nothing but this
machine. It clicks a cell, compares the colors of the grid with the distances from that example, and
asks Python what is selected. The last column is the largest message between page and kernel.

| host | versions | browser | shown | click recolors | Python knows | largest message |
| --- | --- | --- | --- | --- | --- | --- |
"""
_TAIL = """
Colab itself was not driven: it needs an account. Its versions were, in classic Notebook, behind a
connection that drops what Colab drops: binary data of a comm that opens.
"""


def written(seen: Sequence[tuple[Row, Seen]]) -> str:
    """Return the page."""
    lines = []
    for row, found in seen:
        cells = [
            row.title,
            found.versions or "–",
            found.browser,
            found.problem or found.picture,
            _said(found.recolored),
            _said(found.read_back),
            "–" if found.largest is None else f"{found.largest / 1e6:.1f} MB",
        ]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


def _said(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"
