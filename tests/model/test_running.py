"""A page and a cell may ask at the same time."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples, Explorer
from clusterwidget.core.watch import CaptureCancelledError


def test_two_threads_on_one_model_do_not_mix(native_model: Any, examples: Examples) -> None:
    # Two explorers, as two widgets in one notebook have.
    asked = [("L0.resid_post@c", 3, 9), ("L1H2.result@g", 5, 8)]
    explorers = [Explorer(native_model, examples) for _ in asked]

    def answer(at: int) -> float:
        stage, receiver, donor = asked[at]
        table = explorers[at].swap(stage, receiver, donor).table
        return float(table["after_probability"].iloc[0])

    expected = [answer(at) for at in range(2)]
    found: list[list[float]] = [[], []]

    def repeat(at: int) -> None:
        found[at] = [answer(at) for _ in range(25)]

    threads = [threading.Thread(target=repeat, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)
    assert [len(answers) for answers in found] == [25, 25]


def test_what_the_first_swap_needs_can_be_called_off_and_lets_others_pass(
    native_model: Any, examples: Examples
) -> None:
    explorer = Explorer(native_model, examples)
    seen: list[tuple[int, int]] = []
    with pytest.raises(CaptureCancelledError):
        explorer.get_ready(lambda done, total: seen.append((done, total)), lambda: True)
    assert seen == [(60, 60)]

    def other_question() -> bool:
        explorer.swap("L0.attn_out@c", 0, 1)
        return False

    explorer.get_ready(lambda *_: None, other_question)
    seen.clear()
    explorer.get_ready(lambda done, total: seen.append((done, total)))
    assert seen == []
