"""The short text that brings a view back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterwidget.wire.viewstate import DEFAULTS, read_state, state_text

VIEW: dict[str, Any] = {
    "stage": "L1H3.result@S3",
    "selected": 42,
    "k": 20,
    "color_by": "L0+R0 & more",
    "arrange": "map",
    "arrange_by": ["(L1+R1)%10", "a=b"],
    "without": ["L2", "ünï?"],
    "metric": "whitened",
    "plain": True,
    "filter": "carry2 = 1 and 'x'",
    "scale": "log",
    "palette": "gray",
    "near": "dark",
    "zoom": [2.5, 0.125, 0.0625],
    "unfolded": [0, 29],
}


def test_a_view_is_written_and_read_again() -> None:
    text = state_text(VIEW)
    assert text.startswith("cw1?stage=L1H3.result%40S3&selected=42&k=20&")
    assert not set(" '\"<>\\") & set(text)
    assert read_state(text) == VIEW
    assert read_state(f"  {text}\n") == VIEW


def test_what_is_usual_is_left_out() -> None:
    plain = {**DEFAULTS, "stage": "embed@0"}
    assert state_text(plain) == "cw1?stage=embed%400&selected=0&k=100"
    assert read_state("cw1?stage=embed%400&selected=0&k=100") == plain


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=3))
def test_any_names_come_back(names: list[str]) -> None:
    view = {**DEFAULTS, "without": names, "filter": "".join(names)}
    assert read_state(state_text(view)) == view


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no view: it begins with 'cw1\\?'"),
        ("stage=embed", "is no view"),
        ("cw2?stage=embed", "another version"),
        ("cw1?stage", "cannot be read at 'stage'"),
        ("cw1?color=red", "cannot be read at 'color=red'"),
        ("cw1?k=3&k=4", "cannot be read at 'k=4'"),
        ("cw1?selected=-1", "has no selected in '-1'"),
        ("cw1?selected=1e3", "has no selected"),
        ("cw1?plain=yes", "has no plain"),
        ("cw1?unfolded=1,,2", "has no unfolded in '1,,2'"),
        ("cw1?zoom=1,2", "has no zoom"),
        ("cw1?zoom=inf,0,0", "has no zoom"),
        ("cw1?filter=%ff", "cannot be read at '%ff'"),
        ("cw1?filter=" + "a" * 9000, "is no view"),
    ],
)
def test_what_is_no_view_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_state(text)


def test_a_view_is_a_string() -> None:
    with pytest.raises(TypeError, match="must be a string that was copied from a figure, not 3"):
        read_state(3)
