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

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Documents by kind and key."""


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
    """
    if not kind or Path(kind).name != kind or kind.startswith("."):
        raise ValueError(f"the kind of a record is a plain name, not {kind!r}.")
    if not path.is_dir():
        raise FileNotFoundError(f"there is no saved exploration at {path} to add a record to.")
    folder = path / "records" / kind / hashlib.sha256(key.encode()).hexdigest()[:32]
    text = json.dumps({"key": key, "document": document})
    folder.mkdir(parents=True, exist_ok=True)
    for group in (folder, folder.parent, folder.parent.parent):
        if not (group / ".zgroup").exists():
            _write_whole(group / ".zgroup", json.dumps({"zarr_format": 2}))
    _write_whole(folder / ".zattrs", text)


def records(path: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the documents of a kind, by key."""
    files = sorted((path / "records" / kind).glob("*/.zattrs"))
    return dict(_record(path, file) for file in files)


def all_records(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return all documents, by kind and key."""
    kinds = sorted(folder.parent.name for folder in (path / "records").glob("*/.zgroup"))
    return {kind: records(path, kind) for kind in kinds}


def _record(path: Path, file: Path) -> tuple[str, dict[str, Any]]:
    try:
        record = json.loads(file.read_text())
        return record["key"], record["document"]
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(damaged(path, str(file.relative_to(path)))) from error


def damaged(path: Path, what: str) -> str:
    """Return what is said of a store that lacks something."""
    return f"{path} is damaged: {what} is missing or not as it was saved. Save it again."


def _write_whole(file: Path, text: str) -> None:
    """Write a file so that a process that is killed leaves either the old or the new one."""
    temporary = file.with_name(f".writing-{uuid.uuid4().hex}")
    try:
        temporary.write_text(text)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
