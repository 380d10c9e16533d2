"""Saving: whole or not at all, and whatever is lost later is noticed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget import Examples, Explorer
from clusterwidget.core.watch import CaptureCancelledError
from clusterwidget.store.records import put_record, records
from tests.conftest import make_native
from tests.helpers import Counter

ROWS = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
GIVEN: dict[cw.Stage | str, Any] = {
    "embed@0": ROWS,
    "L0.resid_post@0": -ROWS,
    "L1.resid_post@0": np.zeros_like(ROWS),
}


def given(**concepts: Any) -> Explorer:
    examples = Examples(
        np.arange(40)[:, None] % 7, concepts=pd.DataFrame(concepts) if concepts else None
    )
    return Explorer(examples=examples, activations=GIVEN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    given(row=np.arange(40)).save(tmp_path / "a.zarr")
    return tmp_path / "a.zarr"


def test_a_killed_save_leaves_the_old_as_it_was(path: Path) -> None:
    code = f"""
import time
import clusterwidget as cw
def wait(done, total):
    if done == total:
        print("all is written, nothing is in place", flush=True)
        time.sleep(60)
cw.open({str(path)!r}).save({str(path)!r}, progress=wait)
"""
    before = sorted(path.rglob("*"))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("all is written")
    finally:
        process.kill()
        process.communicate()
    assert sorted(path.rglob("*")) == before
    np.testing.assert_array_equal(cw.open(path).matrix("embed@0"), ROWS)


def test_a_save_that_was_killed_while_it_replaced_says_where_the_old_is(path: Path) -> None:
    working = path.with_name(".a.zarr-abcd_123")
    working.mkdir()
    path.rename(working / "old")
    with pytest.raises(FileNotFoundError, match=r"whole in .*\.a\.zarr-abcd_123/old: move it here"):
        cw.open(path)
    (working / "old").rename(path)
    assert len(cw.open(path).stages()) == 3


def test_whatever_is_lost_or_cut_short_is_noticed(path: Path) -> None:
    def read_all(at: Path) -> None:
        opened = cw.open(at)
        for stage in opened.stages():
            opened.matrix(stage)

    read_all(path)
    files = [file.relative_to(path) for file in path.rglob("*") if file.name[0].isdigit()]
    files = [file for file in files if (path / file).is_file()]
    assert len(files) >= 7
    hurts: list[Callable[[Path], Any]] = [
        Path.unlink,
        lambda file: file.write_bytes(file.read_bytes()[:-5]),
    ]
    for file in files:
        for hurt in hurts:
            copy = path.with_name("copy.zarr")
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(path, copy)
            hurt(copy / file)
            with pytest.raises(ValueError, match=r"copy\.zarr is damaged: .*" + str(file.parent)):
                read_all(copy)


def test_a_reader_notices_that_the_folder_was_replaced(path: Path) -> None:
    early = cw.open(path)
    np.testing.assert_array_equal(early.matrix("embed@0"), ROWS)
    given().save(path, ["L0.resid_post@0", "embed@0"])
    np.testing.assert_array_equal(early.matrix("embed@0"), ROWS)
    for stage in ("L0.resid_post@0", "L1.resid_post@0"):
        with pytest.raises(ValueError, match="was saved again since it was opened: open it again"):
            early.matrix(stage)


def test_records_of_every_kind_outlive_a_save_in_place(path: Path) -> None:
    opened = cw.open(path)
    put_record(path, "notes", "1", {"text": "mine"})
    opened.save(path)
    assert records(path, "notes") == {"1": {"text": "mine"}}
    opened.save(path.with_name("b.zarr"))
    assert records(path.with_name("b.zarr"), "notes") == {"1": {"text": "mine"}}
    given().save(path)
    assert records(path, "notes") == {}


def test_what_was_given_and_not_saved_stays(tmp_path: Path) -> None:
    explorer = given()
    explorer.save(tmp_path / "a.zarr", ["embed@0"])
    explorer.release()
    np.testing.assert_array_equal(explorer.matrix("L0.resid_post@0"), -ROWS)


def test_saving_over_what_is_read_must_keep_all_of_it(path: Path) -> None:
    opened = cw.open(path)
    opened.save(path.with_name("b.zarr"), ["embed@0"])
    with pytest.raises(ValueError, match="would lose the stages that are not saved again"):
        opened.save(path, ["embed@0"])
    opened.save(path)
    assert len(cw.open(path).stages()) == 3


def test_more_stages_than_memory_holds_take_few_passes(
    native_model: Any, examples: Examples, tmp_path: Path
) -> None:
    one = 60 * 32 * 4
    explorer = Explorer(native_model, examples, memory=10 * one)
    stages = explorer.stages(kinds=["attn_out", "mlp_out"])
    seen: list[tuple[int, int]] = []
    with Counter(native_model) as counter:
        explorer.save(tmp_path / "a.zarr", stages, progress=lambda *at: seen.append(at))
        # 28 stages, 10 at a time, and the examples that the model is known by.
        assert counter.passes == 4
    assert seen == sorted(seen)
    assert seen[-1] == (180, 180)
    whole = Explorer(native_model, examples)
    opened = cw.open(tmp_path / "a.zarr", memory=10 * one)
    for stage in stages:
        np.testing.assert_array_equal(opened.matrix(stage), whole.matrix(stage))
    assert sum(opened.holds(stage) for stage in stages) == 28


def test_a_save_of_what_is_held_can_be_called_off(path: Path) -> None:
    with pytest.raises(CaptureCancelledError):
        cw.open(path).save(path.with_name("b.zarr"), cancelled=lambda: True)
    assert [folder.name for folder in path.parent.iterdir()] == ["a.zarr"]


def test_result_is_given_in_the_basis_of_the_model_without_it(
    native_model: Any, examples: Examples, tmp_path: Path
) -> None:
    explorer = Explorer(native_model, examples)
    explorer.save(tmp_path / "a.zarr", ["L0H1.result@c", "L1H3.result@g", "L1.resid_post@g"])
    expected = explorer.vectors("L1H3.result@g")
    assert expected.shape == (60, 32)
    cw.open(tmp_path / "a.zarr").save(tmp_path / "b.zarr")
    for name in ("a.zarr", "b.zarr"):
        np.testing.assert_array_equal(cw.open(tmp_path / name).vectors("L1H3.result@g"), expected)


def test_a_copy_made_without_the_model_still_knows_it(
    native_model: Any, examples: Examples, tmp_path: Path
) -> None:
    Explorer(native_model, examples).save(tmp_path / "a.zarr", ["L0H1.result@c"])
    cw.open(tmp_path / "a.zarr").save(tmp_path / "b.zarr")
    assert len(cw.open(tmp_path / "b.zarr", native_model).stages()) > 100
    with pytest.raises(ValueError, match="these weights gave other activations"):
        cw.open(tmp_path / "b.zarr", make_native(seed=1))


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"d_model": 64}, "embed has 32 dimensions there and 64 in this one"),
        ({"n_layers": 3}, "there is L2.resid_pre in this one, and none in what was saved"),
        ({"n_layers": 1}, "there is L1.resid_pre in what was saved, and none in this one"),
        ({"n_heads": 2}, "there is L0H2.q in what was saved, and none in this one"),
        ({"d_mlp": 32}, "L0.mlp_pre has 64 dimensions there and 32 in this one"),
    ],
)
def test_how_another_model_differs_is_said(
    native_model: Any, examples: Examples, tmp_path: Path, changes: Any, difference: str
) -> None:
    Explorer(native_model, examples).save(tmp_path / "a.zarr", ["L0H1.pattern@c"])
    with pytest.raises(ValueError, match=r"a\.zarr is of another model: " + difference):
        cw.open(tmp_path / "a.zarr", make_native(**changes))


def test_other_weights_are_noticed_beside_a_dimension_that_outgrows_all(
    examples: Examples, tmp_path: Path
) -> None:
    import torch

    models = [make_native(), make_native()]
    for model, small in zip(models, (0.0, 0.3), strict=True):
        bias = dict(model.named_parameters())[
            "layers.1._original_component.mlp._original_component.fc_out._original_component.bias"
        ]
        with torch.no_grad():
            bias[0] += 1000
            bias[1:] += small
    Explorer(models[0], examples).save(tmp_path / "a.zarr", ["L0.resid_pre@c"])
    cw.open(tmp_path / "a.zarr", models[0])
    with pytest.raises(ValueError, match="these weights gave other activations"):
        cw.open(tmp_path / "a.zarr", models[1])


CONCEPTS = {
    "intervals": pd.cut(pd.Series(np.arange(40.0)), [-1, 2, 10, 20, 60]),
    "numbers and words": ["a" if row % 2 else 3 for row in range(40)],
    "yes, no or missing": [None if row % 5 == 0 else bool(row % 2) for row in range(40)],
    "words": pd.Series([None if row % 3 == 0 else f"w{row % 5}" for row in range(40)]),
    "missing only": [None] * 40,
    "half precision": np.arange(40).astype(np.float16),
    "beyond what a float holds": np.arange(40).astype(np.uint64) + 2**63,
    "infinite": np.where(np.arange(40) % 3 == 0, np.inf, 1.0),
    "nullable": pd.array([None if row % 4 == 0 else row / 2 for row in range(40)], "Float64"),
    "unused category": pd.Categorical([None if row % 2 else "b" for row in range(40)], ["a", "b"]),
}


@pytest.mark.parametrize("name", CONCEPTS)
def test_a_concept_of_any_type_comes_back(name: str, tmp_path: Path) -> None:
    explorer = given(c=CONCEPTS[name])
    explorer.save(tmp_path / "a.zarr")
    found, column = (
        each.examples.concepts["c"] for each in (cw.open(tmp_path / "a.zarr"), explorer)
    )
    if name == "intervals":
        column = column.cat.rename_categories([str(group) for group in column.cat.categories])
    pd.testing.assert_series_equal(found, column)
