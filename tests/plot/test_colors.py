"""The figure's own colors are those of the page's style sheet."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from clusterwidget.plot.colors import DARK, LIGHT, Theme, shade, value_colors, value_indexes

SHEET = (Path(__file__).parents[2] / "js" / "src" / "style" / "base.css").read_text()


@pytest.mark.parametrize(
    ("theme", "rule"),
    [(LIGHT, r"\.clusterwidget \{"), (DARK, r"\.clusterwidget\[data-theme=\"dark\"\] \{")],
)
def test_a_theme_has_the_colors_of_the_style_sheet(theme: Theme, rule: str) -> None:
    match = re.search(rule + r"(.*?)\n\}", SHEET, re.DOTALL)
    assert match is not None
    said = dict(re.findall(r"--cw-([a-z]+): (#[0-9a-f]{6});", match[1]))
    # The background is the host's.
    colors = {name: color for name, color in asdict(theme).items() if name != "ground"}
    assert colors == {name: said[name] for name in colors}


def test_numbers_lie_on_the_scale_by_their_size() -> None:
    ends = value_colors(["0", "1"])
    assert value_colors(["0", "40", "100"])[1] == shade(0.08 + 0.87 * 0.4)
    assert [value_colors(["-5", "0", "1e6"])[at] for at in (0, 2)] == ends
    # Of more values than there are colors, each has the nearest.
    values = [str(value**2) for value in range(300)]
    indexes = value_indexes(np.arange(300), values)
    assert indexes[[0, 150, 299]].tolist() == [0, round(254 * 150**2 / 299**2), 254]
