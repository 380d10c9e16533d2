import numpy as np
import pytest
import torch

from clusterwidget.addition.arithmetic import NUMBERS, digits
from clusterwidget.addition.model import Config, fingerprint
from clusterwidget.addition.training import Recipe, draw, learning_rate, train

SHORT = Recipe(steps=3, batch=64, warmup=2)


def test_the_same_seed_gives_the_same_bits() -> None:
    first, record = train(SHORT, Config())
    again, same_record = train(SHORT, Config())
    other, _ = train(Recipe(seed=1, steps=3, batch=64, warmup=2), Config())
    assert fingerprint(first) == fingerprint(again)
    assert record["loss"] == same_record["loss"]
    assert fingerprint(first) != fingerprint(other)


def test_training_lowers_the_loss_and_reports_every_step() -> None:
    losses: list[float] = []
    steps: list[int] = []

    def on_step(step: int, loss: float) -> None:
        steps.append(step)
        losses.append(loss)

    _, record = train(Recipe(steps=40, batch=128, warmup=10), Config(), on_step=on_step)
    assert steps == list(range(1, 41))
    assert losses[-1] < 0.8 * losses[0]
    assert record["loss"] == losses[-1]
    assert record["steps"] == 40


def test_training_leaves_the_number_of_threads_as_it_was() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train(SHORT, Config())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_training_problems_are_rich_in_nines_and_in_leading_zeros() -> None:
    left, right = draw(20_000, np.random.default_rng(0))
    for numbers in (left, right):
        assert numbers.min() == 0
        assert NUMBERS - 10 < numbers.max() < NUMBERS
        assert 0.1 < (numbers < 1000).mean() < 0.25
    four_nines = (digits(left) + digits(right) == 9).all(1)
    assert 0.03 < four_nines.mean() < 0.1


def test_the_learning_rate_warms_up_and_comes_down() -> None:
    recipe = Recipe(steps=1_000, warmup=100, learning_rate=1e-3, final_learning_rate=1e-6)
    rates = [learning_rate(step, recipe) for step in range(1_000)]
    assert rates[0] == 1e-5
    assert max(rates) == rates[99] == 1e-3
    assert rates[550] == pytest.approx((1e-3 + 1e-6) / 2)
    assert 1e-6 < rates[-1] < 1.01e-6 + 1e-8
