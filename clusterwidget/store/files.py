"""Files of a saved exploration, read so that a damaged or hostile one can do no harm.

Nothing is read through a link, and no more than a stated number of bytes. JSON has a bounded
depth, and a checksum of its values: CRC32C, which Zarr's format 3 also uses.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c

MOST_JSON = 1 << 27
"""Bytes of a JSON file that are read at most."""

CHECKSUM = "crc32c"
"""Name under which a JSON document holds the checksum of its other values."""

_DEEPEST = 24


def damaged(path: Path, what: str, way_out: str = "Save it again.") -> str:
    """Return what is said of a store that lacks something."""
    return f"{path} is damaged: {what} is missing or not as it was saved. {way_out}"


def plain_status(root: Path, name: str) -> os.stat_result:
    """Return the status of what is at a name below a folder; raise where a link leads there.

    Parameters
    ----------
    root : Path
        Itself it may be a link: it is what the caller named.
    name : str
        With ``/`` between its parts, each of which is checked.
    """
    at = os.fspath(root)
    for part in name.split("/"):
        if part in ("", ".", "..") or "\\" in part or "\0" in part:
            raise ValueError(damaged(root, repr(name)))
        at = f"{at}{os.sep}{part}"
        status = os.lstat(at)
        # On Windows a junction is a link too.
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", False):
            link = Path(at).relative_to(root)
            raise ValueError(
                f"{root} is not read: {link} is a link, and what it leads to is no part of the "
                "exploration. Put a copy of the file or folder there."
            )
    return status


def open_plain(root: Path, name: str) -> BinaryIO:
    """Open a regular file below a folder, to be read; raise ValueError where there is none."""
    try:
        status = plain_status(root, name)
        if stat.S_ISREG(status.st_mode):
            return open(root / name, "rb", opener=_without_following)
    except OSError as error:
        raise ValueError(damaged(root, name)) from error
    raise ValueError(damaged(root, name))


def read_json(root: Path, name: str, most: int = MOST_JSON) -> dict[str, Any]:
    """Return the JSON object in a file; raise ValueError where it is none, or too large."""
    with open_plain(root, name) as file:
        # As many bytes as are asked for are reserved before any is read.
        raw = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)
    try:
        return parsed(raw, most)
    except ValueError as error:
        raise ValueError(damaged(root, name)) from error


def parsed(raw: bytes, most: int) -> dict[str, Any]:
    """Return a JSON object; raise ValueError where it is none, too large or nested too deeply."""
    if len(raw) > most:
        raise ValueError(f"it is larger than {most:,} bytes.")
    try:
        found = json.loads(raw.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deeply.") from error
    if not isinstance(found, dict):
        raise ValueError(f"it is no JSON object, but {type(found).__name__}.")
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return found
    raise ValueError(f"it is nested more than {_DEEPEST} levels deep.")


def with_checksum(document: Mapping[str, Any], most: int = MOST_JSON) -> bytes:
    """Return a document as JSON, with the checksum of its values.

    Raises
    ------
    TypeError, ValueError
        Where JSON cannot hold it, or it could not be read again.
    """
    plain = parsed(json.dumps(document).encode(), most)
    return json.dumps({**plain, CHECKSUM: _checksum(plain)}, indent=1).encode()


def require_checksum(document: Mapping[str, Any]) -> None:
    """Raise ValueError where the values are not those of which the checksum was taken."""
    values = {name: value for name, value in document.items() if name != CHECKSUM}
    if document.get(CHECKSUM) != _checksum(values):
        raise ValueError("its checksum differs.")


def _checksum(values: Mapping[str, Any]) -> int:
    """Return the checksum of values, however their JSON is laid out."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return int(google_crc32c.value(text.encode()))


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
