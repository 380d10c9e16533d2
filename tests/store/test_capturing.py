"""Capturing to disk: what is finished is kept, and the end is the same however it was reached."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget import Examples, Explorer
from clusterwidget.core.watch import CaptureCancelledError
from clusterwidget.store import capturing, growing
from clusterwidget.store.capturing import unfinished
from tests.conftest import make_native

STAGES = ["L0H1.result@b", "L1.resid_post@g", "L1H0.pattern@g", "embed@a"]

KILLS = int(os.environ.get("CLUSTERWIDGET_KILLS", "3"))
# Small blocks and chunks, so that a few hundred examples are many of them.
SMALL = """
from clusterwidget.store import arrays, capturing
capturing._BLOCK_BYTES = 1 << 12
arrays.MOST_CHUNK = 1 << 13
"""
CODE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
{SMALL}
from tests.store.test_capturing import STAGES, explored
explored().capture(STAGES, store=sys.argv[1], progress=lambda done, total: print(done, flush=True))
"""


def explored(**changes: Any) -> Explorer:
    tokens = np.random.default_rng(0).integers(0, 40, (600, 7))
    examples = Examples(tokens, positions=list("abcdefg"))
    return Explorer(make_native(), **{"examples": examples, "batch_size": 16, **changes})


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capturing, "_BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr("clusterwidget.store.arrays.MOST_CHUNK", 1 << 13)


def stop_at(count: int) -> Any:
    seen: list[int] = []

    def cancelled() -> bool:
        seen.append(0)
        return len(seen) > count

    return cancelled


@pytest.mark.usefixtures("small")
def test_what_is_captured_to_disk_is_what_is_captured_to_memory(tmp_path: Path) -> None:
    ex, plain = explored(), explored()
    ex.capture(STAGES, store=tmp_path / "big.zarr")
    saved = cw.open(tmp_path / "big.zarr")
    for stage in STAGES:
        np.testing.assert_array_equal(saved.matrix(stage), plain.matrix(stage))
        np.testing.assert_array_equal(ex.matrix(stage), plain.matrix(stage))
    assert not unfinished(tmp_path / "big.zarr").exists()
    assert saved.vectors(STAGES[0]).shape == (600, 32)
    with pytest.raises(ValueError, match="was not saved"):
        saved.matrix("L0.resid_post@a")


@pytest.mark.usefixtures("small")
def test_a_capture_that_was_called_off_goes_on_where_it_was(tmp_path: Path) -> None:
    path, ex = tmp_path / "big.zarr", explored()
    for count in (3, 11):
        with pytest.raises(CaptureCancelledError):
            ex.capture(STAGES, store=path, cancelled=stop_at(count))
        assert not path.exists()
    done: list[int] = []
    explored().capture(STAGES, store=path, progress=lambda some, total: done.append(some))
    assert done[0] >= 16
    np.testing.assert_array_equal(cw.open(path).matrix(STAGES[1]), explored().matrix(STAGES[1]))
    # The same call again finds it done.
    explored().capture(STAGES, store=path, progress=lambda some, total: pytest.fail("it ran again"))


def test_a_capture_that_is_killed_again_and_again_ends_bit_for_bit_alike(tmp_path: Path) -> None:
    path, chance = tmp_path / "big.zarr", random.Random(0)
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        # It has begun: kill it after some more blocks, at no moment in particular.
        for _ in range(chance.randrange(1, 6 if KILLS < 9 else 3)):
            line = process.stdout.readline()
        time.sleep(chance.random() * 0.004)
        process.kill()
        process.stdout.close()
        killed += process.wait() != 0
        if not line or path.exists():
            break
    assert killed >= min(KILLS, 3)
    explored().capture(STAGES, store=path)
    plain = explored()
    saved = cw.open(path)
    for stage in STAGES:
        np.testing.assert_array_equal(saved.matrix(stage), plain.matrix(stage))


def test_half_precision_says_by_how_much_distances_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explored().capture(STAGES, store=tmp_path / "half.zarr", precision="float16")
    assert "float16: distances change by up to 0." in capsys.readouterr().out
    half, whole = cw.open(tmp_path / "half.zarr"), explored()
    for stage in STAGES:
        expected = whole.matrix(stage).astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(half.matrix(stage), expected)


def test_what_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    import torch

    model = make_native()
    with torch.no_grad():
        model.blocks[1].mlp.out.weight.mul_(1e8)
    ex = explored()
    big = Explorer(model, ex.examples)
    with pytest.raises(ValueError, match=r"L1\.resid_post@g of example \d+ holds .*float32"):
        big.capture(STAGES, store=tmp_path / "half.zarr", precision="float16")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("what", ["stages", "examples", "precision", "model"])
def test_an_unfinished_capture_of_something_else_is_not_gone_on_with(
    tmp_path: Path, what: str
) -> None:
    path, ex = tmp_path / "big.zarr", explored()
    with pytest.raises(CaptureCancelledError):
        ex.capture(STAGES, store=path, cancelled=stop_at(5))
    before = (unfinished(path) / "capture.json").read_bytes()
    other, stages, precision = explored(), STAGES, "float32"
    if what == "stages":
        stages = STAGES[:2]
    elif what == "precision":
        precision = "float16"
    elif what == "examples":
        tokens = ex.examples.tokens[::-1].copy()
        other = explored(examples=Examples(tokens, positions=list("abcdefg")))
    else:
        other = Explorer(make_native(seed=1), ex.examples, batch_size=16)
    with pytest.raises(ValueError, match=r"unfinished capture of (another model|other)"):
        other.capture(stages, store=path, precision=precision)
    assert (unfinished(path) / "capture.json").read_bytes() == before


@pytest.mark.usefixtures("small")
def test_what_was_written_and_then_changed_is_noticed(tmp_path: Path) -> None:
    path, ex = tmp_path / "big.zarr", explored()
    with pytest.raises(CaptureCancelledError):
        ex.capture(STAGES, store=path, cancelled=stop_at(9))
    chunk = unfinished(path) / "stages/0/0.0"
    raw = bytearray(chunk.read_bytes())
    raw[5] ^= 1
    chunk.write_bytes(raw)
    with pytest.raises(ValueError, match=r"stages/0/0\.0 .*capture again"):
        ex.capture(STAGES, store=path)


@pytest.mark.usefixtures("small")
def test_two_writers_are_refused(tmp_path: Path) -> None:
    path, ex = tmp_path / "big.zarr", explored()

    def second(done: int, total: int) -> None:
        if done != 48:
            return
        with pytest.raises(FileExistsError, match="another process is capturing"):
            explored().capture(STAGES, store=path)

    ex.capture(STAGES, store=path, progress=second)
    assert cw.open(path).holds(STAGES[0])


@pytest.mark.usefixtures("small")
def test_a_full_disk_stops_it_and_more_room_lets_it_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ex = tmp_path / "big.zarr", explored()
    write, written = growing.GrowingArray._write, []

    def full(array: Any, index: int, offset: int, piece: Any) -> None:
        written.append(len(piece))
        if len(written) == 30:
            write(array, index, offset, piece[: len(piece) // 2])
            raise OSError(errno.ENOSPC, "no room")
        write(array, index, offset, piece)

    monkeypatch.setattr(growing.GrowingArray, "_write", full)
    with pytest.raises(OSError, match=r"disk is full after \d+ of 600 examples"):
        ex.capture(STAGES, store=path)
    explored().capture(STAGES, store=path)
    np.testing.assert_array_equal(cw.open(path).matrix(STAGES[1]), explored().matrix(STAGES[1]))


def test_no_room_is_told_before_work_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 9}))
    with pytest.raises(OSError, match="4 stages of 600 examples take"):
        explored().capture(STAGES, store=tmp_path / "big.zarr")


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"store": 3}, TypeError, "path"),
        ({"store": "a/b/c.zarr"}, FileNotFoundError, "make it first"),
        ({"precision": "int8"}, ValueError, "float16"),
        ({"stages": []}, ValueError, "no stages"),
        ({"stages": ["L9.resid_post@a"]}, ValueError, "L9"),
    ],
)
def test_bad_input_is_refused_before_work(
    tmp_path: Path, asked: dict[str, Any], error: type[Exception], match: str
) -> None:
    given = {"stages": STAGES, "store": tmp_path / "big.zarr", **asked}
    with pytest.raises(error, match=match):
        explored().capture(**given)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_holds_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "big.zarr").mkdir()
    (tmp_path / "big.zarr" / "thesis.txt").write_text("years")
    with pytest.raises(FileExistsError, match="no saved exploration"):
        explored().capture(STAGES, store=tmp_path / "big.zarr")
    explored().capture(STAGES[:1], store=tmp_path / "other.zarr")
    with pytest.raises(FileExistsError, match="all of these stages"):
        explored().capture(STAGES, store=tmp_path / "other.zarr")


def test_without_a_model_nothing_can_be_captured(tmp_path: Path) -> None:
    rows = np.eye(5, dtype=np.float32)
    ex = Explorer(examples=Examples(np.arange(5)[:, None]), activations={"embed@0": rows})
    with pytest.raises(ValueError, match="there is no model"):
        ex.capture(["embed@0"], store=tmp_path / "big.zarr")
