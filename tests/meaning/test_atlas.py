"""The atlas, against each stage by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget.core.concepts import Partition, Partitions, partitions
from clusterwidget.core.watch import CaptureCancelledError
from clusterwidget.meaning.atlas import NOTHING, SAME, Atlas
from clusterwidget.meaning.shares import Groups, GroupSums, stage_shares
from tests.helpers import Counter

STAGES = ["embed@=", "L0H2.result@=", "L1H0.result@S3", "L1H0.pattern@=", "L1.resid_post@S4"]


@pytest.fixture(scope="module")
def explorer() -> cw.Explorer:
    return cw.Explorer(cw.addition.load_model(), cw.addition.problems(3000, seed=0))


@pytest.fixture(scope="module")
def table(explorer: cw.Explorer) -> pd.DataFrame:
    return explorer.atlas(STAGES)


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
    # What was worked out before is not worked out again.
    fresh = cw.Explorer(explorer.model, explorer.examples)
    # One that is held, and one that streams out of the model.
    fresh.capture("L0H0.q@=")
    fresh.atlas(
        ["L0H0.q@=", "L0H2.result@="], progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (6000, 6000)
    with pytest.raises(CaptureCancelledError):
        fresh.atlas(["L0H0.attn_scores@="], cancelled=lambda: True)


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
    turns, rest = divmod(seen[-1][1], len(fresh.examples))
    assert turns > 1
    assert (rest, seen[-1][0]) == (0, seen[-1][1])
    assert seen == sorted(seen)
    fresh.capture(STAGES)
    pd.testing.assert_frame_equal(fresh.atlas(STAGES), table, atol=1e-5)


PAIRS = [("L2", "R2"), ("carry2", "L3")]


@pytest.mark.parametrize("held", [True, False])
def test_a_first_atlas_is_that_of_the_first_examples(explorer: cw.Explorer, held: bool) -> None:
    found = cw.Explorer(explorer.model, explorer.examples)
    if held:
        found.capture(STAGES)
    quick = found.atlas_of(STAGES, pairs=PAIRS, first=500)
    known = explorer.partitions()
    some = [partition.of(slice(500)) for partition in known.all]
    joint = [
        known.named(two).of(slice(500)).within(known.named(one).of(slice(500)))
        for one, two in PAIRS
    ]
    for stage, shares, pair_shares in zip(STAGES, quick.shares, quick.pair_shares, strict=True):
        rows = explorer.matrix(stage)[:500]
        np.testing.assert_allclose(shares, stage_shares(rows, Groups(some)), atol=1e-5)
        np.testing.assert_allclose(pair_shares, stage_shares(rows, Groups(joint)), atol=1e-5)
    assert quick.n == 500


@pytest.mark.parametrize("held", [True, False])
def test_a_first_atlas_costs_no_more_than_the_first_examples(
    explorer: cw.Explorer, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = cw.Explorer(explorer.model, explorer.examples)
    if held:
        found.capture(STAGES)
    seen: dict[str, list[int]] = {"rows": [], "groups": [], "joint": []}
    add, memberships, within = GroupSums.add, Groups.memberships, Partition.within

    def counted_add(self: GroupSums, columns: Any, rows: Any) -> None:
        seen["rows"].append(len(rows))
        add(self, columns, rows)

    def counted_memberships(self: Groups, rows: Any) -> Any:
        columns = memberships(self, rows)
        seen["groups"].append(columns.shape[1])
        return columns

    def counted_within(self: Partition, coarser: Partition) -> Partition:
        seen["joint"].append(len(self.codes))
        return within(self, coarser)

    monkeypatch.setattr(GroupSums, "add", counted_add)
    monkeypatch.setattr(Groups, "memberships", counted_memberships)
    monkeypatch.setattr(Partition, "within", counted_within)
    with Counter(explorer.model) as counter:
        found.atlas_of(STAGES, pairs=PAIRS, first=500)
    # Of a few more the residual stream's spread is looked at, once for all.
    assert counter.examples == (64 if held else 564)
    assert sum(seen["rows"]) == 500 * 2 * len(STAGES)
    assert sum(seen["groups"]) == 500 * 2
    assert seen["joint"] == [500, 500]


def test_progress_of_a_first_atlas_counts_its_examples(explorer: cw.Explorer) -> None:
    seen: list[tuple[int, int]] = []
    explorer.atlas_of(
        ["L0H1.q@="], first=500, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (500, 500)


def test_of_few_examples_a_share_must_be_larger_to_be_beyond_chance() -> None:
    groups = tuple("abcdefghij")
    partition = Partition(("k",), np.arange(20, dtype=np.int32) % 10, groups)
    stage = cw.Stage("embed")

    def best(n: int, share: float) -> int:
        shares = np.array([[share]])
        known, nothing = Partitions((partition,), ()), np.zeros((1, 0))
        same = np.zeros(1, bool)
        return Atlas((stage,), known, shares, nothing, n, np.ones(1), same).best()[0]

    # Five standard deviations: 5 · sqrt(2 · 9) / 200 = 0.106.
    assert best(200, 0.10) == NOTHING
    assert best(200, 0.11) == 0
    assert best(10_000, 0.06) == 0
    assert best(10_000, 0.04) == NOTHING
    assert best(200, np.nan) == SAME


def test_noise_and_nearly_uniform_attention_are_the_same_for_all() -> None:
    rng = np.random.default_rng(0)
    digit = rng.integers(0, 10, 1000)
    examples = cw.Examples(np.stack([digit, digit], axis=1), concepts={"digit": digit})
    stream = rng.standard_normal((10, 8))[digit]
    held: dict[cw.Stage | str, np.ndarray] = {
        "L0.resid_post@1": stream,
        "L0.mlp_out@1": 1e-5 * stream,
        "L0H0.pattern@1": 0.5 + 1e-5 * stream[:, :2],
    }
    explorer = cw.Explorer(examples=examples, activations=held)
    found = explorer.atlas_of(list(held))
    assert found.best() == [0, SAME, SAME]
    spread = np.sqrt(((stream - stream.mean(axis=0)) ** 2).sum(axis=1).mean())
    np.testing.assert_allclose(found.spreads[:2], [spread, 1e-5 * spread], rtol=1e-3)
    table = found.table()
    assert table.loc["L0.mlp_out@1"].isna().all()
    assert table.attrs["spread"]["L0.resid_post@1"] == found.spreads[0]
    assert explorer.meaning("L0.mlp_out@1").concept is None
    assert explorer.meaning("L0.resid_post@1").concept == "digit"
