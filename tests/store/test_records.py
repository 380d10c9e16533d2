"""Records: each is there whole, whatever happens to the process that writes it."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from clusterwidget import Examples, Explorer
from clusterwidget.store.records import all_records, put_record, records


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = np.random.default_rng(0).standard_normal((9, 3))
    examples = Examples(np.arange(9)[:, None])
    Explorer(examples=examples, activations={"embed@0": rows}).save(tmp_path / "a.zarr")
    return tmp_path / "a.zarr"


def test_a_record_is_added_and_nothing_else_is_written(path: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    put_record(path, "swap tests", "L0.z@= a/b", {"share": 0.5, "chain": ["a", None]})
    put_record(path, "notes", "1", {"text": "№"})
    assert records(path, "swap tests") == {"L0.z@= a/b": {"share": 0.5, "chain": ["a", None]}}
    assert all_records(path)["notes"] == {"1": {"text": "№"}}
    assert records(path, "nothing") == {}
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())


def test_a_record_under_the_same_key_replaces_the_old(path: Path) -> None:
    put_record(path, "notes", "1", {"text": "old"})
    put_record(path, "notes", "1", {"text": "new"})
    assert records(path, "notes") == {"1": {"text": "new"}}


def test_any_zarr_reader_finds_records(path: Path) -> None:
    put_record(path, "notes", "1", {"text": "a"})
    group: Any = zarr.open_group(str(path), mode="r")
    notes = group["records/notes"]
    (found,) = [dict(notes[name].attrs) for name in notes]
    assert (found["key"], found["document"]) == ("1", {"text": "a"})
    assert "records" in set(group)


def test_a_killed_process_leaves_the_old_or_the_new(path: Path) -> None:
    put_record(path, "notes", "same", {"at": -1, "values": []})
    code = f"""
import itertools
from pathlib import Path
from clusterwidget.store.records import put_record
for at in itertools.count():
    put_record(Path({str(path)!r}), "notes", "same", {{"at": at, "values": [at] * 200_000}})
"""
    last = -1
    for attempt in range(4):
        process = subprocess.Popen([sys.executable, "-c", code])
        try:
            deadline = time.monotonic() + 30
            while records(path, "notes")["same"]["at"] in (-1, last):
                assert time.monotonic() < deadline, "the other process wrote nothing"
            time.sleep(0.013 * attempt)
        finally:
            process.kill()
            process.wait()
        found = records(path, "notes")["same"]
        assert found["values"] == [found["at"]] * 200_000
        last = found["at"]


def test_threads_that_write_the_same_record_do_not_meet(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: put_record(path, "notes", "same", {"at": at}), range(200)))
    assert records(path, "notes")["same"]["at"] in range(200)
    assert not list(path.rglob(".writing-*"))


def test_what_cannot_be_kept_leaves_the_old(path: Path) -> None:
    put_record(path, "notes", "1", {"text": "old"})
    with pytest.raises(TypeError, match="not JSON serializable"):
        put_record(path, "notes", "1", {"text": object()})
    assert records(path, "notes") == {"1": {"text": "old"}}


def test_where_records_go_is_checked(path: Path) -> None:
    for kind in ("../notes", "", ".", "a/b"):
        with pytest.raises(ValueError, match="is a plain name, not"):
            put_record(path, kind, "1", {})
    with pytest.raises(FileNotFoundError, match="no saved exploration at"):
        put_record(path.with_name("b.zarr"), "notes", "1", {})
    assert not path.with_name("b.zarr").exists()


def test_a_damaged_record_is_named(path: Path) -> None:
    put_record(path, "notes", "1", {"text": "a"})
    next((path / "records" / "notes").glob("*/.zattrs")).write_text("{")
    with pytest.raises(
        ValueError, match=r"a\.zarr is damaged: records/notes/.*\.zattrs is missing"
    ):
        records(path, "notes")
