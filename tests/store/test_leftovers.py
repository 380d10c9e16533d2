"""Left-overs: what a killed save left is cleared away, and nothing that is needed is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clusterwidget.store.leftovers import NEW, OLD, set_aside, working_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "which").write_text("first")
    return tmp_path / "a.zarr"


def left(path: Path, name: str, *holds: str) -> Path:
    folder = path.with_name(f".{path.name}-{name}")
    for each in holds:
        (folder / each).mkdir(parents=True)
        (folder / each / "which").write_text(each)
    return folder


def test_what_a_killed_save_left_is_removed(path: Path) -> None:
    left(path, "abcd_123", NEW)
    left(path, "00000000", NEW, OLD)
    left(path, "xxxxxxxx").mkdir()
    with working_folder(path) as working:
        assert sorted(path.parent.iterdir()) == [working, path]
    assert list(path.parent.iterdir()) == [path]
    assert (path / "which").read_text() == "first"


def test_the_only_copy_is_put_back(path: Path) -> None:
    folder = left(path, "abcd_123", NEW)
    path.rename(folder / OLD)
    assert set_aside(path) == folder / OLD
    with working_folder(path):
        assert (path / "which").read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["b-abcd_123", "abcd_1234", "ABCD_123", "abc"])
def test_what_belongs_to_something_else_is_left_alone(path: Path, name: str) -> None:
    folder = left(path, name, NEW, OLD)
    with working_folder(path):
        pass
    assert (folder / OLD / "which").read_text() == OLD


def test_a_folder_with_anything_else_in_it_is_left_alone(path: Path) -> None:
    folder = left(path, "abcd_123", OLD, "mine")
    with working_folder(path):
        pass
    assert (folder / "mine" / "which").read_text() == "mine"


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / NEW).mkdir(parents=True)
    path.with_name(".a.zarr-abcd_123").symlink_to(tmp_path / "mine")
    with working_folder(path):
        pass
    assert (tmp_path / "mine" / NEW).is_dir()


def test_the_folder_of_a_running_save_is_left_alone_until_it_is_killed(path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from clusterwidget.store.leftovers import working_folder
with working_folder(Path({str(path)!r})) as working:
    (working / "new").mkdir()
    print(working, flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        other = Path(process.stdout.readline().strip())
        with working_folder(path) as working:
            assert working != other
        assert (other / NEW).is_dir()
    finally:
        process.kill()
        process.communicate()
    with working_folder(path):
        assert not other.exists()


def test_what_was_set_aside_stays_where_it_cannot_be_put_back(path: Path) -> None:
    with working_folder(path) as working:
        path.rename(working / OLD)
    assert (working / OLD / "which").read_text() == "first"
