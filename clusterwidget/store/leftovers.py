"""What saves that were killed left behind: hidden folders beside what they were to write.

A save writes into ``.<name>-<8 characters>`` and holds a lock on that folder while it runs. The
system lets go of the lock when the process ends, however it ends.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

NEW, OLD = "new", "old"
"""What is written, and what it replaces, within the folder."""


@contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside a path; it is removed afterwards, unless it has the only copy.

    Before that, what killed saves of the same path left is removed, or put in its place.
    """
    for left in _left(path):
        _settle(left, path)
    working, lock = _locked_folder(path)
    try:
        yield working
    finally:
        if path.exists() or not (working / OLD).exists():
            shutil.rmtree(working, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def set_aside(path: Path) -> Path | None:
    """Return where the exploration is that a save was about to replace when it was broken off."""
    return next((left / OLD for left in _left(path) if (left / OLD).exists()), None)


def _left(path: Path) -> list[Path]:
    """Return the hidden folders of saves of a path, running or not, the latest first."""
    parent = path.absolute().parent
    if not parent.is_dir():
        return []
    name = re.compile(rf"\.{re.escape(path.name)}-[a-z0-9_]{{8}}")
    found = [
        folder
        for folder in parent.iterdir()
        if name.fullmatch(folder.name) and not folder.is_symlink() and folder.is_dir()
    ]
    return sorted(found, key=lambda folder: folder.stat().st_mtime, reverse=True)


def _settle(left: Path, path: Path) -> None:
    """Remove what a killed save left; put back what it had set aside, where that is all there is.

    Nothing is done where the save still runs, or where the folder holds anything else.
    """
    lock = locked(left, wait=False)
    if lock is None:
        return
    try:
        if not {each.name for each in left.iterdir()} <= {NEW, OLD}:
            return
        if not path.exists() and (left / OLD).exists():
            (left / OLD).rename(path)
        shutil.rmtree(left, ignore_errors=True)
    except OSError:
        # It went away, or is not ours to remove: the save that is about to begin needs neither.
        return
    finally:
        os.close(lock)


def _locked_folder(path: Path) -> tuple[Path, int | None]:
    while True:
        working = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        lock = locked(working, wait=True)
        # Another save may have taken it for a left-over before it was locked.
        if working.exists() and (lock is None or os.path.samestat(os.fstat(lock), working.stat())):
            return working, lock
        if lock is not None:
            os.close(lock)


def locked(folder: Path, *, wait: bool) -> int | None:
    """Return a handle that holds a lock on a folder; None where it cannot be had."""
    if sys.platform == "win32":
        # Nothing can be locked there, so nothing is taken for left over either.
        return None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        # Held by a running save, or a file system without such locks.
        os.close(handle)
        return None
    return handle
