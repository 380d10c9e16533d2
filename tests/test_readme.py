"""What the README says about the shipped model is what the model does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.addition.model import fingerprint

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
STAGES = re.findall(
    r"^\| `(\S+@\S+)` \| (\S+) × (\S+) \| .* \| `(\S+)` \| ([0-9.]+) \|$", README, re.M
)


@pytest.fixture(scope="module")
def explorer() -> cw.Explorer:
    return cw.Explorer(cw.addition.load_model(), cw.addition.problems(10_000, seed=0))


def between_groups(rows: np.ndarray, groups: np.ndarray) -> float:
    """Return the share of squared distance that is between groups, from the groups' own means."""
    centered = rows.astype(np.float64) - rows.mean(axis=0)
    means = {value: centered[groups == value].mean(axis=0) for value in np.unique(groups)}
    within = sum(
        ((row - means[value]) ** 2).sum() for row, value in zip(centered, groups, strict=True)
    )
    n, k = len(rows), len(means)
    return float(1 - (within / (n - k)) / ((centered**2).sum() / (n - 1)))


def test_there_are_three_stages_worth_a_click() -> None:
    assert len(STAGES) == 3


@pytest.mark.parametrize(("stage", "rows", "columns", "concept", "share"), STAGES)
def test_a_stage_holds_what_the_readme_says(
    explorer: cw.Explorer, stage: str, rows: str, columns: str, concept: str, share: str
) -> None:
    known = explorer.examples.concepts
    assert {rows, columns} <= set(known.columns)
    found = between_groups(explorer.matrix(stage), known[concept].to_numpy())
    assert f"{found:.2f}" == share


@pytest.mark.parametrize(("stage", "rows", "columns", "concept", "share"), STAGES)
def test_one_sees_it_among_the_neighbors_too(
    explorer: cw.Explorer, stage: str, rows: str, columns: str, concept: str, share: str
) -> None:
    del rows, columns, share
    values = explorer.examples.concepts[concept].to_numpy()
    for example in range(0, 10_000, 500):
        near = explorer.neighbors(stage, example, k=20)["example"]
        assert (values[near] == values[example]).mean() > 0.9


def test_what_was_verified_is_what_was_recorded() -> None:
    folder = Path(cw.__file__).parent / "addition"
    record = json.loads((folder / "adder.verified.json").read_text())
    said = " ".join(README.split("## What was verified")[1].split())
    assert f"all {record['checked']:,} problems" in said
    assert f"{record['wrong']} wrong" in said
    assert f"is {record['smallest_margin']:.1f}, so" in said
    assert f"{record['seconds']:,} s on {record['cpus']} CPU cores" in said
    assert f"{(folder / 'adder.safetensors').stat().st_size / 1000:.0f} kB" in said
    assert record["model"] == fingerprint(cw.addition.load_model())
