import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformer_lens.model_bridge import TransformerBridge

from clusterwidget import addition
from clusterwidget.addition.arithmetic import NINE, draw_columns
from clusterwidget.addition.model import (
    Config,
    build,
    fingerprint,
    read_model,
    read_recipe,
    save_model,
)
from clusterwidget.addition.shipped import WEIGHTS
from clusterwidget.addition.training import Recipe
from clusterwidget.core.files import write_whole

TINY = Config(n_layers=1, n_heads=2, d_model=8, d_head=4, d_mlp=16)


def test_the_shipped_model_adds_where_carries_run_through_nines(adder: TransformerBridge) -> None:
    rng = np.random.default_rng(11)
    classes = np.where(rng.random((3_000, 4)) < 0.7, NINE, rng.integers(3, size=(3_000, 4)))
    examples = addition.from_numbers(*draw_columns(classes, rng))
    with torch.inference_mode():
        written = adder(torch.from_numpy(examples.tokens)).argmax(-1).numpy()
    for answer in examples.answers.values():
        position = examples.positions.index(answer.position)
        np.testing.assert_array_equal(written[:, position], answer.tokens)


def test_the_shipped_weights_are_small_and_say_how_they_were_made() -> None:
    assert WEIGHTS.stat().st_size < 3_000_000
    shipped = read_recipe(WEIGHTS)
    committed = json.loads(json.dumps(asdict(Recipe())))
    assert {name: shipped[name] for name in committed} == committed
    assert shipped.keys() > committed.keys() | {"loss", "seconds", "torch", "transformer_lens"}


def test_the_shipped_record_is_about_the_shipped_weights(adder: TransformerBridge) -> None:
    record = json.loads(WEIGHTS.with_suffix(".verified.json").read_text())
    assert record["model"] == fingerprint(adder)
    assert record["checked"] == 100_000_000
    assert record["wrong"] == 0
    assert record["failures"] == []


def test_the_model_is_what_transformer_lens_makes_of_its_config(adder: TransformerBridge) -> None:
    assert isinstance(adder, TransformerBridge)
    assert (adder.cfg.n_layers, adder.cfg.n_heads, adder.cfg.d_vocab) == (2, 4, 12)
    assert adder.cfg.d_model <= 128


def test_a_saved_model_comes_back_the_same(tmp_path: Path) -> None:
    model = build(TINY, seed=1)
    save_model(tmp_path / "a", model, TINY, {"seed": 1})
    save_model(tmp_path / "b", model, TINY, {"seed": 1})
    read = read_model(tmp_path / "a", "cpu")
    assert fingerprint(read) == fingerprint(model)
    assert read_recipe(tmp_path / "a") == {"seed": 1}
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_models_of_other_seeds_have_other_fingerprints() -> None:
    assert fingerprint(build(TINY, seed=1)) == fingerprint(build(TINY, seed=1))
    assert fingerprint(build(TINY, seed=1)) != fingerprint(build(TINY, seed=2))


def test_weights_that_do_not_match_their_config_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mixed"
    wider = Config(n_layers=1, n_heads=2, d_model=8, d_head=4, d_mlp=32)
    save_model(path, build(TINY), wider, {})
    with pytest.raises(ValueError, match=r"do not match their config.*'d_mlp': 32.*\(16,\) and sh"):
        read_model(path)


def test_a_layer_too_many_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mixed"
    save_model(path, build(Config(**asdict(TINY) | {"n_layers": 2})), TINY, {})
    with pytest.raises(ValueError, match=r"'blocks\.1.* should be absent.*clusterwidget train"):
        read_model(path)


def test_a_config_with_unknown_entries_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "strange"
    save_file({"a": torch.zeros(1)}, path, {"adder": '{"config": {"wings": 2}, "recipe": {}}'})
    with pytest.raises(ValueError, match=r"config that is not understood.*wings"):
        read_model(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no weights at .*absent\.safetensors"):
        read_model(tmp_path / "absent.safetensors")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not weights")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    for name in ("text", "foreign"):
        with pytest.raises(ValueError, match=f"{name} is not a file of weights"):
            read_model(tmp_path / name)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def fail(handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
