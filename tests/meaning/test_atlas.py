"""The atlas and what neighbors share, against counts and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

import clusterwidget as cw
from clusterwidget.core.concepts import partitions
from clusterwidget.core.watch import CaptureCancelledError
from clusterwidget.meaning.shares import Groups, stage_shares

STAGES = ["embed@=", "L0H2.result@=", "L1H0.result@S3", "L1H0.pattern@=", "L1.resid_post@S4"]


@pytest.fixture(scope="module")
def explorer() -> cw.Explorer:
    return cw.Explorer(cw.addition.load_model(), cw.addition.problems(3000, seed=0))


@pytest.fixture(scope="module")
def table(explorer: cw.Explorer) -> pd.DataFrame:
    return explorer.atlas(STAGES)


def found_for(
    explorer: cw.Explorer, concept: str, stage: str, example: int, k: int
) -> dict[str, Any]:
    """Return the row of one concept."""
    rows: list[dict[Any, Any]] = explorer.shared(stage, example, k).to_dict("records")
    return next(row for row in rows if row["concept"] == concept)


def test_the_atlas_is_each_stage_by_itself(explorer: cw.Explorer, table: pd.DataFrame) -> None:
    known = partitions(explorer.examples.concepts).all
    assert list(table.columns) == [partition.name for partition in known]
    for stage in STAGES[1:]:
        expected = stage_shares(explorer.matrix(stage), Groups(known))
        np.testing.assert_allclose(table.loc[stage], expected, atol=1e-5)


def test_what_streams_by_and_what_is_held_give_the_same(
    explorer: cw.Explorer, table: pd.DataFrame
) -> None:
    explorer.capture(STAGES[:3])
    pd.testing.assert_frame_equal(explorer.atlas(STAGES), table, atol=1e-5)


def test_the_atlas_finds_sum_carry_and_answer(table: pd.DataFrame) -> None:
    best = [str(name) for name in table.loc[STAGES[1:]].idxmax(axis=1)]
    assert best == ["L2+R2", "carry2", "nine2", "S3"]


def test_a_stage_without_variance_has_no_shares(table: pd.DataFrame) -> None:
    assert table.loc["embed@="].isna().all()


def test_the_atlas_says_what_it_did(table: pd.DataFrame) -> None:
    assert "carry4 divides these examples exactly as S4 does." in table.attrs["notes"]


def test_progress_is_told_and_the_atlas_can_be_cancelled(explorer: cw.Explorer) -> None:
    seen: list[tuple[int, int]] = []
    explorer.atlas(
        ["L0H0.q@=", "L0H2.result@="], progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (6000, 6000)
    with pytest.raises(CaptureCancelledError):
        explorer.atlas(["L0H0.q@="], cancelled=lambda: True)


def test_only_the_concepts_that_are_asked_for_are_looked_at(explorer: cw.Explorer) -> None:
    found = explorer.atlas(["L0H2.result@="], concepts=["carry3", "L2"])
    assert list(found.columns) == ["carry3", "L2"]
    with pytest.raises(ValueError, match=r"no concept 'cary3'. Did you mean 'carry3'"):
        explorer.atlas(["L0H2.result@="], concepts=["cary3"])


def test_meaning_is_named_from_the_explorer(explorer: cw.Explorer) -> None:
    assert explorer.meaning("L1H0.result@S3").concept == "carry2"
    assert explorer.meaning("embed@=").concept is None
    with pytest.raises(ValueError, match="most must be above 0"):
        explorer.meaning("embed@=", most=0)


def test_shares_of_neighbors_are_counts_and_chances(explorer: cw.Explorer) -> None:
    stage, example, k = "L0H2.result@=", 7, 50
    row = found_for(explorer, "L2+R2", stage, example, k)
    values = explorer.examples.concepts["L2+R2"].to_numpy()
    near = explorer.neighbors(stage, example, k)["example"].to_numpy()
    same = values == values[example]
    assert row["value"] == str(values[example])
    assert row["share"] == same[near].mean()
    assert row["base"] == (same.sum() - 1) / 2999
    assert row["lift"] == pytest.approx(row["share"] / row["base"])
    wide = explorer.neighbors(stage, example, 120)["example"].to_numpy()
    assert row["wide_share"] == same[wide].mean()
    chance = hypergeom.sf(same[near].sum() - 1, 2999, same.sum() - 1, k)
    assert chance <= row["p"] <= chance * 40


def test_what_a_stage_does_not_hold_is_not_shared(explorer: cw.Explorer) -> None:
    row = found_for(explorer, "L0", "L0H2.result@=", 7, 100)
    assert abs(row["agreement"]) < 0.1
    assert row["p"] > 0.001


def test_the_strongest_comes_first_and_nested_ones_follow(explorer: cw.Explorer) -> None:
    found = explorer.shared("L1H0.result@S3", 7, 100)
    heads = found[found["under"].isna()]
    assert heads["wide_agreement"].is_monotonic_decreasing
    strongest = heads.loc[heads["wide_agreement"] > 0.95, "concept"].tolist()
    assert "carry2" in strongest
    assert found_for(explorer, "L1+R1", "L1H0.result@S3", 7, 100)["under"] in strongest


def test_examples_without_concepts_are_told_so(native_model: Any, examples: cw.Examples) -> None:
    explorer = cw.Explorer(native_model, examples)
    assert len(explorer.shared("L0.attn_out@a", 0, 5)) == 0
    with pytest.raises(ValueError, match="there is no concept to look for"):
        explorer.atlas(["L0.attn_out@a"])
    with pytest.raises(ValueError, match="no concept to name the stage by"):
        explorer.meaning("L0.attn_out@a")


def test_stages_take_turns_where_their_sums_are_large(
    explorer: cw.Explorer, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = sum(len(part.groups) for part in explorer.partitions().all)
    monkeypatch.setattr("clusterwidget.meaning.atlas.SUMS_BYTES", 8 * groups * 70)
    seen: list[tuple[int, int]] = []
    fresh = cw.Explorer(explorer.model, explorer.examples)
    found = fresh.atlas(STAGES, progress=lambda done, total: seen.append((done, total)))
    pd.testing.assert_frame_equal(found, table, atol=1e-5)
    assert seen[-1] == (9000, 9000)
    assert seen == sorted(seen)
    fresh.capture(STAGES)
    pd.testing.assert_frame_equal(fresh.atlas(STAGES), table, atol=1e-5)
