"""Jobs of many visitors, in turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from clusterwidget.publish.server.lanes import LAST, PATIENT, QUICK, SOON, Job, Lane

Pause = Callable[[], None] | None


class Recorder:
    """Answers jobs by noting them; the first waits until it is let go."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, int]] = []
        self.go = threading.Event()
        self.first = threading.Event()

    def answer(self, job: Job, pause: Pause) -> None:
        if job.id == 0:
            self.first.set()
            self.go.wait(20)
        if job.patience == LAST and pause is not None:
            pause()
        self.done.append((job.visitor, job.id))

    def wait(self, count: int) -> list[tuple[Any, int]]:
        until = time.monotonic() + 20
        while len(self.done) < count and time.monotonic() < until:
            time.sleep(0.005)
        return self.done


@contextmanager
def lane(may: Callable[[Any], bool] = lambda _: True) -> Iterator[tuple[Lane, Recorder]]:
    recorder = Recorder()
    made = Lane("test", recorder.answer, may)
    made.start()
    made.submit(Job("nobody", 0, {}, QUICK))
    recorder.first.wait(20)
    yield made, recorder
    recorder.go.set()
    made.stop()


def test_visitors_take_turns_however_much_one_asks() -> None:
    with lane() as (made, recorder):
        for number in range(1, 21):
            made.submit(Job("flood", number, {}, SOON))
        for number in (1, 2):
            made.submit(Job("other", number, {}, SOON))
        recorder.go.set()
        order = recorder.wait(23)[1:]
    assert [visitor for visitor, _ in order[:4]].count("other") == 2
    assert [number for visitor, number in order if visitor == "flood"] == list(range(1, 21))


def test_the_less_patient_pass_what_runs_one_of_each_visitor() -> None:
    with lane() as (made, recorder):
        made.submit(Job("patient", 1, {}, LAST))
        recorder.go.set()
        recorder.wait(2)
    assert recorder.done == [("nobody", 0), ("patient", 1)]
    passing = Recorder()

    def answer(job: Job, pause: Pause) -> None:
        if job.patience == LAST:
            for number in (1, 2, 3):
                made.submit(Job("flood", number, {}, SOON))
            made.submit(Job("other", 1, {}, SOON))
            assert pause is not None
            pause()
            passing.done.append(("paused", 0))
        passing.done.append((job.visitor, job.id))

    made = Lane("test", answer)
    made.start()
    made.submit(Job("patient", 1, {}, LAST))
    order = passing.wait(6)
    made.stop()
    assert order[:4] == [("flood", 1), ("other", 1), ("paused", 0), ("patient", 1)]


def test_what_has_waited_long_is_no_longer_passed_by_others() -> None:
    with lane() as (made, recorder):
        made.submit(Job("flood", 1, {}, SOON))
        made.submit(Job("flood", 2, {}, SOON))
        made.submit(Job("patient", 1, {}, PATIENT, asked=time.monotonic() - 60))
        recorder.go.set()
        order = recorder.wait(4)[1:]
    assert order.index(("patient", 1)) < order.index(("flood", 2))


def test_who_has_not_read_is_not_answered_and_holds_nobody_back() -> None:
    reads = {"deaf": False}
    with lane(lambda visitor: reads.get(visitor, True)) as (made, recorder):
        made.submit(Job("deaf", 1, {}, QUICK))
        made.submit(Job("other", 1, {}, SOON))
        recorder.go.set()
        assert recorder.wait(2)[1:] == [("other", 1)]
        reads["deaf"] = True
        made.nudge()
        assert recorder.wait(3)[2:] == [("deaf", 1)]


def test_a_waiting_job_is_called_off_and_a_running_one_is_told() -> None:
    with lane() as (made, recorder):
        made.submit(Job("one", 1, {}, QUICK))
        made.submit(Job("one", 2, {}, QUICK))
        assert made.cancel("one", 1)
        assert not made.cancel("nobody", 0)
        made.leave("two")
        recorder.go.set()
        assert recorder.wait(2) == [("nobody", 0), ("one", 2)]
