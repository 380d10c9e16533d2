"""Descriptions: every field is checked, and the whole by its checksum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.results.kept import RECORDS, SwapTests
from clusterwidget.store.description import about, described
from clusterwidget.store.files import CHECKSUM, with_checksum
from clusterwidget.store.reading import Store
from clusterwidget.store.records import put_record, records
from tests.store.fuzz import as_version_1, contents, kept, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "a.zarr")
    return tmp_path / "a.zarr"


def changed(path: Path, **fields: Any) -> None:
    """Change fields of the description, and make the checksum fit."""
    known = json.loads((path / ".zattrs").read_text())
    del known[CHECKSUM]
    (path / ".zattrs").write_bytes(with_checksum({**known, **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {"stages": {"embed@a": "../../secret"}},
        {"stages": {"embed@a": "/etc"}},
        {"stages": {"embed@a": "tokens"}},
        {"stages": {"embed@c": "stages/0"}},
        {"stages": {"L00H1.result@b": "stages/0"}},
        {"stages": ["embed@a"]},
        {"bases": {"L0H1.result": "../b"}},
        {"arrays": ["tokens", "../secret"]},
        {"arrays": []},
        {"positions": ["a", "a"]},
        {"positions": ["a"]},
        {"positions": "ab"},
        {"identity": 3},
        {"rows": [{"kind": "embed", "layer": None, "head": None, "widths": [1 << 40, 1]}]},
        {"rows": [{"kind": "nothing", "layer": None, "head": None, "widths": [1, 1]}]},
        {"rows": [{"kind": "embed"}]},
        {"texts": {"0": 1}},
        {"families": []},
        {"descriptions": ["n"]},
        {"descriptions": {"n": 1}},
        {"answers": [{"name": "last", "position": "b", "title": "", "caption": "", "tokens": 1}]},
        {"concepts": [{"name": "n", "values": ["a"], "dtype": "S999999999", "none": False}]},
        {"concepts": [{"name": "n", "values": [["a"]], "dtype": "object", "none": False}]},
        {"checksums": {}},
        {"version": 1},
        {"fingerprint": 1},
    ],
)
def test_a_field_that_is_not_as_it_is_saved_is_refused(path: Path, fields: dict[str, Any]) -> None:
    changed(path, **fields)
    with pytest.raises(ValueError, match=r"a\.zarr is damaged: its description is missing or not"):
        about(path)


def test_a_change_that_makes_sense_is_noticed_by_the_checksum(path: Path) -> None:
    text = (path / ".zattrs").read_text()
    (path / ".zattrs").write_text(text.replace("numbers", "letters"))
    with pytest.raises(ValueError, match=r"\.zattrs: its checksum differs"):
        about(path)
    # What is damaged can still be replaced.
    assert described(path)["families"] == {"n": "letters"}
    write(path)
    assert about(path)["families"] == {"n": "numbers"}


def test_another_layout_of_the_same_values_is_no_damage(path: Path) -> None:
    file = path / ".zattrs"
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True, indent=8))
    about(path)


def test_version_1_still_opens(path: Path) -> None:
    whole, records_of_it = contents(path), kept(path)
    as_version_1(path)
    assert repr(contents(path)) == repr(whole)
    assert kept(path) == records_of_it


def test_a_newer_version_says_so(path: Path) -> None:
    changed(path, version=4)
    with pytest.raises(ValueError, match=r"version 4 of the format.*open it with a newer"):
        about(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(path: Path, value: float) -> None:
    as_version_1(path)
    chunk = path / "stages" / "0" / "0.0"
    rows = np.frombuffer(chunk.read_bytes(), np.float32).copy()
    rows[4] = value
    chunk.write_bytes(rows.tobytes())
    stage = cw.Stage.of("embed@a")
    with pytest.raises(ValueError, match=r"matrix of embed@a in .*a\.zarr holds NaN or infinity"):
        Store(path).rows(stage)


@pytest.mark.parametrize(
    "change",
    [
        {"test": None},
        {"test": {}},
        {"settings": {"pairs": "many"}},
        {"settings": {"pairs": 1000, "code": 1}},
        {"settings": {"pairs": 3, "seed": 0, "concept": None, "free": False}},
    ],
)
def test_a_record_that_is_no_swap_test_is_named(path: Path, change: dict[str, Any]) -> None:
    ((key, record),) = records(path, RECORDS).items()
    put_record(path, RECORDS, key, {**record, **change})
    with pytest.raises(ValueError, match=r"the saved swap test 'embed@a .*' is damaged: .*Remove"):
        SwapTests(lambda *_: None).restore(records(path, RECORDS))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict", "maybe"),
        ("sentence", None),
        ("answer", "other"),
        ("stage", "nowhere"),
        ("table", []),
        ("table", [{"answer": "last"}]),
        ("table", "last"),
        ("concept", 3),
    ],
)
def test_a_field_of_a_swap_test_that_makes_no_sense_is_named(
    path: Path, field: str, value: Any
) -> None:
    ((key, record),) = records(path, RECORDS).items()
    put_record(path, RECORDS, key, {**record, "test": {**record["test"], field: value}})
    with pytest.raises(ValueError, match=r"the saved swap test 'embed@a .*' is damaged"):
        SwapTests(lambda *_: None).restore(records(path, RECORDS))


def test_records_are_neither_read_nor_written_through_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name in ("records/notes", "records"):
        (path / name).rename(tmp_path / name.replace("/", "-"))
        (path / name).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ValueError, match="is a link"):
            put_record(path, "notes", "2", {})
        with pytest.raises(ValueError, match="is a link"):
            records(path, "notes")
        (path / name).unlink()
        (tmp_path / name.replace("/", "-")).rename(path / name)
    assert not any((tmp_path / "elsewhere").iterdir())
