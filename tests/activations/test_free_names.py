"""Stages with names of their own: addressed, asked about, saved and shown like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.core.stages import StageRow, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.wire.replies import reply


def explorer() -> cw.Explorer:
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 9, (40, 3))
    examples = cw.Examples(
        tokens, positions=["a", "b", "c"], concepts={"low": (tokens[:, 0] < 4).astype(int)}
    )
    rows = rng.standard_normal((40, 6)).astype(np.float32)
    rows[:, 0] += 5 * (tokens[:, 0] < 4)
    given: dict[cw.Stage | str, Any] = {
        "L0.resid_post@c": rows[:, :3],
        "sae/12": rows,
        "sae/blocks.8@a": rows[:, :2],
    }
    return cw.Explorer(examples=examples, activations=given)


@pytest.mark.parametrize("address", ["sae/12@c", "sae/12", "sae/blocks.8/L1H2.z@=", "a/b@c@d"])
def test_addresses_of_free_names_parse_and_print_alike(address: str) -> None:
    stage = cw.Stage.parse(address)
    assert str(stage) == address
    assert stage.layer is None
    assert cw.Stage.parse(str(stage)) == stage


@pytest.mark.parametrize(
    "address", ["sae", "sae/", "/12", "sae /12@a", "sae/12@", "s/" + "x" * 300]
)
def test_what_has_no_slash_between_two_words_is_no_name(address: str) -> None:
    with pytest.raises(ValueError, match="no address of a stage"):
        cw.Stage.parse(address)


def test_a_misspelt_kind_is_still_refused() -> None:
    with pytest.raises(ValueError, match=r"nearest is 'resid_post'.*such as 'sae/12'"):
        cw.Stage("resid_pots", layer=0)
    with pytest.raises(ValueError, match="has no layer"):
        cw.Stage("sae/12", layer=3)


def test_a_name_without_a_position_stands_for_the_one_that_it_has() -> None:
    ex = explorer()
    assert list(map(str, ex.stages(kinds="sae/12"))) == ["sae/12@c"]
    np.testing.assert_array_equal(ex.matrix("sae/12"), ex.matrix("sae/12@c"))
    np.testing.assert_array_equal(ex.matrix("sae/12"), ex.matrix("sae/12@-1"))
    assert ex.neighbors("sae/12", 3, k=2).equals(ex.neighbors("sae/12@c", 3, k=2))
    assert ex.meaning("sae/12").concept == "low"
    with pytest.raises(ValueError, match="nearest is 'sae/12'"):
        ex.matrix("sae/13")
    several = StageSet([StageRow("sae/12", None, None, (2, 2))], ["a", "b"])
    with pytest.raises(ValueError, match="It is at a, b: say where, as in 'sae/12@a'"):
        several.width(cw.Stage.parse("sae/12"))


def test_it_is_saved_and_opened_and_shown_on_the_map(tmp_path: Path) -> None:
    ex = explorer()
    ex.save(tmp_path / "own.zarr")
    opened = cw.open(tmp_path / "own.zarr")
    assert list(map(str, opened.stages())) == list(map(str, ex.stages()))
    np.testing.assert_array_equal(opened.matrix("sae/12"), ex.matrix("sae/12"))
    fields, _ = reply(opened, {"what": "hello"}, Watch())
    assert [row["kind"] for row in fields["rows"]] == ["resid_post", "sae/12", "sae/blocks.8"]
    assert fields["default_kinds"] == ["resid_post", "sae/12", "sae/blocks.8"]
    page = cw.ClusterWidget(opened, stage="sae/12@c").export(tmp_path / "own.html", tell=None)
    assert page.is_file()
