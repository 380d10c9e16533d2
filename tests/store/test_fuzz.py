"""Fuzz: a store that was changed in any way is read as it was, or refused with a clear error.

2,000 changed stores by default, 5 to 10 seconds of one core. For more, as before a release:
``CLUSTERWIDGET_FUZZ=100000 .venv/bin/python -m pytest tests/store/test_fuzz.py``
"""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.fuzz import as_version_1, changed_bytes, changed_json, contents, kept, write

CASES = int(os.environ.get("CLUSTERWIDGET_FUZZ", "2000"))
MOST_MEMORY = 4 << 20
"""Bytes: the stores are of a few hundred, and JSON is read up to its own size on disk."""


class Changed:
    """A saved exploration of which one file at a time is changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = {
            str(file.relative_to(path)): file.read_bytes()
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }
        self.json = [name for name, content in self.files.items() if _has_values(name, content)]
        self.whole = repr(contents(path)), repr(kept(path))
        self.outcomes: Counter[str] = Counter()
        self.most = 0

    def outcome(self, name: str, content: bytes | None) -> None:
        """Read with one file changed, or removed; raise AssertionError for all but two outcomes."""
        file = self.path / name
        try:
            file.unlink() if content is None else file.write_bytes(content)
            # Watching memory takes most of the time of reading so little.
            watched = content is None or sum(self.outcomes.values()) % 10 == 0
            if watched:
                tracemalloc.start()
            try:
                records = name.startswith("records/")
                found = repr(kept(self.path) if records else contents(self.path))
            except (ValueError, FileNotFoundError) as error:
                named = str(self.path) in str(error) or "the saved swap test" in str(error)
                self.outcomes["refused" if named else f"unclear: {error!r}"] += 1
            else:
                same = found == self.whole[records]
                self.outcomes["as it was" if same else "other values"] += 1
            if watched:
                self.most = max(self.most, tracemalloc.get_traced_memory()[1])
                assert self.most < MOST_MEMORY
        finally:
            tracemalloc.stop()
            file.write_bytes(self.files[name])


def _has_values(name: str, content: bytes) -> bool:
    return Path(name).name in (".zattrs", ".zarray", ".zgroup") and content != b"{}"


@pytest.fixture(params=[2, 1], ids=["version 2", "version 1"])
def changed(request: Any, tmp_path: Path) -> Iterator[Changed]:
    memory = Path("/dev/shm")
    path = (memory if memory.is_dir() else tmp_path) / f"clusterwidget-fuzz-{os.getpid()}.zarr"
    write(path)
    if request.param == 1:
        as_version_1(path)
    try:
        yield Changed(path)
    finally:
        shutil.rmtree(path)


def _try(change: Callable[[random.Random], None]) -> None:
    """Call a function with what it can choose by, for its share of the cases.

    Hypothesis draws a seed only: to draw each choice takes longer than to read the store.
    """
    limits = settings(
        max_examples=CASES // 4,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )

    def case(seed: int) -> None:
        change(random.Random(seed))

    limits(given(st.integers(0, 2**64 - 1))(case))()


def test_any_bytes_in_any_file(changed: Changed, request: Any) -> None:
    def change(rng: random.Random) -> None:
        name = rng.choice(list(changed.files))
        changed.outcome(name, changed_bytes(rng, changed.files[name]))

    _try(change)
    if "2" in request.node.callspec.id:
        assert changed.outcomes["other values"] == 0
    for name in changed.files:
        # A record that is not there is one that was never made.
        if not name.startswith("records/"):
            changed.outcome(name, None)
    _report(changed)


def test_any_values_in_any_document(changed: Changed) -> None:
    def change(rng: random.Random) -> None:
        name = rng.choice([*changed.json, *[".zattrs"] * len(changed.json)])
        changed.outcome(name, changed_json(rng, changed.files[name]))

    _try(change)
    _report(changed)


def test_no_file_is_read_through_a_link(changed: Changed, tmp_path: Path) -> None:
    for name, content in changed.files.items():
        (tmp_path / "elsewhere").write_bytes(content)
        (changed.path / name).unlink()
        (changed.path / name).symlink_to(tmp_path / "elsewhere")
        read = kept if name.startswith("records/") else contents
        try:
            if content == b"{}" or ("/" in name and Path(name).name == ".zgroup"):
                # These are there for other tools only.
                assert repr(read(changed.path)) in changed.whole
            else:
                with pytest.raises(ValueError, match="is a link"):
                    read(changed.path)
        finally:
            (changed.path / name).unlink()
            (changed.path / name).write_bytes(content)


def _report(changed: Changed) -> None:
    print(dict(changed.outcomes), f"{changed.most / 1e6:.2f} MB at most")
    assert set(changed.outcomes) <= {"refused", "as it was", "other values"}
    assert changed.outcomes["refused"] > sum(changed.outcomes.values()) / 4


class Harm:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("import sys; sys.harmed = True",)


def test_a_pickle_is_never_loaded(changed: Changed) -> None:
    """With zarr 2.18 and numcodecs 0.13, reading this with the libraries runs the code."""
    for codec in ({"compressor": {"id": "pickle"}}, {"filters": [{"id": "pickle"}], "dtype": "|O"}):
        for array in ("tokens", "stages/0", "labels/text"):
            files = {name: json.loads(changed.files[f"{array}/{name}"]) for name in (".zarray",)}
            evil = json.dumps({**files[".zarray"], "compressor": None, **codec}).encode()
            chunk = "0" if array == "labels/text" else "0.0"
            (changed.path / array / chunk).write_bytes(pickle.dumps(Harm()))
            changed.outcome(f"{array}/.zarray", evil)
            (changed.path / array / chunk).write_bytes(changed.files[f"{array}/{chunk}"])
    assert changed.outcomes == {"refused": 6}
    assert not hasattr(sys, "harmed")
