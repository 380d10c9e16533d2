"""Writes each notebook's Colab badge and the cell that installs.

``python -m tests.notebooks.colab``, after a change of `REPOSITORY` below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

REPOSITORY: str | None = None
"""Where the repository is public, as ``owner/name`` on GitHub; None as long as it is not.

With it the badges open the notebooks themselves in Colab, and their first cells install from it. Without
it the badges open Colab, and the first cells install a wheel that the reader uploads: nothing is taken
from PyPI by name before the package is there, since that name may be anyone's.
"""

BOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
_CELL = "cell-install"
_BADGE = "[![Open in Colab](colab.svg)]"


def badge(book: Path) -> str:
    """Return the line that leads from a notebook to Colab."""
    if REPOSITORY is None:
        how = "; there, upload this notebook, and beside it the wheel that `make build` makes"
        return f"{_BADGE}(https://colab.research.google.com/){how}."
    at = f"github/{REPOSITORY}/blob/main/notebooks/{book.name}"
    return f"{_BADGE}(https://colab.research.google.com/{at})"


def install() -> str:
    """Return the cell that installs the package where it is missing."""
    source = f"git+https://github.com/{REPOSITORY}" if REPOSITORY else "./clusterwidget-*.whl"
    return (
        "# Installs clusterwidget where it is missing, as in Colab; elsewhere it does nothing.\n"
        "import importlib.util\n\n"
        'if importlib.util.find_spec("clusterwidget") is None:\n'
        f"    %pip install --quiet {source}"
    )


def with_colab(book: Path) -> Any:
    """Return a notebook with its badge under the title, and the cell that installs after it."""
    notebook = nbformat.read(book, as_version=4)
    cells = [cell for cell in notebook.cells if cell.get("id") != _CELL]
    title, *rest = [line for line in cells[0].source.split("\n") if not line.startswith(_BADGE)]
    while rest and not rest[0]:
        rest.pop(0)
    cells[0].source = "\n".join([title, "", badge(book), "", *rest])
    cells.insert(1, nbformat.v4.new_code_cell(install(), id=_CELL))
    notebook.cells = cells
    return notebook


if __name__ == "__main__":
    for path in BOOKS:
        nbformat.write(with_colab(path), path)
