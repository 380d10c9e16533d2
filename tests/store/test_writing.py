from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clusterwidget import Examples, Stage
from clusterwidget.activations.cache import Matrix
from clusterwidget.core.stages import StageRow, StageSet
from clusterwidget.store.reading import Store
from clusterwidget.store.records import records
from clusterwidget.store.writing import require_free, write_store

STAGE = Stage("resid_post", 0, position="0")
STAGES = StageSet([StageRow("resid_post", 0, None, (3,))], ["0"])
EXAMPLES = Examples(np.arange(5)[:, None], labels=list("abcde"))
ROWS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def test_what_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    longer = np.concatenate([ROWS, ROWS])
    kept = {"notes": {"a": {"text": "kept"}}}
    write_store(tmp_path / "a.zarr", EXAMPLES, STAGES, [(STAGE, longer)], records=lambda: kept)
    store = Store(tmp_path / "a.zarr")
    np.testing.assert_array_equal(store.rows(STAGE), ROWS)
    assert store.examples().labels == list("abcde")
    assert store.fingerprint is None
    assert records(store.path, "notes") == kept["notes"]


def test_an_error_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_store(path, EXAMPLES, STAGES, [(STAGE, ROWS)])

    def failing() -> Iterator[tuple[Stage, Matrix]]:
        yield STAGE, ROWS + 1
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        write_store(path, EXAMPLES, STAGES, failing())
    np.testing.assert_array_equal(Store(path).rows(STAGE), ROWS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zarr"]


def test_what_is_not_finite_is_not_written(tmp_path: Path) -> None:
    broken = ROWS.copy()
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        write_store(tmp_path / "a.zarr", EXAMPLES, STAGES, [(STAGE, broken)])
    assert list(tmp_path.iterdir()) == []


def test_only_an_exploration_or_an_empty_folder_is_replaced(tmp_path: Path) -> None:
    require_free(tmp_path / "new.zarr")
    (tmp_path / "empty").mkdir()
    require_free(tmp_path / "empty")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt is there and is no saved exploration"):
        require_free(tmp_path / "notes.txt")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing"):
        require_free(tmp_path / "missing" / "a.zarr")
