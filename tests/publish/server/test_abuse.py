"""What one visitor does costs nobody else anything."""

from __future__ import annotations

import collections
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

import clusterwidget as cw
from clusterwidget.publish.server.framing import BadMessage, read_message
from clusterwidget.publish.server.limits import Limits
from clusterwidget.wire.replies import _HANDLERS
from tests.publish.server.running import Visit, running, visiting

STAGE = "L1.resid_post@f"
Opened = Callable[..., cw.Explorer]

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["embed@a", STAGE, "L9.z@0", "odd", -1, 60, 10**17, "\x00", "\u202e", "1 2"]),
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some, max_size=2)
    ),
    max_leaves=4,
)
NAMES = ["stage", "row", "without", "text", "kinds", "first", "k", "receiver", "donor", "free",
         "pairs", "answer", "names", "component"]  # fmt: skip
REQUESTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["request", "request", "request", "cancel", "bye"]),
        "id": st.integers(0, 5) | PLAIN,
        "what": st.sampled_from([*_HANDLERS]) | PLAIN,
    },
    optional=dict.fromkeys(NAMES, VALUES),
)
FRAMES = st.one_of(
    st.lists(REQUESTS.map(json.dumps), min_size=1, max_size=4),
    st.lists(VALUES.map(json.dumps) | st.text() | st.binary(max_size=50), min_size=1, max_size=3),
)


@pytest.fixture(scope="module")
def neighbor(opened: Opened) -> Any:
    """Return a function that opens a connection to a server, and a visitor who was there before."""
    with running(opened(False)) as address, visiting(address) as visit:
        visit.ask("labels")
        yield address, visit


# The server's own thread, not the test, uses `random`.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@given(frames=FRAMES)
@example(frames=["[" * 10_000])
@example(frames=['{"type": "request", "id": ' + "9" * 9000 + "}"])
@example(frames=['{"type": "request", "id": NaN, "what": "hello"}'])
@example(frames=["x" * 100_000])
@example(
    frames=[json.dumps({"type": "request", "id": 1, "what": "concepts", "names": ["odd"] * 900})]
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_one_visitor_sends_the_other_is_answered(
    neighbor: tuple[str, Visit], frames: list[str | bytes]
) -> None:
    address, other = neighbor
    with visiting(address) as visit:
        for frame in frames:
            with suppress(ConnectionClosed):
                visit.socket.send(frame)
        started = time.monotonic()
        assert other.ask("captions", row=3)[0]["captions"]
        assert time.monotonic() - started < 5
        with suppress(ConnectionClosed, TimeoutError):
            visit.socket.recv(timeout=0.01)


@given(text=st.text() | VALUES.map(json.dumps) | REQUESTS.map(json.dumps))
def test_a_message_is_read_or_refused_in_words(text: str) -> None:
    with suppress(BadMessage):
        request = read_message(text)
        assert request.kind in ("request", "cancel")
        assert 0 <= request.id < 1 << 53


def test_a_message_that_is_too_large_closes_its_own_connection_only(address: str) -> None:
    with visiting(address) as visit, visiting(address) as other:
        visit.socket.send(json.dumps({"type": "request", "id": 1, "what": "x" * (1 << 20)}))
        with pytest.raises(ConnectionClosed) as closed:
            visit.socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        assert other.ask("hello")[0]["n"] == 60


def test_an_unknown_request_and_a_wrong_field_are_answered_in_words(address: str) -> None:
    with visiting(address) as visit:
        assert "does not know" in visit.refused("open", path="/etc/passwd")
        assert "whole number" in visit.refused("captions", row="three")
        assert "lacks the field" in visit.refused("matrix", stage=STAGE)
        assert "pairs is one of 60" in visit.refused("swap_test", stage=STAGE, pairs=7, metric="l2")
        assert visit.ask("hello")[0]["n"] == 60


def test_who_asks_too_much_is_told_and_then_left(opened: Opened) -> None:
    limits = Limits(rate=1000, open=10)
    with (
        running(opened(), limits) as address,
        visiting(address) as visit,
        visiting(address) as other,
    ):
        numbers = [visit.send("swap_test", stage=STAGE, pairs=None, metric="l2") for _ in range(11)]
        assert "too many answers" in visit.receive(numbers[-1])[0]["message"]
        asked = iter(range(60))
        with pytest.raises(ConnectionClosed):
            collections.deque((visit.receive(visit.send("hello")) for _ in asked), maxlen=0)
        assert next(asked) >= 40
        assert other.ask("hello")[0]["n"] == 60


def test_a_flood_does_not_keep_another_waiting(opened: Opened) -> None:
    with running(opened()) as address, visiting(address) as flood, visiting(address) as other:
        swap = {"stage": STAGE, "receiver": 1, "free": False}
        other.ask("swap", **swap, donor=0)
        over = threading.Event()

        def flooding() -> None:
            donor = 2
            with suppress(ConnectionClosed):
                while not over.is_set():
                    numbers = [flood.send("swap", **swap, donor=donor + step) for step in range(20)]
                    donor = 2 + (donor + 18) % 30
                    for number in numbers:
                        flood.receive(number)

        thread = threading.Thread(target=flooding)
        thread.start()
        time.sleep(0.3)
        waited = {}
        for what, fields in (
            ("matrix", {"stage": "L0.attn_out@b", "without": [], "metric": "l2"}),
            ("captions", {"row": 4}),
            ("swap", {**swap, "donor": 50}),
        ):
            started = time.monotonic()
            other.ask(what, **fields)
            waited[what] = time.monotonic() - started
        over.set()
        thread.join()
        # One turn of the flood may run before it, not twenty: there is room for a busy machine.
        assert max(waited.values()) < 2, waited


def test_who_reads_slowly_is_answered_all_the_same(opened: Opened) -> None:
    from clusterwidget.publish.server import visitor

    most = visitor._MOST_UNREAD_BYTES
    visitor._MOST_UNREAD_BYTES = 300
    try:
        with running(opened()) as address, visiting(address) as visit:
            # Each is larger than what may be unread, so that each waits for the one before.
            asked = [
                visit.send(
                    "distances", stage=f"L0.resid_post@{position}", without=[], row=row, metric="l2"
                )
                for position in "abcdefg"
                for row in range(3)
            ]
            time.sleep(0.5)
            for number in asked:
                assert visit.receive(number, timeout=20)[0]["type"] == "reply"
    finally:
        visitor._MOST_UNREAD_BYTES = most
