"""Files: nothing through a link, nothing too large or too deep."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from clusterwidget.store.files import (
    open_plain,
    parsed,
    plain_status,
    read_json,
    require_checksum,
    with_checksum,
)


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    with open_plain(tmp_path, "a/b") as file:
        assert file.read() == b"x"


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with open_plain(tmp_path / "link", "a") as file:
        assert file.read() == b"x"


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/c"])
def test_a_link_anywhere_below_the_root_is_refused(tmp_path: Path, link: str) -> None:
    (tmp_path / "store" / "a" / "b").mkdir(parents=True)
    (tmp_path / "store" / "a" / "b" / "c").write_bytes(b"x")
    (tmp_path / "store" / link).rename(tmp_path / "elsewhere")
    (tmp_path / "store" / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=rf"store is not read: {link} is a link.*Put a copy"):
        open_plain(tmp_path / "store", "a/b/c")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret", "", "a//b", "."])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "store" / "a").mkdir(parents=True)
    with pytest.raises(ValueError, match="store is damaged"):
        plain_status(tmp_path / "store", name)


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "missing"):
        with pytest.raises(ValueError, match=f"damaged: {name} is missing or not"):
            open_plain(tmp_path, name)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps({"a": [[[]]] * 3})[:-1] + ', "b": ' + "[" * 30 + "]" * 30 + "}",
        "{",
        "[]",
        "1" * 10_000,
        '{"a": "\xff"}',
        "",
    ],
)
def test_json_that_is_deep_broken_or_no_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"damaged: a is missing or not as it was saved\. Save it"):
        read_json(tmp_path, "a")


def test_json_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({"a": "x" * 90}))
    assert read_json(tmp_path, "a", 99) == {"a": "x" * 90}
    with pytest.raises(ValueError, match="damaged: a"):
        read_json(tmp_path, "a", 98)


def test_a_checksum_is_of_values_not_of_their_layout() -> None:
    document = {"a": [1, 2.5, None, float("nan")], "ü": {"b": "\ud800"}}
    saved = parsed(with_checksum(document), 1000)
    require_checksum(saved)
    require_checksum(json.loads(json.dumps(saved, indent=4, sort_keys=True)))
    for changed in ({**saved, "a": [1, 2.5, None]}, {**saved, "c": 1}, {"a": 1}):
        with pytest.raises(ValueError, match="checksum differs"):
            require_checksum(changed)


def test_what_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(ValueError, match="larger than 10 bytes"):
        with_checksum({"a": "x" * 20}, 10)
    deep: list[object] = []
    for _ in range(30):
        deep = [deep]
    with pytest.raises(ValueError, match="more than 24 levels deep"):
        with_checksum({"a": deep})
