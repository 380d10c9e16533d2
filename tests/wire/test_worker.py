"""The worker: order, cancellation, progress and errors, with a real model behind it."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import numpy as np
import pytest

from clusterwidget import Examples, Explorer
from clusterwidget.wire.worker import Worker
from tests.helpers import typed

SECONDS = 60


class Page:
    """Keeps what the worker sends."""

    def __init__(self, explorer: Explorer) -> None:
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self.added = threading.Event()
        self.worker = Worker(
            explorer, lambda message, _: self.messages.put(message), self.added.set
        )

    def ask(self, request_id: int, what: str, **arguments: Any) -> None:
        self.worker.submit(
            {
                "type": "request",
                "id": request_id,
                "view": "v",
                "what": what,
                "metric": "l2",
                **arguments,
            }
        )

    def wait(self, request_id: int, kind: str) -> dict[str, Any]:
        while True:
            message = self.messages.get(timeout=SECONDS)
            self.seen.append(message)
            if (message.get("id"), message["type"]) == (request_id, kind):
                return message


@pytest.fixture
def slow(native_model: Any) -> Explorer:
    """Return an explorer whose captures take seconds, in many batches."""
    tokens = np.random.default_rng(0).integers(0, 48, (6000, 7))
    known = {"parity": tokens[:, 0] % 2}
    return Explorer(native_model, Examples(tokens, concepts=known), batch_size=4)


def test_requests_are_answered_in_order_with_their_ids(
    native_model: Any, examples: Examples
) -> None:
    page = Page(Explorer(native_model, examples))
    for request_id in range(4):
        page.ask(request_id, "hello")
    page.wait(3, "reply")
    answered = [m for m in page.seen if m["type"] != "alive"]
    assert [(m["id"], m["view"], m["type"]) for m in answered] == [
        (request_id, "v", "reply") for request_id in range(4)
    ]


def test_a_running_capture_reports_progress_and_can_be_cancelled(slow: Explorer) -> None:
    page = Page(slow)
    page.ask(1, "matrix", stage="L1.resid_post@6", without=[])
    progress = page.wait(1, "progress")
    assert 0 < progress["done"] < progress["total"] == 6000
    page.worker.cancel("v", 1)
    page.wait(1, "cancelled")
    assert not slow.holds("L1.resid_post@6")


def test_a_waiting_request_can_be_cancelled(slow: Explorer) -> None:
    page = Page(slow)
    page.ask(1, "matrix", stage="L1.resid_post@6", without=[])
    page.ask(2, "matrix", stage="L1.resid_post@5", without=[])
    page.worker.cancel("v", 2)
    page.worker.cancel("v", 1)
    page.wait(2, "cancelled")
    assert not slow.holds("L1.resid_post@5")


def test_preparing_lets_others_pass_and_goes_on_where_it_was(slow: Explorer) -> None:
    page = Page(slow)
    page.ask(1, "prepare")
    page.wait(1, "progress")
    page.ask(2, "hello")
    page.wait(2, "reply")
    page.wait(1, "reply")
    order = [m["id"] for m in page.seen if m["type"] == "reply"]
    assert order == [2, 1]
    done = [m["done"] for m in page.seen if m["type"] == "progress" and m["id"] == 1]
    assert done == sorted(done)


def test_while_requests_are_open_the_page_hears_that_the_kernel_lives(
    native_model: Any, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = Explorer(native_model, examples)
    ends = threading.Event()
    monkeypatch.setattr(explorer, "partitions", lambda: ends.wait(SECONDS) and 1 / 0)
    page = Page(explorer)
    page.ask(1, "partitions")
    page.ask(2, "hello")
    heard = [page.messages.get(timeout=SECONDS) for _ in range(3)]
    assert heard == [{"type": "alive", "view": "v", "open": [1, 2], "unread": []}] * 3
    ends.set()
    page.wait(2, "reply")


def test_a_first_look_at_the_atlas_does_not_wait_for_preparing(slow: Explorer) -> None:
    page = Page(slow)
    page.ask(1, "prepare")
    page.wait(1, "progress")
    page.ask(2, "atlas", kinds=["embed"], first=None)
    page.ask(3, "atlas", kinds=["embed"], first=100)
    page.wait(3, "reply")
    page.worker.stop()
    assert not any(m["type"] == "reply" and m["id"] != 3 for m in page.seen)


def test_an_error_is_sent_in_words(native_model: Any, examples: Examples) -> None:
    page = Page(Explorer(native_model, typed(examples)))
    page.ask(1, "find", text="12a4")
    assert page.wait(1, "error")["message"] == "'12a4' is not 7 numbers"
    page.ask(2, "hello")
    page.wait(2, "reply")


def test_an_unforeseen_error_is_sent_and_logged(
    native_model: Any,
    examples: Examples,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = Explorer(native_model, examples)
    page = Page(explorer)
    nothing: dict[str, str] = {}
    monkeypatch.setattr(explorer, "partitions", lambda: nothing["gone"])
    page.ask(1, "partitions")
    assert "gone" in page.wait(1, "error")["message"]
    assert "a request of the page failed" in caplog.text


def test_an_added_example_is_announced(native_model: Any, examples: Examples) -> None:
    page = Page(Explorer(native_model, typed(examples)))
    page.ask(1, "find", text="1 2 3 4 5 6 7")
    answer = page.wait(1, "reply")
    assert (answer["index"], answer["added"]) == (60, True)
    assert page.added.wait(SECONDS)


def test_no_thread_stays_when_there_is_nothing_to_do(native_model: Any, examples: Examples) -> None:
    page = Page(Explorer(native_model, examples))
    page.ask(1, "hello")
    page.wait(1, "reply")
    ends = time.monotonic() + SECONDS
    while any(thread.name.startswith("clusterwidget") for thread in threading.enumerate()):
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_what_needs_no_activations_passes_a_capture_begun_ahead_of_its_request(
    slow: Explorer,
) -> None:
    page = Page(slow)
    page.worker.begin("L1.resid_post@6")
    page.ask(1, "hello")
    page.wait(1, "reply")
    assert not slow.holds("L1.resid_post@6")
    page.ask(2, "matrix", stage="L1.resid_post@6", without=[])
    assert page.wait(2, "progress")["total"] == 6000
    page.wait(2, "reply")
    about = {message.get("id") for message in page.seen if message["type"] != "alive"}
    assert about == {1, 2}, "the capture that was begun answered by itself"


def test_cancelling_the_request_ends_the_capture_that_was_begun_for_it(slow: Explorer) -> None:
    page = Page(slow)
    page.worker.begin("L1.resid_post@6")
    page.ask(1, "matrix", stage="L1.resid_post@6", without=[])
    page.wait(1, "progress")
    page.worker.cancel("v", 1)
    page.wait(1, "cancelled")
    assert not slow.holds("L1.resid_post@6")
