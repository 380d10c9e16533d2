"""The worked example opens where it was saved; nothing that is there can break it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.cli import main
from clusterwidget.worked import FOLDER

STAGE = "L1.resid_post@S3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv(FOLDER, str(folder))
        (folder / "adder-of-an-earlier-version.zarr").mkdir()
        assert main(["save-demo", "--problems", "200"]) == 0
    return folder


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> cw.Explorer:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return cw.demo(200)


def the_one(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_it_opens_where_it_was_saved_and_draws_without_torch(folder: Path) -> None:
    code = f"""
import os, sys
os.environ[{FOLDER!r}] = {str(folder)!r}
import clusterwidget as cw
from clusterwidget.core.watch import Watch
from clusterwidget.core.stages import SHOWN_KINDS
from clusterwidget.wire.replies import reply
w = cw.ClusterWidget(cw.demo(200))
w._repr_mimebundle_()
for what in ({{"what": "hello"}}, {{"what": "prepare"}},
             {{"what": "matrix", "stage": w.stage, "without": [], "metric": "l2"}},
             {{"what": "atlas", "kinds": list(SHOWN_KINDS), "first": None, "metric": "l2"}}):
    reply(w.explorer, what, Watch())
assert w.explorer.has_model
heavy = {{"torch", "transformer_lens", "sklearn", "scipy", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_what_was_saved_is_what_the_model_gives(
    folder: Path, live: cw.Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not live.path
    monkeypatch.setenv(FOLDER, str(folder))
    saved = cw.demo(200)
    assert saved.path == the_one(folder)
    assert np.allclose(saved.matrix(STAGE), live.matrix(STAGE), atol=1e-5)
    before = saved.is_loaded
    assert saved.add("1234+5678") == 200
    assert (before, saved.is_loaded) == (False, True)
    assert len(saved.matrix(STAGE)) == 201


def test_only_the_problems_that_were_saved_are_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(folder))
    assert cw.demo(200).path is not None
    assert cw.demo(200, seed=1).path is None
    assert cw.demo(201).path is None


def test_what_is_damaged_is_worked_out_anew(
    folder: Path, live: cw.Explorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "copy" / the_one(folder).name
    shutil.copytree(the_one(folder), copy)
    monkeypatch.setenv(FOLDER, str(copy.parent))
    for chunk in copy.glob("stages/*/0.0"):
        raw = bytearray(chunk.read_bytes())
        raw[7] ^= 255
        chunk.write_bytes(raw)
    explorer = cw.demo(200)
    assert explorer.path is not None
    assert np.allclose(explorer.matrix(STAGE), live.matrix(STAGE), atol=1e-5)
    assert explorer.meaning(STAGE).concept == live.meaning(STAGE).concept
    next(copy.glob("stages/*/0.0")).write_bytes(b"cut")
    assert cw.demo(200).path is None
    (copy / ".zattrs").write_text("{")
    assert cw.demo(200).path is None
    assert main(["save-demo", "--problems", "200"]) == 0
    assert cw.demo(200).path == copy
