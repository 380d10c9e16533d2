"""The table of hosts in the documentation is the one that `make hosts` writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hosts.table import HOSTS, PAGE, written
from tests.hosts.visit import Seen

ALL_WELL = Seen(
    "figure",
    recolored=True,
    read_back=True,
    largest=2_900_805,
    browser="Chromium 156",
    versions="1.0",
)


def test_the_table_has_a_line_for_each_host_and_none_failed() -> None:
    lines = [line.split(" | ") for line in PAGE.read_text().splitlines() if line[:2] == "| "]
    assert [line[0].removeprefix("| ") for line in lines[1:] if line[0] != "| ---"] == [
        row.title for row in HOSTS
    ]
    for row, line in zip(HOSTS, lines[2:], strict=True):
        assert line[3] in ("figure", "picture"), row.name
        assert not row.interactive or line[4] == "yes", row.name
        assert not row.live or line[5] == "yes", row.name


def test_what_went_wrong_stands_in_the_table() -> None:
    page = written([(HOSTS[0], replace(ALL_WELL, problem="it | is gone"))])
    assert "| 1.0 | Chromium 156 | it \\| is gone | yes | yes | 2.9 MB |" in page


@pytest.mark.parametrize(
    "seen",
    [
        Seen(),
        replace(ALL_WELL, problem="gone"),
        replace(ALL_WELL, recolored=False),
        replace(ALL_WELL, read_back=False),
        replace(ALL_WELL, picture="picture", recolored=None),
    ],
)
def test_a_host_with_a_kernel_must_show_recolor_and_read_back(seen: Seen) -> None:
    assert HOSTS[0].holds(ALL_WELL)
    assert not HOSTS[0].holds(seen)
