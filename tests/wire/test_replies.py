"""What the page gets: arrays as bytes, and everything else as plain JSON."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clusterwidget import Answer, Examples, Explorer, Stage
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.neighbors import SIGNIFICANT, wide_look
from clusterwidget.wire.replies import concept_codes, reply


@pytest.fixture
def explorer(native_model: Any, examples: Examples) -> Explorer:
    known = Examples(
        examples.tokens,
        positions=examples.positions,
        concepts={"parity": examples.tokens[:, 0] % 2, "first": examples.tokens[:, 0]},
        answers=[Answer("last", "f", examples.tokens[:, 6], "the last", "{first} is {parity}")],
        axes={"g": ("parity", "first")},
        families={"parity": "whether it is odd"},
        descriptions={"parity": "1 where the first token is <odd>."},
        labels=[f"№{index} <b>" for index in range(60)],
    )
    return Explorer(native_model, known)


def ask(explorer: Explorer, what: str, **arguments: Any) -> tuple[dict[str, Any], list[Any]]:
    request = {"type": "request", "what": what, "metric": "l2", **arguments}
    fields, buffers = reply(explorer, request, Watch())
    return json.loads(json.dumps(fields)), [bytes(buffer) for buffer in buffers]


def test_hello_describes_what_there_is(explorer: Explorer) -> None:
    fields, buffers = ask(explorer, "hello")
    assert buffers == []
    assert fields["n"] == 60
    assert fields["positions"] == list("abcdefg")
    assert fields["axes"] == {"g": ["parity", "first"]}
    assert fields["answers"] == [{"name": "last", "position": "f", "title": "the last"}]
    assert fields["descriptions"] == {"parity": "1 where the first token is <odd>."}
    assert fields["can_parse"] is False
    scores = next(row for row in fields["rows"] if row["kind"] == "attn_scores")
    assert scores == {"kind": "attn_scores", "layer": 0, "head": 0, "widths": [1, 2, 3, 4, 5, 6, 7]}


def test_captions_are_filled_in_for_an_example(explorer: Explorer) -> None:
    first = explorer.examples.tokens[7, 0]
    assert ask(explorer, "captions", row=7)[0] == {"captions": [f"{first} is {first % 2}"]}


def test_labels_come_whole_whatever_is_written_in_them(explorer: Explorer) -> None:
    _, (text, offsets) = ask(explorer, "labels")
    bounds = np.frombuffer(offsets, np.uint32)
    parts = [text[start:end].decode() for start, end in itertools.pairwise(bounds)]
    assert parts == explorer.examples.labels


def test_tokens_come_in_the_smallest_type_with_their_texts(explorer: Explorer) -> None:
    fields, (tokens, last) = ask(explorer, "tokens")
    assert fields["dtype"] == "uint8"
    rows = np.frombuffer(tokens, np.uint8).reshape(-1, fields["positions"])
    np.testing.assert_array_equal(rows, explorer.examples.tokens)
    np.testing.assert_array_equal(np.frombuffer(last, np.uint8), explorer.examples.tokens[:, 6])
    assert set(fields["vocabulary"]) == {str(token) for token in np.unique(rows)}


def test_a_matrix_comes_as_it_is(explorer: Explorer) -> None:
    fields, (data,) = ask(explorer, "matrix", stage="L1H2.pattern@d", without=[])
    assert fields["columns"] == list("abcdefg")
    rows = np.frombuffer(data, np.float32).reshape(-1, fields["d"])
    np.testing.assert_array_equal(rows, explorer.matrix("L1H2.pattern@d"))
    assert ask(explorer, "matrix", stage="L1.mlp_out@d", without=[])[0]["columns"] is None


def test_distances_come_with_the_row_itself(explorer: Explorer) -> None:
    fields, (data, row) = ask(explorer, "distances", stage="L0.attn_out@c", without=[], row=9)
    distances = np.frombuffer(data, np.float32)
    np.testing.assert_array_equal(distances, explorer.distances("L0.attn_out@c", 9))
    np.testing.assert_array_equal(
        np.frombuffer(row, np.float32), explorer.matrix("L0.attn_out@c")[9]
    )
    assert fields["columns"] is None


def test_concepts_come_as_codes(explorer: Explorer) -> None:
    fields, (codes,) = ask(explorer, "concepts", names=["parity"])
    assert fields["concepts"] == [{"name": "parity", "values": ["0", "1"], "dtype": "uint8"}]
    assert np.frombuffer(codes, np.uint8).tolist() == explorer.examples.concepts["parity"].tolist()
    with pytest.raises(ValueError, match="no concept 'odd'"):
        ask(explorer, "concepts", names=["odd"])


@pytest.mark.parametrize(
    ("values", "codes", "texts"),
    [
        ([True, False, True], [1, 0, 1], ["False", "True"]),
        (["b", None, "a"], [1, 255, 0], ["a", "b"]),
        ([10, 2, 10], [1, 0, 1], ["2", "10"]),
        ([0.5, float("nan"), -1.0], [1, 255, 0], ["-1.0", "0.5"]),
    ],
)
def test_values_are_sorted_and_missing_ones_marked(
    values: list[Any], codes: list[int], texts: list[str]
) -> None:
    found, names = concept_codes(pd.Series(values))
    assert (found.tolist(), names) == (codes, texts)


def test_many_values_take_wider_codes() -> None:
    codes, texts = concept_codes(pd.Series(range(300)))
    assert codes.dtype == np.uint16
    assert len(texts) == 300


def test_preparing_captures_what_the_stage_map_shows(explorer: Explorer) -> None:
    fields, _ = ask(explorer, "prepare")
    assert fields == {}
    assert sum(map(explorer.holds, explorer.stages())) == 7 * (1 + 2 * (4 + 4 + 3) + 1)
    assert explorer.holds("L1H3.result@g")
    assert not explorer.holds("L1H3.q@g")


def test_a_question_that_nobody_asks_is_refused(explorer: Explorer) -> None:
    with pytest.raises(ValueError, match="'everything', which the kernel does not know"):
        ask(explorer, "everything")


def test_what_a_stage_knows_comes_to_the_page(explorer: Explorer) -> None:
    fields, buffers = ask(explorer, "partitions")
    assert [part["name"] for part in fields["partitions"]] == ["parity", "first"]
    assert (fields["wide"], fields["significant"]) == (wide_look(60), SIGNIFICANT)
    codes = np.frombuffer(buffers[0], fields["partitions"][0]["dtype"])
    assert codes.tolist() == explorer.examples.concepts["parity"].tolist()


def test_the_atlas_comes_with_what_explains_each_stage(explorer: Explorer) -> None:
    fields, (data,) = ask(explorer, "atlas", kinds=["embed", "nothing"], first=None)
    assert fields["stages"] == [f"embed@{position}" for position in "abcdefg"]
    shares = np.frombuffer(data, np.float32).reshape(7, 2)
    assert fields["concepts"][fields["best"][0]] == "first"
    hues = [fields["hues"][index]["name"] for index in fields["hue_of"]]
    assert hues == ["whether it is odd", "other"]
    assert shares[0, 1] == pytest.approx(1)
    assert fields["best"][3] == -1
    assert (fields["pairs"], fields["axes"][0]) == ([["parity", "first"]], 0)


def test_the_lens_comes_or_says_why_it_does_not(explorer: Explorer) -> None:
    fields, _ = ask(explorer, "lens", stage="L1.resid_post@f", row=4, k=10)
    assert fields["available"]
    assert fields["kind"] == "probability"
    assert len(fields["tokens"]) == 5
    assert fields["answer"]["name"] == "last"
    assert 0 <= fields["same"] <= fields["of"] == 10
    refused, _ = ask(explorer, "lens", stage="L1H0.q@f", row=4, k=10)
    assert not refused["available"]
    assert "cannot read it" in refused["reason"]


def test_clusters_come_with_their_names(explorer: Explorer) -> None:
    fields, (codes,) = ask(explorer, "clusters", stage="embed@a", without=[])
    found = explorer.clusters("embed@a")
    assert fields["names"] == list(found.names)
    assert np.frombuffer(codes, fields["dtype"]).tolist() == found.labels.tolist()


def test_the_atlas_of_a_large_model_leaves_its_most_numerous_kinds_out(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ["result", "resid_post", "logits"]
    groups = sum(len(part.groups) for part in explorer.partitions().all)
    room = 8 * groups * sum(map(explorer.stage_set.width, explorer.stages(kinds=kinds[:2])))
    for limit, expected in ((room, {"result", "resid_post"}), (room - 1, {"resid_post"})):
        monkeypatch.setattr("clusterwidget.wire.replies_meaning._UNBIDDEN_BYTES", limit)
        fields, _ = ask(explorer, "atlas", kinds=kinds, first=None)
        assert {Stage.parse(stage).kind for stage in fields["stages"]} == expected


def test_of_very_many_examples_only_what_is_held_is_on_the_atlas(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterwidget.wire.replies_meaning._UNBIDDEN_EXAMPLES", 50)
    fields, (data,) = ask(explorer, "atlas", kinds=["resid_post"], first=None)
    assert (fields["stages"], fields["best"], data) == ([], [], b"")
    explorer.matrix("L0.resid_post@c")
    assert ask(explorer, "atlas", kinds=["resid_post"], first=None)[0]["stages"] == [
        "L0.resid_post@c"
    ]


def test_preparing_is_left_where_not_all_can_be_held(native_model: Any, examples: Examples) -> None:
    small = Explorer(native_model, examples, memory=100_000)
    ask(small, "prepare")
    assert not any(small.holds(stage) for stage in small.stages())


def test_a_first_look_at_the_atlas_is_of_the_first_examples(explorer: Explorer) -> None:
    explorer = Explorer(explorer.model, explorer.examples)
    quick, (data,) = ask(explorer, "atlas", kinds=["resid_post"], first=20)
    other = Explorer(explorer.model, explorer.examples)
    every, (whole,) = ask(explorer, "atlas", kinds=["resid_post"], first=None)
    assert quick["stages"] == every["stages"]
    pairs = [("parity", "first")]
    expected = other.atlas_of(other.stages(kinds=["resid_post"]), pairs=pairs, first=20)
    shares = np.frombuffer(data, np.float32).reshape(expected.shares.shape)
    np.testing.assert_allclose(shares, expected.shares, rtol=1e-5)
    assert data != whole
    # What is known of all examples is better than a first look.
    assert ask(explorer, "atlas", kinds=["resid_post"], first=20)[1] == [whole]
