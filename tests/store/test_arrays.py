"""Arrays: what is read is what was written, and no more than the file declares."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import zarr

from clusterwidget.store import arrays
from clusterwidget.store.arrays import SavedArray, require_backed, write_array, write_group

DATA = {
    "floats": np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32),
    "numbers": np.arange(50, dtype=np.int64),
    "bytes": np.arange(50, dtype=np.uint8),
    "yes or no": np.arange(50) % 3 == 0,
    "three": np.arange(120, dtype=np.int16).reshape(10, 4, 3),
    "half": np.arange(9, dtype=np.float16),
}


@pytest.fixture(params=[1 << 26, 150])
def saved(tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Write in one chunk, and in many of which the last is not full."""
    monkeypatch.setattr(arrays, "MOST_CHUNK", request.param)
    write_group(tmp_path)
    return {name: write_array(tmp_path, name, data) for name, data in DATA.items()}


@pytest.mark.parametrize("name", DATA)
def test_rows_come_back(tmp_path: Path, saved: dict[str, Any], name: str) -> None:
    array = SavedArray.at(tmp_path, name, saved[name])
    assert array.nbytes == DATA[name].nbytes
    for start, stop in ((0, None), (3, 7), (8, 9), (5, 5), (7, 3), (2, 1000)):
        found = array.read(start, stop)
        np.testing.assert_array_equal(found, DATA[name][start:stop])
        assert found.dtype == DATA[name].dtype


@pytest.mark.parametrize("name", DATA)
def test_zarr_reads_what_is_written(tmp_path: Path, saved: dict[str, Any], name: str) -> None:
    group: Any = zarr.open_group(str(tmp_path), mode="r")
    np.testing.assert_array_equal(group[name][...], DATA[name])


@pytest.mark.parametrize("name", DATA)
def test_what_zarr_writes_is_read(tmp_path: Path, name: str) -> None:
    from numcodecs import GZip

    newer: dict[str, Any] = {"zarr_format": 2} if hasattr(zarr.Group, "create_array") else {}
    group: Any = zarr.open_group(str(tmp_path), mode="w", **newer)
    data = DATA[name]
    shape = {"shape": data.shape, "dtype": data.dtype, "chunks": (7, *data.shape[1:])}
    if newer:
        settings: dict[str, Any] = {"config": {"write_empty_chunks": True}}
        array = group.create_array(name, **shape, compressors=GZip(level=1), **settings)
    else:
        settings = {"write_empty_chunks": True}
        array = group.create_dataset(name, **shape, compressor=GZip(level=1), **settings)
    array[...] = data
    np.testing.assert_array_equal(SavedArray.at(tmp_path, name).read(), data)


def test_the_checksum_is_that_of_the_chunks_file(tmp_path: Path, saved: dict[str, Any]) -> None:
    for name, array in saved.items():
        files = sorted(
            (tmp_path / name).glob("[0-9]*"), key=lambda file: int(file.stem.split(".")[0])
        )
        assert array["crc32c"] == [google_crc32c.value(file.read_bytes()) for file in files]


@pytest.mark.parametrize("name", DATA)
def test_every_flipped_bit_is_noticed(tmp_path: Path, saved: dict[str, Any], name: str) -> None:
    array = SavedArray.at(tmp_path, name, saved[name])
    file = min((tmp_path / name).glob("[0-9]*"))
    whole = file.read_bytes()
    for bit in range(0, 8 * len(whole), 5):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        with pytest.raises(ValueError, match=f"damaged: {name}/"):
            array.read()


EVIL: dict[str, dict[str, Any]] = {
    "pickle as a compressor": {"compressor": {"id": "pickle"}},
    "pickle as a filter": {"filters": [{"id": "pickle", "protocol": 5}]},
    "a codec that is not known": {"compressor": {"id": "blosc"}},
    "a compressor that is a word": {"compressor": "gzip"},
    "objects": {"dtype": "|O", "filters": [{"id": "pickle"}]},
    "texts": {"dtype": "<U999999999"},
    "fields": {"dtype": [["a", "<f4"]]},
    "dates": {"dtype": "<M8[ns]"},
    "complex numbers": {"dtype": "<c8"},
    "another order": {"order": "F"},
    "another format": {"zarr_format": 3},
    "folders of chunks": {"dimension_separator": "/"},
    "no dimension": {"shape": [], "chunks": []},
    "a dimension of nothing": {"shape": [0], "chunks": [0]},
    "a negative dimension": {"shape": [-50], "chunks": [50]},
    "a dimension that is no integer": {"shape": [50.0]},
    "a dimension that is yes": {"shape": [True], "chunks": [True]},
    "immense": {"shape": [1 << 60], "chunks": [1 << 60]},
    "a chunk of gigabytes": {"shape": [1 << 30], "chunks": [1 << 30]},
    "chunks along two axes": {"shape": [50, 4], "chunks": [50, 2]},
    "a chunk larger than the array": {"chunks": [60]},
}


@pytest.mark.parametrize("change", EVIL)
def test_metadata_is_checked_before_anything_is_decoded(tmp_path: Path, change: str) -> None:
    write_array(tmp_path, "a", DATA["numbers"])
    file = tmp_path / "a" / ".zarray"
    file.write_text(json.dumps({**json.loads(file.read_text()), **EVIL[change]}))
    with pytest.raises(ValueError, match=r"is damaged: a is missing or not .* \(a/\.zarray: "):
        SavedArray.at(tmp_path, "a")


def test_a_declared_shape_without_chunks_takes_no_memory(tmp_path: Path) -> None:
    write_array(tmp_path, "a", DATA["numbers"])
    file = tmp_path / "a" / ".zarray"
    file.write_text(json.dumps({**json.loads(file.read_text()), "shape": [1 << 40]}))
    array = SavedArray.at(tmp_path, "a")
    with pytest.raises(ValueError, match="damaged: a/1 is missing"):
        array.read()


def test_a_chunk_that_unpacks_to_more_stops_at_what_is_declared(tmp_path: Path) -> None:
    write_array(tmp_path, "a", np.zeros(1 << 20, np.uint8))
    (tmp_path / "a" / "0").write_bytes(gzip.compress(bytes(1 << 26), 1))
    array = SavedArray.at(tmp_path, "a")
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="damaged: a/0"):
            array.read()
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_unpacking_takes_no_more_than_twice_the_size(tmp_path: Path) -> None:
    write_array(tmp_path, "a", np.random.default_rng(0).integers(0, 99, 1 << 22))
    array = SavedArray.at(tmp_path, "a")
    tracemalloc.start()
    try:
        array.read()
        assert tracemalloc.get_traced_memory()[1] < 2 * array.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(bytes(range(49))),
        gzip.compress(bytes(range(50)))[:-1],
        gzip.compress(bytes(range(50))) + b"x",
        gzip.compress(bytes(range(25))) + gzip.compress(bytes(range(25, 50))),
        b"",
        bytes(50),
    ],
    ids=["too short", "cut off", "bytes behind", "two streams", "empty", "not packed"],
)
def test_a_chunk_is_one_stream_of_the_declared_size(tmp_path: Path, raw: bytes) -> None:
    write_array(tmp_path, "a", DATA["bytes"])
    (tmp_path / "a" / "0").write_bytes(raw)
    with pytest.raises(ValueError, match="damaged: a/0"):
        SavedArray.at(tmp_path, "a").read()


def test_what_packs_far_too_well_is_refused_before_memory_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_FREE_BYTES", 1 << 10)
    write_array(tmp_path, "a", np.zeros(1 << 20, np.uint8))
    with pytest.raises(ValueError, match=r"would unpack to 1,048,576 bytes from .* fewer examples"):
        require_backed([SavedArray.at(tmp_path, "a")])


def test_a_chunk_behind_a_link_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(150 * 4))
    write_array(tmp_path / "store", "a", DATA["floats"])
    chunk = tmp_path / "store" / "a" / "0.0"
    chunk.unlink()
    chunk.symlink_to(secret)
    with pytest.raises(ValueError, match=r"store is not read: a/0\.0 is a link"):
        SavedArray.at(tmp_path / "store", "a").read()


def test_yes_and_no_are_no_other_bytes(tmp_path: Path) -> None:
    write_array(tmp_path, "a", DATA["yes or no"])
    (tmp_path / "a" / "0").write_bytes(gzip.compress(bytes([2] * 50)))
    with pytest.raises(ValueError, match="damaged: a/0"):
        SavedArray.at(tmp_path, "a").read()


def test_another_array_than_was_saved_is_noticed(tmp_path: Path) -> None:
    saved = write_array(tmp_path, "a", DATA["numbers"])
    for change in ({"dtype": "<u8"}, {"shape": [49], "chunks": [49]}, {"chunks": [25]}):
        file = tmp_path / "a" / ".zarray"
        before = file.read_text()
        file.write_text(json.dumps({**json.loads(before), **change}))
        with pytest.raises(ValueError, match=r"its \w+ was .*, and is "):
            SavedArray.at(tmp_path, "a", saved)
        file.write_text(before)
