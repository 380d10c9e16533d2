import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformer_lens.model_bridge import TransformerBridge

from clusterwidget.addition import load_model
from clusterwidget.addition.arithmetic import NUMBERS
from clusterwidget.addition.exhaustive import ProblemTree
from clusterwidget.addition.model import Config, build
from clusterwidget.addition.verification import (
    Tally,
    margins,
    sample,
    verify_all,
    verify_sample,
)


def noisy(model: TransformerBridge, noise: float) -> TransformerBridge:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight += noise * torch.randn(weight.shape, generator=generator)
    return model


def every(lefts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(lefts, NUMBERS), np.tile(np.arange(NUMBERS), len(lefts))


@pytest.fixture(scope="module")
def planted() -> TransformerBridge:
    """The shipped model, spoilt so that some answers are wrong."""
    return noisy(load_model("cpu"), 0.02)


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(n_layers=1),
        Config(n_layers=3, n_heads=2, d_model=24, d_head=12, d_mlp=40),
    ],
    ids=["as shipped", "one layer", "three layers"],
)
def test_the_tree_agrees_with_the_forward_of_any_model(config: Config) -> None:
    # Noise, since biases start at zero and norms at one, where a mistake would not show.
    model = noisy(build(config, seed=2), 0.1)
    lefts = [7, 9_608]
    found = ProblemTree(model, block=30).margins(torch.tensor(lefts))
    # Every seventh, which meets every digit in every column.
    left, right = (numbers[::7] for numbers in every(lefts))
    expected = margins(model, left, right)
    torch.testing.assert_close(found.flatten()[::7], expected, atol=1e-4, rtol=0)


def test_the_tree_agrees_with_the_forward_of_the_shipped_model(adder: TransformerBridge) -> None:
    found = ProblemTree(adder).margins(torch.tensor([4_567]))
    left, right = (numbers[::7] for numbers in every([4_567]))
    torch.testing.assert_close(found.flatten()[::7], margins(adder, left, right), atol=1e-3, rtol=0)


def test_planted_wrong_answers_are_counted_as_by_brute_force(
    planted: TransformerBridge, tmp_path: Path
) -> None:
    lefts = [1, 4_999, 9_999]
    found, _ = verify_all(planted, tmp_path / "progress", lefts=lefts, shard=2)
    expected = verify_sample(planted, *every(lefts))
    assert found.checked == expected.checked == 30_000
    assert 0 < found.wrong == expected.wrong < 30_000
    assert found.failures == expected.failures
    assert found.tightest == expected.tightest
    assert found.smallest_margin == pytest.approx(expected.smallest_margin, rel=2e-5)


def test_verification_goes_on_where_it_was_interrupted(
    planted: TransformerBridge, tmp_path: Path
) -> None:
    whole, _ = verify_all(planted, tmp_path / "whole", lefts=range(3), shard=1)
    checked: list[int] = []

    def interrupt(count: int) -> None:
        checked.append(count)
        if len(checked) == 3:
            raise KeyboardInterrupt

    path = tmp_path / "progress"
    with pytest.raises(KeyboardInterrupt):
        verify_all(planted, path, interrupt, lefts=range(3), shard=1)
    assert checked == [0, 10_000, 10_000]
    assert list(json.loads(path.read_text())["done"]) == ["0"]

    checked.clear()
    resumed, seconds = verify_all(planted, path, checked.append, lefts=range(3), shard=1)
    assert checked == [10_000, 10_000, 10_000]
    assert resumed == whole
    assert seconds > 0
    again, same_seconds = verify_all(planted, path, lefts=range(3), shard=1)
    assert (again, same_seconds) == (whole, seconds)


def test_progress_of_other_weights_is_refused(
    adder: TransformerBridge, planted: TransformerBridge, tmp_path: Path
) -> None:
    path = tmp_path / "progress"
    verify_all(adder, path, lefts=[5], shard=1)
    with pytest.raises(ValueError, match=r"this run about.*another --progress-file, or delete"):
        verify_all(planted, path, lefts=[5], shard=1)
    with pytest.raises(ValueError, match="this run about"):
        verify_all(adder, path, lefts=[5, 6], shard=1)


def test_a_file_that_holds_no_progress_is_refused(adder: TransformerBridge, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("not JSON")
    with pytest.raises(ValueError, match="notes holds no progress of `verify`"):
        verify_all(adder, path, lefts=[5])
    assert path.read_text() == "not JSON"


def test_the_sample_holds_every_carry_pattern() -> None:
    left, right = sample(n=1_000, each=3)
    assert len(left) == len(right) == 1_000 + 81 * 3
    patterns: dict[str, int] = {}
    for a, b in zip(left[1_000:].tolist(), right[1_000:].tolist(), strict=True):
        columns = zip(f"{a:04}", f"{b:04}", strict=True)
        pattern = "".join("<=>"[(s > 9) + (s >= 9)] for s in (int(x) + int(y) for x, y in columns))
        patterns[pattern] = patterns.get(pattern, 0) + 1
    assert len(patterns) == 81
    assert set(patterns.values()) == {3}


def test_margins_are_positive_exactly_where_all_five_digits_are_right(
    planted: TransformerBridge,
) -> None:
    left, right = every([4_999])
    found = margins(planted, left, right)
    labels = [f"{a:04}+{b:04}={a + b:05}" for a, b in zip(left, right, strict=True)]
    ids = torch.tensor([["0123456789+=".index(character) for character in x] for x in labels])
    with torch.inference_mode():
        written = planted(ids[:, :-1]).argmax(-1)[:, 9:]
    np.testing.assert_array_equal(found > 0, (written == ids[:, 10:]).all(1))


def test_an_answer_that_is_no_number_is_wrong() -> None:
    tally = Tally()
    tally.add(np.array([1, 2]), np.array([3, 4]), torch.tensor([1.0, math.nan]))
    assert tally == Tally(2, 1, -math.inf, "0002+0004=00006", ["0002+0004=00006"])


def test_only_the_first_failures_are_kept() -> None:
    tally = Tally()
    numbers = np.arange(8)
    for _ in range(2):
        tally.add(numbers, numbers, torch.full((8,), -1.0))
    assert tally.wrong == 16
    assert len(tally.failures) == 10
