"""Records: small documents in a saved exploration, added one at a time.

Each is the attributes of a Zarr group of its own, ``records/<kind>/<hash of the key>``.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clusterwidget.store.files import (
    damaged,
    plain_status,
    read_json,
    require_checksum,
    with_checksum,
)

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Documents by kind and key."""

_MOST_BYTES = 1 << 24


def put_record(path: Path, kind: str, key: str, document: Mapping[str, Any]) -> None:
    """Add a small document to an exploration, whole or not at all; nothing else is rewritten.

    Parameters
    ----------
    path : Path
        Of an exploration.
    kind : str
        Such as ``"swap tests"``; names a folder.
    key : str
        A document that is there under this key is replaced.
    document : mapping
        Plain values, for JSON.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        Where there is no exploration, or JSON cannot hold the document, or it is too large or
        nested too deeply to be read again.
    """
    if not kind or Path(kind).name != kind or kind.startswith("."):
        raise ValueError(f"the kind of a record is a plain name, not {kind!r}.")
    if not path.is_dir():
        raise FileNotFoundError(f"there is no saved exploration at {path} to add a record to.")
    text = with_checksum({"key": key, "document": document}, _MOST_BYTES)
    names = ["records", f"records/{kind}", f"records/{kind}/{_folder_name(key)}"]
    for name in names:
        (path / name).mkdir(exist_ok=True)
        # Nothing is written where a link leads.
        plain_status(path, name)
        if not (path / name / ".zgroup").exists():
            _write_whole(path / name / ".zgroup", json.dumps({"zarr_format": 2}).encode())
    _write_whole(path / names[-1] / ".zattrs", text)


def records(path: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the documents of a kind, by key."""
    name = f"records/{kind}"
    return dict(
        _record(path, f"{name}/{folder}")
        for folder in _folders(path, name)
        # A save may have been killed when it had made the folder only.
        if (path / name / folder / ".zattrs").exists()
    )


def record(path: Path, kind: str, key: str) -> dict[str, Any] | None:
    """Return one document, None where there is none under this key."""
    name = f"records/{kind}/{_folder_name(key)}"
    try:
        plain_status(path, f"{name}/.zattrs")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _record(path, name)[1]


def all_records(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return all documents, by kind and key."""
    return {kind: records(path, kind) for kind in _folders(path, "records")}


def _folders(path: Path, name: str) -> list[str]:
    """Return the names of the folders in a folder, none where there is no such folder."""
    try:
        plain_status(path, name)
        return sorted(each.name for each in (path / name).iterdir() if each.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _record(path: Path, name: str) -> tuple[str, dict[str, Any]]:
    file = f"{name}/.zattrs"
    record = read_json(path, file, _MOST_BYTES)
    try:
        # Version 1 of the format had no checksums.
        if record.keys() != {"key", "document"}:
            require_checksum(record)
        key, document = record["key"], record["document"]
        if _folder_name(key) != name.rpartition("/")[2] or not isinstance(document, dict):
            raise ValueError("it is not the record of this folder.")
    except (KeyError, AttributeError, ValueError) as error:
        way_out = f"Remove the folder {name} in it: only this record is lost."
        raise ValueError(damaged(path, file, way_out)) from error
    return key, document


def _folder_name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _write_whole(file: Path, content: bytes) -> None:
    """Write a file so that a process that is killed leaves either the old or the new one."""
    temporary = file.with_name(f".writing-{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
