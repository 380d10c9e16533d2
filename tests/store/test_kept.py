"""What was worked out is saved, found again, and never taken for something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget.activations.activations import Activations
from clusterwidget.store.files import with_checksum

STAGES = ["L1.resid_post@f", "L0.attn_out@e"]


@pytest.fixture(scope="module")
def made(native_model: Any) -> cw.Explorer:
    tokens = np.random.default_rng(0).integers(0, 20, (60, 7))
    examples = cw.Examples(
        tokens,
        positions=list("abcdefg"),
        concepts={"first": tokens[:, 0] % 3, "low": tokens[:, 5] < 10},
        answers=[cw.Answer("next", "f", tokens[:, 6])],
        axes={"f": ("first", "low")},
    )
    explorer = cw.Explorer(native_model, examples)
    explorer.capture(STAGES)
    explorer.clusters(STAGES[0], 3)
    explorer.clusters(STAGES[0], 2, without="low")
    explorer.trace(3, "next", draws=2)
    explorer.atlas(STAGES)
    return explorer


@pytest.fixture
def path(made: cw.Explorer, tmp_path: Path) -> Path:
    where = tmp_path / "saved.zarr"
    made.save(where, STAGES)
    made.path = None
    return where


def test_clusters_come_back_as_they_were(
    made: cw.Explorer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterwidget.meaning.clusters.find_clusters", None)
    for asked in ({"n": 3}, {"n": 2, "without": "low"}):
        found, before = (ex.clusters(STAGES[0], **asked) for ex in (cw.open(path), made))
        assert np.array_equal(found.labels, before.labels)
        assert found.labels.dtype == before.labels.dtype
        assert found.names == before.names
        pd.testing.assert_frame_equal(found.table, before.table, check_dtype=False)
        pd.testing.assert_series_equal(found.information, before.information)


def test_a_trace_comes_back_without_a_model(made: cw.Explorer, path: Path) -> None:
    found, before = cw.open(path).trace(3, "next", draws=2), made.trace(3, "next", draws=2)
    assert str(found) == str(before)
    pd.testing.assert_frame_equal(found.nodes, before.nodes)
    pd.testing.assert_frame_equal(found.edges, before.edges)
    with pytest.raises(ValueError, match="there is none here"):
        cw.open(path).trace(4, "next", draws=2)


def test_the_atlas_comes_back_and_only_what_is_missing_is_worked_out(
    made: cw.Explorer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    stream = Activations.stream

    def noted(self: Activations, stages: Any, *rest: Any, **options: Any) -> None:
        looked.extend(map(str, stages))
        stream(self, stages, *rest, **options)

    monkeypatch.setattr(Activations, "stream", noted)
    explorer = cw.open(path)
    pd.testing.assert_frame_equal(explorer.atlas(STAGES), made.atlas(STAGES))
    quick = explorer.atlas_of(STAGES, pairs=explorer.axes_pairs(), first=10)
    assert quick.n == 60
    assert looked == []
    assert explorer.atlas(STAGES, ["low"]).columns.tolist() == ["low"]
    assert looked == STAGES


def test_what_is_of_other_examples_is_worked_out_anew(path: Path) -> None:
    explorer = cw.open(path)
    before = explorer.atlas(STAGES)
    explorer.add_concept("low", explorer.examples.tokens[:, 5] < 4)
    after = explorer.atlas(STAGES)
    assert not np.allclose(before["low"], after["low"])
    assert "low" in explorer.clusters(STAGES[0], 3).information.index
    assert not explorer.clusters(STAGES[0], 3).information.equals(
        cw.open(path).clusters(STAGES[0], 3).information
    )


def test_what_is_made_is_kept_at_once_or_not_at_all(path: Path) -> None:
    before = sorted(path.rglob("*"))
    cw.open(path, keep=False).clusters(STAGES[1], 2)
    assert sorted(path.rglob("*")) == before
    cw.open(path).clusters(STAGES[1], 2)
    assert len(list((path / "records" / "clusters").iterdir())) == 3 + 1  # and .zgroup


def test_an_exploration_that_cannot_be_written_to_is_explored_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("clusterwidget.explorer.put_record", refuse)
    explorer = cw.open(path)
    assert explorer.clusters(STAGES[1], 2) is explorer.clusters(STAGES[1], 2)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("clusters", {"labels": [0] * 59}),
        ("clusters", {"labels": [9] * 60}),
        ("clusters", {"names": [1, 2, 3]}),
        ("clusters", {"rows": [[0, 1, "a", "b", "x", 0, 0]]}),
        ("clusters", {"information": 3}),
        ("traces", {"nodes": []}),
        ("traces", {"example": -1}),
        ("traces", {"edges": [{"source": "a"}]}),
        ("traces", {"probability": "high"}),
        ("atlas", {"rows": [{"stage": "L9"}]}),
        ("atlas", {"rows": 7}),
    ],
)
def test_a_record_of_another_form_is_refused_with_a_way_out(
    path: Path, kind: str, change: dict[str, Any]
) -> None:
    for file in (path / "records" / kind).glob("*/.zattrs"):
        record = json.loads(file.read_text())
        del record["crc32c"]
        record["document"] |= change
        file.write_bytes(with_checksum(record))
    explorer = cw.open(path)
    ask: Callable[[], object] = {
        "clusters": lambda: explorer.clusters(STAGES[0], 3),
        "traces": lambda: explorer.trace(3, "next", draws=2),
        "atlas": lambda: explorer.atlas(STAGES),
    }[kind]
    with pytest.raises(ValueError, match=f"Remove its folder in records/{kind}"):
        ask()


def test_a_matrix_is_mapped_and_cannot_be_written(
    made: cw.Explorer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterwidget.store.mapping.LEAST_MAPPED", 1)
    matrix = cw.open(path).matrix(STAGES[0])
    assert np.array_equal(matrix, made.matrix(STAGES[0]))
    assert not matrix.flags.writeable
    assert not matrix.flags.owndata
    # It outlives the exploration that it came from.
    shutil.rmtree(path)
    assert np.array_equal(matrix, made.matrix(STAGES[0]))


@pytest.mark.parametrize("least", [1, 1 << 30])
def test_a_checksum_is_compared_once_and_again_where_the_file_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    monkeypatch.setattr("clusterwidget.store.mapping.LEAST_MAPPED", least)
    explorer = cw.open(path)
    compared: list[int] = []
    value = google_crc32c.value

    def counted(raw: Any) -> int:
        compared.append(len(raw))
        return int(value(raw))

    monkeypatch.setattr(google_crc32c, "value", counted)
    for _ in range(3):
        explorer.matrix(STAGES[0])
        explorer.release()
    assert len(compared) == 1
    chunk = next(
        file.parent / "0.0"
        for file in path.glob("stages/*/.zattrs")
        if STAGES[0] in file.read_text()
    )
    raw = bytearray(chunk.read_bytes())
    raw[5] ^= 1
    chunk.write_bytes(raw)
    with pytest.raises(ValueError, match="is damaged"):
        explorer.matrix(STAGES[0])
