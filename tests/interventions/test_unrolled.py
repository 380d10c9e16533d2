"""Edges of texts of unequal length run over all tokens of the text, by names of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import clusterwidget as cw
from clusterwidget import Examples, Explorer
from clusterwidget.core.inputs import Inputs
from clusterwidget.interventions.alignment import Alignment, aligned
from tests.families import booted

TOKENS = np.random.default_rng(1).integers(1, 48, (8, 5))


def shifted(tokens: npt.NDArray[Any], by: int) -> Examples:
    """Return examples padded on the left, whose positions are called as those of the tokens are."""
    n, t = tokens.shape
    padding = np.zeros((n, by), int)
    rows = np.concatenate([padding, tokens], axis=1)
    mask = np.arange(by + t) >= by
    columns = {str(at): np.full(n, by + at) for at in range(t)}
    return Examples(rows, attention_mask=np.tile(mask, (n, 1)), columns=columns)


def texts() -> Examples:
    """Return five texts of two to six tokens."""
    rng = np.random.default_rng(2)
    sizes = np.array([4, 6, 2, 5, 3])
    mask = np.arange(6) < sizes[:, None]
    tokens = np.where(mask, rng.integers(1, 48, (5, 6)), 0)
    return Examples(tokens, attention_mask=mask, columns={"1": [0, 2, 1, 1, 1], "last": sizes - 1})


@pytest.fixture(scope="module")
def model() -> Any:
    return booted("gpt2")


@pytest.fixture(scope="module")
def explorer(model: Any) -> Explorer:
    return Explorer(model, texts())


@pytest.mark.parametrize("method", ["resample", "mean"])
def test_a_trace_of_padded_texts_of_one_length_is_that_of_the_texts(
    model: Any, method: Any
) -> None:
    plain = Explorer(model, Examples(TOKENS)).trace(3, "next", method=method)
    padded = Explorer(model, shifted(TOKENS, 2)).trace(3, "next", method=method)
    assert padded.text == plain.text
    pd.testing.assert_frame_equal(padded.edges, plain.edges, rtol=1e-4, atol=1e-5)
    pd.testing.assert_frame_equal(padded.nodes, plain.nodes, rtol=1e-4, atol=1e-5)


def test_a_trace_names_every_token_of_its_text(explorer: Explorer) -> None:
    trace = explorer.trace(1, "next", least=0.0, threshold=0.0)
    ends = {stage.partition("@")[2] for stage in trace.edges["target"]}
    # Token 1 has no name, and a position is called "1".
    known = {"0", "token 1", "1", "3", "4", "last"}
    assert ends <= known
    sources = {stage.partition("@")[2] for stage in trace.edges["source"]}
    assert sources <= known
    mean = explorer.trace(1, "next", method="mean").edges.iloc[0]
    cut = explorer.ablate(f"{mean['source']} -> {mean['target']}", 1)
    assert cut["kept_probability"].iloc[0] == pytest.approx(mean["probability"], rel=1e-4)


def test_edges_are_named_by_positions_and_from_the_end(explorer: Explorer) -> None:
    by_name = explorer.ablate("embed@1 -> L0H1.result@last", 3)
    from_end = explorer.ablate("embed@1 -> L0H1.result@-1", 3)
    pd.testing.assert_frame_equal(by_name, from_end)
    with pytest.raises(ValueError, match=r"no stage 'embed@5'.*there are 0, 1, 2, 3, last"):
        explorer.ablate("embed@5 -> L0H1.result@last", 3)
    with pytest.raises(ValueError, match="cannot look at 'last', which comes after it"):
        explorer.ablate("embed@last -> L0H1.result@0", 3)


def test_all_attention_of_a_head_cut_at_once_is_the_head_of_the_other_text(
    explorer: Explorer,
) -> None:
    """The shares of what a head brings from tokens add up to all that it brings."""
    bench, means = explorer._setting.bench_of(1)
    layer = means.layer(1)
    for at in range(6):
        flow = layer.flow[0, :, at].sum(dim=1)
        np.testing.assert_allclose(flow, layer.z[0, at], atol=1e-6)
    assert bench.examples.positions == ("0", "token 1", "1", "3", "4", "last")


def match(size: int, named: list[int], other: int, theirs: list[int]) -> Alignment:
    def inputs(length: int, columns: list[int]) -> Inputs:
        return Inputs(np.zeros((1, 12), int), np.array([length]), np.array([columns]))

    return aligned(inputs(size, named), inputs(other, theirs), len(named))


@pytest.mark.parametrize(
    ("size", "named", "other", "theirs", "points"),
    [
        (5, [2], 5, [2], [0, 1, 2, 3, 4]),
        (5, [3], 7, [5], [0, 2, 4, 5, 6]),
        (7, [5], 5, [3], [0, 1, 1, 2, 2, 3, 4]),
        (4, [1], 4, [2], [0, 2, 2, 3]),
        # In another order: the first one matches.
        (5, [1, 3], 5, [3, 1], [0, 3, 3, 3, 4]),
        (3, [0], 2, [0], [0, 0, 1]),
        (2, [1], 4, [3], [0, 3]),
        (1, [0], 3, [2], [2]),
        (1, [0], 1, [0], [0]),
    ],
)
def test_tokens_match_by_names_and_in_proportion(
    size: int, named: list[int], other: int, theirs: list[int], points: list[int]
) -> None:
    found = match(size, named, other, theirs)
    assert found.points[0, :size].tolist() == points
    shares = found.shares[0, :size]
    np.testing.assert_allclose(shares.sum(axis=0)[:other], 1)
    assert not shares[:, other:].any()


def test_masks_and_columns_are_saved(explorer: Explorer, model: Any, tmp_path: Path) -> None:
    explorer.save(tmp_path / "texts.zarr", ["L1.resid_post@last", "L0H1.pattern@1"])
    opened = cw.open(tmp_path / "texts.zarr")
    assert opened.examples.inputs.marks() == explorer.examples.inputs.marks()
    assert opened.examples.labels == explorer.examples.labels
    for stage in ("L1.resid_post@last", "L1.resid_post@-1", "L0H1.pattern@1"):
        np.testing.assert_array_equal(opened.matrix(stage), explorer.matrix(stage))
    with pytest.raises(ValueError, match="'-9' counts from the end"):
        opened.matrix("L1.resid_post@-9")
    again = cw.open(tmp_path / "texts.zarr", model=model)
    np.testing.assert_allclose(
        again.matrix("L0.mlp_out@1"), explorer.matrix("L0.mlp_out@1"), atol=1e-6
    )
    with pytest.raises(ValueError, match=r"@-2 counts from the end, and only positions with names"):
        explorer.save(tmp_path / "other.zarr", ["L1.resid_post@-2"])
    assert not (tmp_path / "other.zarr").exists()


def test_a_longer_text_can_be_typed(model: Any) -> None:
    def parse(text: str) -> Examples:
        tokens = [int(word) for word in text.split()]
        return Examples([tokens], columns={"1": [1], "last": [len(tokens) - 1]})

    given = texts()
    examples = Examples(
        given.tokens,
        attention_mask=given.attention_mask,
        columns={"1": given.columns[:, 0], "last": given.columns[:, 1]},  # type: ignore[index]
        parse=parse,
    )
    explorer = Explorer(model, examples)
    before = explorer.matrix("L1.resid_post@last")
    other = explorer.extended(explorer.parsed("9 8 7 6 5 4 3"))
    row = explorer.add("9 8 7 6 5 4 3")
    assert explorer.add("9 8 7 6 5 4 3") == row == 5
    for one in (explorer, other):
        after = one.matrix("L1.resid_post@last")
        np.testing.assert_allclose(after[:5], before, atol=1e-6)
        alone = Explorer(model, Examples([[9, 8, 7, 6, 5, 4, 3]] * 2)).matrix("L1.resid_post@6")
        np.testing.assert_allclose(after[5], alone[0], atol=1e-5)
    assert np.isfinite(explorer.swap("L0.attn_out@1", row, 0).table["after_probability"]).all()
