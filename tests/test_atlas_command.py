"""The command that charts the stages of the model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from clusterwidget import cli

FEW = ["atlas", "--problems", "1500", "--kinds", "embed", "result", "resid_post"]


def test_it_writes_a_table_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, picture = tmp_path / "atlas.csv", tmp_path / "atlas.png"
    assert cli.main([*FEW, "--output", str(table), "--picture", str(picture)]) == 0
    found = pd.read_csv(table, index_col="stage", keep_default_na=False)
    assert len(found) == 14 * (1 + 2 * (4 + 1))
    assert found.loc["L1H0.result@S3", "meaning"] == "carry2"
    assert found.loc["L1.resid_post@S4", "meaning"] == "S3"
    assert found.loc["embed@=", "meaning"] == ""
    assert float(str(found.loc["L1H0.result@S3", "carry2"])) > 0.95
    with Image.open(picture) as image:
        colors = image.convert("RGB").getcolors(1 << 24)
    assert colors is not None
    assert len(colors) > 100
    assert "154 stages, 30 concepts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "nowhere/atlas.csv"], "there is no folder"),
        (["--picture", "atlas.txt"], "a picture ends in .png, .svg, .pdf, not atlas.txt"),
        (["--kinds", "resultt"], "no kind 'resultt'"),
    ],
)
def test_what_cannot_be_written_is_refused(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main([*FEW, *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
