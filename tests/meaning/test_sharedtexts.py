"""What near texts share: planted patterns, chance alone, and p against scipy, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

import clusterwidget as cw
from clusterwidget.core.inputs import Inputs
from clusterwidget.meaning.sharedtexts import TextSearch, _testable
from clusterwidget.meaning.textindex import TextIndex

N, T, K = 600, 12, 50


def texts(seed: int = 0, words: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, words, (N, T))


def found(
    tokens: np.ndarray, near: np.ndarray, column: int = T - 1, text_of: Any = None, **about: Any
) -> pd.DataFrame:
    inputs = Inputs(tokens, **about)
    index = TextIndex(inputs, text_of or (lambda token: f" w{token}"))
    return TextSearch(index, inputs).shared(column, 0, near).table


NEAR = np.arange(1, K + 1)


@pytest.mark.parametrize(
    ("ends", "where"), [(T - 1, "here"), (T - 4, "3 before"), (T - 11, "before"), (None, "before")]
)
def test_a_planted_run_of_tokens_is_found_where_it_was_planted(
    ends: int | None, where: str
) -> None:
    tokens = texts()
    rng = np.random.default_rng(1)
    for row in NEAR[:40]:
        at = int(rng.integers(2, T - 1)) if ends is None else ends
        start = max(0, at - 1)
        tokens[row, start : start + 2] = [40, 41]
    table = found(tokens, NEAR)
    assert table["pattern"].iloc[0] == " w40 w41"
    assert table["where"].iloc[0] == where
    assert table["count"].iloc[0] == 40
    assert table["p"].iloc[0] < 1e-20
    assert table["under"].iloc[0] is None
    # Its single tokens say the same, and stand under it.
    single = table[table["pattern"].isin([" w40", " w41"])]
    assert set(single["under"]) == {f"' w40 w41' {where}"}


def test_what_stands_after_the_position_is_found_anywhere() -> None:
    tokens = texts()
    tokens[NEAR[:40], 9] = 40
    table = found(tokens, NEAR, column=5)
    assert table.iloc[0][["pattern", "where"]].tolist() == [" w40", "anywhere"]


def test_words_are_found_whatever_their_case_and_tokens() -> None:
    vocabulary = [f" w{i}" for i in range(40)] + [" Lon", "don", " lon", " LONDON", "."]
    tokens = texts()
    for turn, row in enumerate(NEAR[:39]):
        spelled = [[40, 41], [42, 41], [43, 44]][turn % 3]
        tokens[row, 3:5] = spelled
    table = found(tokens, NEAR, text_of=vocabulary.__getitem__)
    assert table.iloc[0]["pattern"] == "london"
    assert table.iloc[0]["count"] == 39
    assert table.iloc[0]["share"] == 39 / K


def test_p_is_fishers_and_corrected_by_holm() -> None:
    tokens = texts()
    tokens[NEAR[20:28], T - 3] = 40
    tokens[NEAR[:12], T - 1] = 41
    # Elsewhere too: neither is beyond all measure.
    tokens[100:104, T - 3] = 40
    tokens[110:116, T - 1] = 41
    table = found(tokens, NEAR)
    tested = table.attrs["tested"]
    raw = {}
    for pattern, where, token, column in (
        (" w40", "2 before", 40, T - 3),
        (" w41", "here", 41, T - 1),
    ):
        has = (tokens[:, column] == token)[1:]
        near = np.isin(np.arange(1, N), NEAR)
        both = int((has & near).sum())
        square = [
            [both, int((has & ~near).sum())],
            [int((~has & near).sum()), int((~has & ~near).sum())],
        ]
        [row] = table[(table["pattern"] == pattern) & (table["where"] == where)].to_dict("records")
        raw[pattern] = fisher_exact(square, alternative="greater")[1]
        assert row["base"] == pytest.approx(has.mean())
        assert row["share"] == pytest.approx(both / K)
        assert row["lift"] == pytest.approx(row["share"] / row["base"])
        # Of m tests, the first by m, the others by hardly less.
        assert raw[pattern] * (tested - len(table)) <= row["p"] <= raw[pattern] * tested * 1.0001
    assert table["p"].iloc[0] == pytest.approx(raw[" w41"] * tested, rel=1e-6)
    assert table["p"].is_monotonic_increasing


def test_the_selected_example_counts_nowhere() -> None:
    tokens = texts()
    tokens[NEAR[:20], T - 1] = 40
    alone = found(tokens, NEAR)
    tokens[0, T - 1] = 40
    pd.testing.assert_frame_equal(alone.iloc[:1], found(tokens, NEAR).iloc[:1])


def test_of_random_neighbors_hardly_any_share_a_pattern() -> None:
    # Texts as they are, with frequent and rare words, and neighbors drawn by chance.
    rng = np.random.default_rng(0)
    weights = 1 / np.arange(1, 301)
    tokens = rng.choice(300, (N, T), p=weights / weights.sum())
    inputs = Inputs(tokens)
    search = TextSearch(TextIndex(inputs, str), inputs)
    hits = sum(
        len(search.shared(T - 1, 0, rng.choice(np.arange(1, N), K, replace=False)).table) > 0
        for _ in range(200)
    )
    # At most 5 % of draws have any, by Holm: 19 of 200 is what chance exceeds once in 200 times.
    assert hits <= 19


def test_what_no_neighbors_could_make_significant_is_no_test() -> None:
    # Of 600 examples with 50 neighbors: one that is in 3 has at best 50·49·48 / (599·598·597).
    alike = np.array([3] * 1000 + [10] * 20 + [598])
    chosen = _testable(alike, N - 1, K)
    assert not chosen[:1000].any()
    assert chosen[1000:1020].all()
    assert not chosen[-1]


def test_padding_is_no_pattern_and_positions_are_each_examples_own() -> None:
    tokens = texts()
    lengths = np.random.default_rng(3).integers(6, T + 1, N)
    tokens[np.arange(T) >= lengths[:, None]] = 39
    own = np.arange(T) < lengths[:, None]
    tokens[own & (tokens == 39)] = 38
    tokens[NEAR[:30], lengths[NEAR[:30]] - 1] = 40
    table = found(tokens, NEAR, column=0, lengths=lengths, columns=(lengths - 1)[:, None])
    assert table.iloc[0][["pattern", "where"]].tolist() == [" w40", "here"]
    assert not table["pattern"].str.contains("w39").any()


def test_matches_are_where_the_neighbors_have_the_pattern() -> None:
    tokens = texts()
    tokens[NEAR[:20], 4:7] = [40, 41, 42]
    inputs = Inputs(tokens)
    shared = TextSearch(TextIndex(inputs, str), inputs).shared(T - 1, 0, NEAR)
    # Without spaces among them, tokens are words, and are shown apart.
    assert shared.table["pattern"].iloc[0] == "40 41 42"
    np.testing.assert_array_equal(
        shared.matches[0], np.stack([NEAR[:20], np.full(20, 4), np.full(20, 7)], axis=1)
    )


def test_an_explorer_finds_what_the_texts_near_an_example_share() -> None:
    tokens = texts()
    tokens[:60, 3] = 40
    matrix = np.random.default_rng(0).standard_normal((N, 8)).astype(np.float32)
    matrix[:60] += 10
    examples = cw.Examples(tokens, vocabulary=[f" w{i}" for i in range(41)])
    ex = cw.Explorer(examples=examples, activations={"embed@11": matrix})
    table = ex.shared_texts("embed@11", 7, k=50)
    assert table.iloc[0][["pattern", "where", "count"]].tolist() == [" w40", "8 before", 50]
    with pytest.raises(IndexError, match="no example"):
        ex.shared_texts("embed@11", N)
