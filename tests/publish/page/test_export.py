from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clusterwidget import Explorer, Stage
from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.meaning.aside import partitions_aside, set_aside
from clusterwidget.publish.page.export import export
from clusterwidget.publish.page.recording import View
from tests.publish.page.hostile import HOSTILE, hostile_explorer
from tests.wire.asked import asked_explorer

STAGES = ["embed@a", "logits@</style>"]


def contents(page: Path) -> dict[str, Any]:
    """Return what a page's list says."""
    text = re.search(r'id="contents"[^>]*>([A-Za-z0-9+/=]*)</script>', page.read_text())
    assert text is not None
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text[1])))
    return found


def asked(page: Path) -> list[str]:
    return [reply["request"]["what"] for reply in contents(page)["replies"]]


def test_a_page_has_the_replies_that_it_needs(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    page = export(explorer, view, tmp_path / "page.html", STAGES)
    assert page == tmp_path / "page.html"
    assert {"hello", "labels", "tokens", "concepts", "partitions", "atlas"} <= set(asked(page))
    assert asked(page).count("matrix") == asked(page).count("parts") == 2
    traits = contents(page)["traits"]
    assert (traits["selected"], traits["stage"], traits["k"]) == (3, "embed@a", 10)


def test_texts_are_no_markup_in_the_page(explorer: Explorer, view: View, tmp_path: Path) -> None:
    text = export(explorer, view, tmp_path / "page.html", STAGES).read_text()
    for hostile in HOSTILE:
        assert hostile not in text
    # As many as are written: the list, three arrays and more, and the bundle.
    assert text.count("<script") == text.count("</script>")


def test_a_title_is_text(explorer: Explorer, view: View, tmp_path: Path) -> None:
    page = export(explorer, view, tmp_path / "<b> & 'c'.html", STAGES)
    assert "<title>&lt;b&gt; &amp; &#x27;c&#x27;</title>" in page.read_text()


def test_the_policy_names_script_and_style_and_nothing_else(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    file = export(explorer, view, tmp_path / "page.html", STAGES).read_text()
    folder = export(explorer, view, tmp_path / "page", STAGES).read_text()
    policy = re.compile(
        r"default-src 'none'; script-src 'sha256-[^' ]{44}'; style-src 'sha256-[^' ]{44}'; "
        r"img-src data: blob:; base-uri 'none'; form-action 'none'(; connect-src 'self')?\""
    )
    assert [policy.search(text)[1] for text in (file, folder)] == [  # type: ignore[index]
        None, "; connect-src 'self'",
    ]  # fmt: skip


def test_the_size_is_told_before_anything_is_written(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    told: list[str] = []

    def tell(sentence: str) -> None:
        assert not (tmp_path / "page.html").exists()
        told.append(sentence)

    page = export(explorer, view, tmp_path / "page.html", STAGES, tell=tell)
    assert re.fullmatch(r".*page\.html: \d+ kB, 2 stages in float32\.", told[0])
    assert abs(page.stat().st_size / 1000 - int(told[0].split()[-6])) <= 1


def test_a_page_beyond_the_limit_is_not_written(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"would have \d+ kB .* limit is '100kB': .* a folder"):
        export(explorer, view, tmp_path / "page.html", STAGES, limit="100kB")
    assert list(tmp_path.iterdir()) == []


def test_stages_that_nobody_chose_are_as_many_as_fit(view: View, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    examples = hostile_explorer(2000).examples
    matrix = rng.standard_normal((2000, 40))
    explorer = Explorer(
        examples=examples, activations={f"L{i}.resid_post@a": matrix + i for i in range(6)}
    )
    view = replace(view, stage="L2.resid_post@a")
    whole = export(explorer, view, tmp_path / "whole.html")
    limit = whole.stat().st_size - 10_000
    page = export(explorer, view, tmp_path / "page.html", limit=limit)
    assert page.stat().st_size <= limit
    assert len(contents(whole)["replies"][-1]["fields"]["recorded"]["stages"]) == 6
    fewer = contents(page)["replies"][-1]["fields"]["recorded"]["stages"]
    assert fewer[0] == "L2.resid_post@a"
    assert len(fewer) == 5


def test_a_page_starts_at_a_stage_that_it_has(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    page = export(explorer, view, tmp_path / "page.html", "logits@</style>")
    assert contents(page)["traits"]["stage"] == "logits@</style>"


def test_a_folder_has_a_file_for_each_stage(explorer: Explorer, view: View, tmp_path: Path) -> None:
    page = export(explorer, view, tmp_path / "page", [*STAGES, "embed@</style>"], dtype="float16")
    assert page == tmp_path / "page" / "index.html"
    files = {array["file"] for array in contents(page)["arrays"]} - {None}
    assert {f"stages/{file.name}" for file in (tmp_path / "page/stages").iterdir()} == files
    # Of two stages the vectors and the map; those of the first are in the page.
    assert len(files) == 4
    assert all(re.fullmatch(r"stages/[0-9a-f]{24}\.bin", file) for file in files)


def test_the_first_distances_are_those_of_what_the_page_has(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    view = replace(view, without=["plain"])
    page = export(explorer, view, tmp_path / "page", dtype="float16")
    found = contents(page)
    reply = next(r for r in found["replies"] if r["request"]["what"] == "distances")
    blocks = re.findall(r'class="array">([A-Za-z0-9+/=]*)<', page.read_text())
    data = gzip.decompress(base64.b64decode(blocks[reply["buffers"][0]]))
    size = found["arrays"][reply["buffers"][0]]["size"]
    distances = np.frombuffer(data, np.uint8).reshape(size, -1).T.tobytes()
    rounded = explorer.matrix("embed@a").astype(np.float16).astype(np.float32)
    left = set_aside(rounded, partitions_aside(explorer.examples.concepts, ["plain"]))
    expected = np.linalg.norm(left - left[3], axis=1)
    np.testing.assert_allclose(np.frombuffer(distances, np.float32), expected, atol=1e-5)


@pytest.mark.parametrize("target", ["page.html", "page"])
def test_an_export_that_fails_leaves_the_earlier_one(
    explorer: Explorer, view: View, tmp_path: Path, target: str
) -> None:
    page = export(explorer, view, tmp_path / target, STAGES)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def stop(done: int, total: int) -> None:
        if done == 1 and total == 2:
            raise OSError("no space left")

    other = hostile_explorer(61)
    with pytest.raises(OSError, match="no space left"):
        export(other, view, tmp_path / target, STAGES, watch=Watch(stop))
    with pytest.raises(CaptureCancelledError):
        export(other, view, tmp_path / target, watch=Watch(cancelled=lambda: True))
    assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == before
    assert page.is_file()


def test_an_export_that_fails_leaves_nothing_where_nothing_was(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="without any stage"):
        export(explorer, view, tmp_path / "page", limit="10kB")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_other_things_is_left_alone(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    (tmp_path / "page").mkdir()
    own = tmp_path / "page" / "thesis.txt"
    own.write_text("mine")
    with pytest.raises(FileExistsError, match=r"is not empty.*overwrite=True"):
        export(explorer, view, tmp_path / "page")
    assert list((tmp_path / "page").iterdir()) == [own]
    export(explorer, view, tmp_path / "page", overwrite=True)
    first = {file.name for file in (tmp_path / "page/stages").iterdir()}
    # An earlier page is replaced, and what else is there stays.
    export(hostile_explorer(61), view, tmp_path / "page")
    assert own.read_text() == "mine"
    second = {file.name for file in (tmp_path / "page/stages").iterdir()}
    # Two stages, and the map of each.
    assert len(second) == 4
    assert not first & second


def test_a_file_that_is_no_page_is_left_alone(
    explorer: Explorer, view: View, tmp_path: Path
) -> None:
    own = tmp_path / "page.html"
    own.write_text("<p>mine")
    with pytest.raises(FileExistsError, match="no earlier page"):
        export(explorer, view, own, STAGES)
    assert own.read_text() == "<p>mine"
    export(explorer, view, own, STAGES, overwrite=True)
    export(explorer, view, own, STAGES)


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("page.pdf", ValueError, "ends in .pdf"),
        ("no/page.html", FileNotFoundError, "make it first"),
        ("", ValueError, "names no folder"),
        (3, TypeError, "not 3"),
    ],
)
def test_a_path_that_is_none_is_refused_before_work_begins(
    explorer: Explorer,
    view: View,
    tmp_path: Path,
    path: Any,
    error: type[Exception],
    message: str,
) -> None:
    where = tmp_path / path if isinstance(path, str) and path else path
    with pytest.raises(error, match=message):
        export(explorer, view, where, STAGES, watch=Watch(cancelled=lambda: True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": "20 apples"}, "limit '20 apples' is no amount"),
        ({"dtype": "float64"}, "dtype must be one of 'float32', 'float16'"),
        ({"stages": "L9.z@0"}, "L9.z@0"),
        ({"stages": []}, "no stage is named"),
    ],
)
def test_options_that_are_none_are_refused(
    explorer: Explorer, view: View, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        export(explorer, view, tmp_path / "page.html", **options)


@pytest.fixture(scope="module")
def asked_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Explorer, dict[str, Any]]:
    """Return an explorer of a small model that was asked some questions, and its page's list."""
    explorer = asked_explorer()
    explorer.trace(3, "next")
    explorer.trace(4, "next", draws=3)
    explorer.swap_test("L0.attn_out@b", pairs=40)
    explorer.clusters("embed@a")
    view = View(0, "L0.attn_out@b", 10, "distance", [], [], None)
    folder = tmp_path_factory.mktemp("asked")
    page = export(explorer, view, folder / "page.html", ["L0.attn_out@b", "embed@a"])
    return explorer, contents(page)


def fields_of(found: dict[str, Any], what: str, **request: Any) -> Any:
    return next(
        reply["fields"]
        for reply in found["replies"]
        if reply["request"] == {"what": what, **request}
    )


def test_traces_clusters_and_swap_tests_that_were_made_are_in_the_page(
    asked_once: tuple[Explorer, dict[str, Any]],
) -> None:
    explorer, found = asked_once
    trace = explorer.trace(3, "next")
    assert fields_of(found, "trace", row=3, answer="next")["probability"] == trace.probability
    assert fields_of(found, "clusters", stage="embed@a", without=[], metric="l2")["names"]
    test = fields_of(found, "swap_test", stage="L0.attn_out@b", pairs=None, metric="l2")
    assert test["sentence"] == explorer.known_swap_tests()[Stage.parse("L0.attn_out@b")].sentence
    hello = fields_of(found, "hello")
    # A trace with other settings is not the one that the page asks for.
    assert hello["recorded"]["traces"] == [[3, "next"]]
    assert hello["recorded"]["clusters"] == ["embed@a"]
    assert hello["has_model"]
    assert not hello["can_parse"]


def test_the_page_has_the_captions_of_all_examples(
    asked_once: tuple[Explorer, dict[str, Any]],
) -> None:
    explorer, found = asked_once
    (answer,) = fields_of(found, "captions")["answers"]
    captions = {explorer.examples.captions(row)["next"] for row in range(len(explorer.examples))}
    assert set(answer["values"]) == captions
