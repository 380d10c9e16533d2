from __future__ import annotations

import subprocess
import sys

import pytest

from clusterwidget.core.watch import CaptureCancelledError, Watch

SLOW = """
import time
from clusterwidget.core.watch import Watch
with Watch().bar(3) as watch:
    for done in range(4):
        time.sleep(0.5)
        watch.step(done, 3)
"""


def test_a_step_reports_lets_others_pass_and_then_asks_whether_to_stop() -> None:
    said: list[str] = []

    def cancelled() -> bool:
        said.append("asked")
        return len(said) > 4

    watch = Watch(lambda done, total: said.append(f"{done}/{total}"), cancelled, lambda: None)
    watch.step(1, 9)
    watch.step(2, 9)
    with pytest.raises(CaptureCancelledError):
        watch.step(3, 9)
    assert said == ["1/9", "asked", "2/9", "asked", "3/9", "asked"]
    assert watch.done == 3


def test_what_passes_between_two_steps_comes_before_the_question() -> None:
    order: list[str] = []

    def cancelled() -> bool:
        order.append("cancelled")
        return False

    Watch(cancelled=cancelled, pause=lambda: order.append("pause")).check()
    assert order == ["pause", "cancelled"]


def test_a_quiet_watch_reports_nothing_and_can_still_be_called_off() -> None:
    seen: list[int] = []
    quiet = Watch(lambda done, _: seen.append(done), lambda: True).quiet()
    with pytest.raises(CaptureCancelledError):
        quiet.step(1, 2)
    assert seen == []


def test_a_part_counts_on_from_what_was_done_before() -> None:
    seen: list[tuple[int, int]] = []
    watch = Watch(lambda *counts: seen.append(counts))
    watch.onward(10, 30).step(5, 10)
    assert watch.done == 15
    watch.onward(watch.done).step(2, 4)
    assert seen == [(15, 30), (17, 19)]


@pytest.mark.parametrize("name", ["progress", "cancelled", "pause"])
def test_what_cannot_be_called_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name} must be a function, not 3"):
        Watch(**{name: 3})  # type: ignore[arg-type]


def test_a_watch_is_taken_as_it_is() -> None:
    watch = Watch()
    assert Watch.of(watch) is watch
    assert isinstance(Watch.of(None, lambda: False), Watch)


@pytest.mark.parametrize("before", ["", "import ipykernel.kernelapp\n"])
def test_no_bar_is_written_into_a_log(before: str) -> None:
    # A program that knows of kernels, as a test runner may, is no notebook either.
    code = [sys.executable, "-c", before + SLOW]
    done = subprocess.run(code, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "")
