"""The figure's own colors are those of the page's style sheet."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from clusterwidget.plot.colors import DARK, LIGHT, Theme

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
