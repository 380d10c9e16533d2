"""Writing a page: whole or not at all, and never over what is not an earlier page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from clusterwidget.core.checks import folder, shown
from clusterwidget.core.files import write_whole
from clusterwidget.publish.page.document import MARK
from clusterwidget.publish.page.packing import Packed

INDEX = "index.html"
FILES = "stages"
"""The folder of a page's stage matrices, beside its index."""

_HEAD = 4096
_SUFFIXES = (".html", ".htm")
_OURS = re.compile(r"[0-9a-f]{24}\.bin")
_ANYWAY = "pass overwrite=True (--overwrite) to write there anyway."


class Place:
    """Where a page goes: one file, or a folder for a static host.

    Parameters
    ----------
    path : path
        Of a file that ends in .html, or of a folder.
    overwrite : bool
        Whether to write over a file, or into a folder, that is not an earlier page.

    Attributes
    ----------
    index : Path
        The page itself.
    is_folder : bool

    Raises
    ------
    TypeError, ValueError
        For what is no such path.
    FileNotFoundError
        Where the folder that it is to lie in is not there.
    FileExistsError
        Where something else is there.
    """

    def __init__(self, path: Any, overwrite: bool) -> None:
        self.path = folder(path)
        is_file = self.path.suffix.lower() in _SUFFIXES and not self.path.is_dir()
        self.is_folder = not is_file
        self.index = self.path / INDEX if self.is_folder else self.path
        if self.is_folder and self.path.suffix and not self.path.is_dir():
            raise ValueError(
                f"path {shown(str(self.path))} ends in {self.path.suffix}: give a file that ends "
                "in .html, or a folder, such as 'page'."
            )
        if not self.path.absolute().parent.is_dir():
            raise FileNotFoundError(
                f"there is no folder {self.path.absolute().parent} to write {self.path.name} to: "
                "make it first."
            )
        if not overwrite:
            self._refuse_others()
        self._new: list[Path] = []

    def put(self, block: Packed, name: str) -> str:
        """Write a stage matrix beside the page, and return what the page calls it."""
        file = self.path / FILES / f"{name}.bin"
        if not file.exists():
            self._new.append(file)
            write_whole(file, block.data)
        return f"{FILES}/{file.name}"

    def finish(self, page: bytes, used: set[str]) -> None:
        """Write the page; until now there was the earlier one, whole. Its files go."""
        write_whole(self.index, page)
        if self.is_folder and (self.path / FILES).is_dir():
            for file in (self.path / FILES).iterdir():
                if _OURS.fullmatch(file.name) and f"{FILES}/{file.name}" not in used:
                    file.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Take away what was written beside the earlier page, which stays."""
        for file in self._new:
            file.unlink(missing_ok=True)
        for empty in (self.path / FILES, self.path) if self.is_folder and self._new else ():
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()

    def _refuse_others(self) -> None:
        if self.is_folder and self.path.is_dir():
            if any(self.path.iterdir()) and not _is_page(self.index):
                raise FileExistsError(
                    f"{self.path} is not empty, and what is there is no earlier page: give "
                    f"another folder, or {_ANYWAY}"
                )
        elif self.path.exists() and not _is_page(self.path):
            raise FileExistsError(
                f"{self.path} is there and is no earlier page: give another path, or {_ANYWAY}"
            )


def _is_page(index: Path) -> bool:
    if not index.is_file():
        return False
    with index.open("rb") as file:
        return MARK.encode() in file.read(_HEAD)
