"""Saved explorations: what was there comes back, whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr

import clusterwidget as cw
from clusterwidget import Answer, Examples, Explorer
from clusterwidget.core.watch import CaptureCancelledError
from tests.conftest import make_native

SAVED = ["L0H1.result@c", "L1.resid_post@g", "L1H2.pattern@e", "embed@a"]


@pytest.fixture
def known(examples: Examples) -> Examples:
    first = examples.tokens[:, 0]
    concepts = {
        "whole": first.astype(np.int8),
        "even": first % 2 == 0,
        "part": np.where(first > 20, np.nan, first / 2),
        "word": [None if token > 40 else f"w<{token % 3}>" for token in first],
        "kind": pd.Categorical(
            ["high" if token > 25 else "low" for token in first], ["low", "high"], ordered=True
        ),
        "count": pd.array([None if token < 9 else int(token) % 4 for token in first], "Int64"),
    }
    return Examples(
        examples.tokens,
        positions=examples.positions,
        labels=[f"№{index} ü" for index in range(60)],
        concepts=pd.DataFrame(concepts),
        answers=[Answer("last", "f", examples.tokens[:, 6], "the last", "{whole}!")],
        axes={"g": ("whole", "even")},
        families={"even": "parity"},
        descriptions={"even": "Whether it is <even>."},
        vocabulary=[f"t{token}" for token in range(50)],
    )


@pytest.fixture
def explorer(native_model: Any, known: Examples) -> Explorer:
    return Explorer(native_model, known)


@pytest.fixture
def saved(explorer: Explorer, tmp_path: Path) -> Path:
    explorer.save(tmp_path / "a.zarr", SAVED)
    return tmp_path / "a.zarr"


def test_examples_come_back_as_they_were(saved: Path, known: Examples) -> None:
    examples = cw.open(saved).examples
    np.testing.assert_array_equal(examples.tokens, known.tokens)
    assert examples.labels == known.labels
    assert examples.positions == known.positions
    assert (examples.axes, examples.families) == (known.axes, known.families)
    assert examples.descriptions == known.descriptions == {"even": "Whether it is <even>."}
    pd.testing.assert_frame_equal(examples.concepts, known.concepts)
    answer, expected = examples.answers["last"], known.answers["last"]
    np.testing.assert_array_equal(answer.tokens, expected.tokens)
    assert (answer.position, answer.title, answer.caption) == ("f", "the last", "{whole}!")
    assert examples.captions(3) == known.captions(3)
    assert examples.token_text(int(known.tokens[0, 0])) == f"t{known.tokens[0, 0]}"


def test_matrices_come_back_to_the_bit(saved: Path, explorer: Explorer) -> None:
    opened = cw.open(saved)
    assert sorted(map(str, opened.stages())) == sorted(SAVED)
    for stage in SAVED:
        np.testing.assert_array_equal(opened.matrix(stage), explorer.matrix(stage))
    expected = explorer.neighbors("L1.resid_post@g", 7, k=9)
    pd.testing.assert_frame_equal(opened.neighbors("L1.resid_post@g", 7, k=9), expected)


def test_without_a_model_everything_but_the_model_itself_is_answered(
    saved: Path, explorer: Explorer
) -> None:
    opened = cw.open(saved)
    concepts = ["whole", "even"]
    pd.testing.assert_frame_equal(
        opened.atlas(SAVED, concepts), explorer.atlas(SAVED, concepts), rtol=1e-5
    )
    assert opened.meaning("embed@a", concepts=concepts) == explorer.meaning(
        "embed@a", concepts=concepts
    )
    with pytest.raises(ValueError, match=r"cw\.open\(path, model=model\)"):
        opened.swap("L1.resid_post@g", 0, 1)
    with pytest.raises(ValueError, match=r"cw\.open\(path, model=model\)"):
        opened.lens("L1.resid_post@g", 0)
    with pytest.raises(ValueError, match=r"'L0\.attn_out@a' was not saved in .* open it with the"):
        opened.matrix("L0.attn_out@a")


def test_opening_imports_no_torch(saved: Path) -> None:
    code = f"""
import sys
import clusterwidget as cw
ex = cw.open({str(saved)!r})
ex.shared("L1.resid_post@g", 3, k=5, concepts=["whole", "even"])
ex.atlas(concepts=["whole", "even"])
cw.ClusterWidget(ex)
assert "torch" not in sys.modules and "transformer_lens" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_with_the_model_what_was_not_saved_is_captured(
    saved: Path, native_model: Any, explorer: Explorer
) -> None:
    opened = cw.open(saved, native_model)
    assert opened.holds(SAVED[0])
    assert not opened.holds("L0.attn_out@a")
    np.testing.assert_array_equal(opened.matrix("L0.attn_out@a"), explorer.matrix("L0.attn_out@a"))
    assert len(opened.lens("L1.resid_post@f", 0)) == 5


def test_another_model_is_refused(saved: Path) -> None:
    with pytest.raises(ValueError, match="other activations on the first examples"):
        cw.open(saved, make_native(seed=1))
    with pytest.raises(ValueError, match="has 8 dimensions there and 16 in this one"):
        cw.open(saved, make_native(n_heads=2, d_head=16))


def test_swap_tests_are_kept_as_soon_as_they_are_made(
    saved: Path, native_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = cw.open(saved, native_model)
    test = opened.swap_test("L0.attn_out@f", concept="even", pairs=20)
    again = cw.open(saved, native_model)
    monkeypatch.setattr("clusterwidget.interventions.swaptests._made", None)
    kept = again.swap_test("L0.attn_out@f", concept="even", pairs=20)
    assert kept.sentence == test.sentence
    pd.testing.assert_frame_equal(kept.table, test.table)


def test_saving_again_replaces_and_keeps_swap_tests(
    saved: Path, native_model: Any, known: Examples
) -> None:
    opened = cw.open(saved, native_model)
    opened.swap_test("L0.attn_out@f", concept="even", pairs=20)
    opened.save(saved, ["L0.mlp_out@b"])
    opened.release()
    np.testing.assert_array_equal(
        opened.matrix("L0.mlp_out@b"), cw.open(saved).matrix("L0.mlp_out@b")
    )
    again = cw.open(saved)
    assert [str(stage) for stage in again.stages()] == ["L0.mlp_out@b"]
    assert len(again.swap_test("L0.attn_out@f", concept="even", pairs=20).table) == 6
    assert [path.name for path in saved.parent.iterdir()] == ["a.zarr"]


def test_what_is_called_off_leaves_the_old_as_it_was(
    saved: Path, explorer: Explorer, known: Examples, native_model: Any
) -> None:
    fresh = Explorer(native_model, known)
    with pytest.raises(CaptureCancelledError):
        fresh.save(saved, ["L0.mlp_out@b"], cancelled=lambda: True)
    assert sorted(map(str, cw.open(saved).stages())) == sorted(SAVED)
    assert [path.name for path in saved.parent.iterdir()] == ["a.zarr"]


def test_saving_less_in_place_is_refused_where_the_rest_would_be_lost(saved: Path) -> None:
    opened = cw.open(saved)
    with pytest.raises(ValueError, match="would lose the stages that are not saved again"):
        opened.save(saved, SAVED[:1])
    opened.save(saved)
    assert sorted(map(str, cw.open(saved).stages())) == sorted(SAVED)
    opened.save(saved.with_name("less.zarr"), SAVED[:1])
    assert [str(stage) for stage in cw.open(saved.with_name("less.zarr")).stages()] == SAVED[:1]
    assert len(opened.matrix(SAVED[1])) == 60


def test_something_else_at_the_path_is_left_alone(explorer: Explorer, tmp_path: Path) -> None:
    explorer.matrix("embed@a")
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.raises(FileExistsError, match="is no saved exploration: choose another name"):
        explorer.save(other)
    assert other.read_text() == "mine"
    with pytest.raises(FileNotFoundError, match="make it first"):
        explorer.save(tmp_path / "nowhere" / "a.zarr")


def test_nothing_captured_is_nothing_to_save(explorer: Explorer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="say which stages"):
        explorer.save(tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def test_what_is_damaged_or_foreign_is_named(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no saved exploration at"):
        cw.open(tmp_path / "b.zarr")
    (tmp_path / "c.zarr").mkdir()
    (tmp_path / "c.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / "c.zarr" / ".zattrs").write_text('{"format": "something"}')
    with pytest.raises(ValueError, match=r"no exploration that explorer\.save"):
        cw.open(tmp_path / "c.zarr")
    (tmp_path / "d.zarr").mkdir()
    with pytest.raises(ValueError, match="is no saved exploration"):
        cw.open(tmp_path / "d.zarr")
    group = zarr.open_group(str(saved), mode="a")
    del group["tokens"]
    with pytest.raises(ValueError, match=r"a\.zarr is damaged: .*tokens"):
        cw.open(saved)


def test_a_typed_example_is_captured_beside_what_was_saved(
    saved: Path, native_model: Any, known: Examples
) -> None:
    def read(text: str) -> Examples:
        return Examples(
            [[int(word) for word in text.split()]],
            positions=known.positions,
            answers=[Answer("last", "f", np.array([0]))],
        )

    opened = cw.open(saved, native_model, parse=read)
    assert opened.add("1 2 3 4 5 6 7") == 60
    matrix = opened.matrix("L1.resid_post@g")
    assert len(matrix) == 61
    np.testing.assert_array_equal(matrix[:60], cw.open(saved).matrix("L1.resid_post@g"))


def test_any_zarr_reader_finds_the_matrices(saved: Path, explorer: Explorer) -> None:
    assert (saved / ".zgroup").exists(), "zarr 2 reads no other format"
    group: Any = zarr.open_group(str(saved), mode="r")
    about = json.loads(json.dumps(dict(group.attrs)))
    for stage, name in about["stages"].items():
        np.testing.assert_array_equal(np.asarray(group[name][...]), explorer.matrix(stage))
