"""Small saved explorations, and ways to change one file of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clusterwidget import Answer, Examples, Stage
from clusterwidget.core.stages import StageRow, StageSet
from clusterwidget.meaning.parts import RECORDS as PARTS
from clusterwidget.meaning.parts import KnownParts, Part, Parts, PartsSettings
from clusterwidget.results.kept import RECORDS, Settings, SwapTests, as_record
from clusterwidget.results.swaptest import SwapTest
from clusterwidget.store.files import CHECKSUM, with_checksum
from clusterwidget.store.reading import Store
from clusterwidget.store.records import all_records, put_record
from clusterwidget.store.writing import write_store

WIDTH = 3
JUNK: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 3, 5, 1 << 20, 1 << 40, 1 << 70, -(1 << 70), 10**400, 1.5),
    *(float("inf"), float("nan"), "", "a", "..", "../a", "/etc/hostname", "stages/0", "stages/1"),
    *(
        "a\0b",
        "\ud800",
        "stages/../../x",
        "embed@a",
        "L0.z@a",
        "logits@b",
        "{other}",
        "{a",
        "x" * 999,
    ),
    *("|O", "|V8", "<U999999999", "S999999999", "<f8", ">f4", "<i4", "|b1", "<M8[ns]", "Int64"),
    *("category", "boolean", "Float64", "str", "string[pyarrow]", "Sparse[int64, 0]", "gzip"),
    *({"id": "pickle"}, {"id": "gzip"}, {"id": "zlib"}, [{"id": "pickle"}], "pickle"),
    *([], {}, [[]], [None], [0], [4], [1 << 40], [1 << 26], [4, 2], [2, 4], ["a", "b"], ["a", "a"]),
    *({"a": []}, {"": ""}, [{"a": 1}], [[[[[[[[]]]]]]]]),
)


def table() -> dict[str, Any]:
    """Return a row of a swap test's table."""
    numbers = (
        *("loss", "right", "recovered", "low", "high", "unusual"),
        *("cost", "cost_low", "cost_high", "changed", "right_without"),
    )
    texts = {"answer": "last", "title": "the last", "condition": "random"}
    return {**texts, "pairs": 4, **dict.fromkeys(numbers, 0.5), "right_constant": None}


def follows() -> dict[str, Any]:
    """Return a row of what follows."""
    numbers = ("share", "low", "high", "left_alone", "without")
    texts = {"answer": "last", "title": "the last", "pairs": "any"}
    return {**texts, **dict.fromkeys(numbers, 0.5), "n": 4, "chance": None}


def parts() -> dict[str, dict[str, Any]]:
    """Return the record of a stage's parts."""
    known = KnownParts()
    found = Parts((Part(("n",), 0.5, 0.5, 0.5, 0.0), Part(("n", "word"), 1, 0.5, 0.5, 0.0)), 0.0, 1)
    known.put(Stage.of("embed@a"), PartsSettings((), 0, 4), found)
    return known.records()


def write(path: Path) -> None:
    """Write a small exploration that has something of everything."""
    examples = Examples(
        np.arange(8).reshape(4, 2),
        positions=["a", "b"],
        labels=["one", "", "№ 3", "four"],
        concepts=pd.DataFrame({"n": range(4), "word": pd.Categorical(["x", None, "y", "x"])}),
        answers=[Answer("last", "b", np.arange(4), "the last", "{n}!")],
        axes={"a": ("n", "word")},
        families={"n": "numbers"},
        descriptions={"word": "A word, or none."},
    )
    rows = [
        StageRow("embed", None, None, (WIDTH, WIDTH)),
        StageRow("result", 0, 1, (0, WIDTH)),
    ]
    stage_set = StageSet(rows, examples.positions)
    rng = np.random.default_rng(0)
    matrices = {
        Stage.of(name): rng.standard_normal((4, WIDTH)).astype(np.float32)
        for name in ("embed@a", "L0H1.result@b")
    }
    test = SwapTest(
        Stage.of("embed@a"),
        None,
        "last",
        "enough",
        "sets",
        "They can.",
        pd.DataFrame([table()]),
        pd.DataFrame([follows()]),
    )
    write_store(
        path,
        examples,
        stage_set,
        matrices.items(),
        bases=[("L0H1.result", np.eye(3, 5, dtype=np.float32))],
        records=lambda: {RECORDS: dict([as_record(test, Settings())]), PARTS: parts()},
        fingerprint=np.ones((2, 2, 5), np.float32),
    )
    put_record(path, "notes", "1", {"text": "mine", "numbers": [1, 2.5, None]})


def as_version_1(path: Path) -> None:
    """Take the checksums out of an exploration, as it was saved before there were any."""
    for file in path.rglob(".zattrs"):
        document = json.loads(file.read_text())
        document.pop(CHECKSUM, None)
        if file.parent == path:
            del document["checksums"]
            document["version"] = 1
        file.write_text(json.dumps(document))


def contents(path: Path) -> dict[str, Any]:
    """Read all that is in an exploration but its records, as values that can be compared."""
    store = Store(path)
    examples = store.examples()
    basis, fingerprint = store.basis(0, 1), store.fingerprint
    return {
        "tokens": examples.tokens.tolist(),
        "positions": examples.positions,
        "labels": examples.labels,
        "concepts": [(name, list(column.array)) for name, column in examples.concepts.items()],
        "answers": [
            (each.name, each.position, each.title, each.caption, each.tokens.tolist())
            for each in examples.answers.values()
        ],
        "axes": examples.axes,
        "families": examples.families,
        "descriptions": examples.descriptions,
        "texts": [examples.token_text(token) for token in range(8)],
        "rows": store.whole.rows,
        "stages": {
            str(stage): store.rows(stage).tolist() for stage in sorted(store.stages, key=str)
        },
        "basis": None if basis is None else basis.tolist(),
        "fingerprint": None if fingerprint is None else fingerprint.tolist(),
    }


def kept(path: Path) -> dict[str, Any]:
    """Read the records of an exploration."""
    found = all_records(path)
    SwapTests(lambda *_: None).restore(found.get(RECORDS, {}))
    return found


def changed_bytes(rng: random.Random, content: bytes) -> bytes:
    """Return another content of a file: bytes flipped, taken out, put in, or all replaced."""
    kind = rng.choice(["flip", "flip", "flip", "cut", "insert", "remove", "replace"])
    at = rng.randrange(max(1, len(content)))
    if kind == "flip":
        return content[:at] + bytes([content[at] ^ rng.randint(1, 255)]) + content[at + 1 :]
    if kind == "cut":
        return content[:at]
    if kind == "insert":
        return content[:at] + rng.randbytes(rng.randint(1, 9)) + content[at:]
    if kind == "remove":
        return content[:at] + content[at + rng.randint(1, 9) :]
    return rng.randbytes(rng.randrange(30))


def changed_json(rng: random.Random, content: bytes) -> bytes:
    """Return another JSON document: one value replaced, removed, renamed or nested.

    The checksum is made to fit again, as who means harm would.
    """
    document = json.loads(content)
    at = rng.choice(_places(document))
    parent = document
    for key in at[:-1]:
        parent = parent[key]
    kind = rng.choice(["replace", "replace", "replace", "remove", "rename", "deep"])
    if kind == "remove":
        del parent[at[-1]]
    elif kind == "rename" and isinstance(parent, dict):
        parent[rng.choice([*parent, "a", "..", "stages/0", "embed@b"])] = parent.pop(at[-1])
    elif kind == "deep":
        deep: Any = parent[at[-1]]
        for _ in range(rng.choice([1, 2, 30, 200])):
            deep = [deep]
        parent[at[-1]] = deep
    else:
        parent[at[-1]] = rng.choice([*JUNK, rng.randint(-10, 10), rng.randint(0, 1 << 64)])
    if CHECKSUM in document:
        try:
            del document[CHECKSUM]
            return with_checksum(document)
        except ValueError:
            pass
    return json.dumps(document).encode()


def _places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the keys that lead to each value within a document."""
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    found = []
    for key, value in inner:
        found.append((*at, key))
        if isinstance(value, (dict, list)):
            found += _places(value, (*at, key))
    return found
