"""Large messages come whole, whatever their sizes and whatever happens to their parts."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterwidget import Examples, Explorer
from clusterwidget.wire import inbox as inboxes
from clusterwidget.wire import parts as sending
from clusterwidget.wire.binary import as_bytes
from clusterwidget.wire.inbox import Inbox
from clusterwidget.wire.parts import Outbox
from clusterwidget.wire.worker import Worker
from tests.wire.test_worker import SECONDS

MOST_BYTES = 4_000_000
PART = 64
Message = tuple[dict[str, Any], list[Any]]


class Reader:
    """Puts messages together as `js/src/source/kernel/parts.ts` does, and asks for what is lost."""

    def __init__(self, at_a_time: int = 4) -> None:
        self.way: list[Message] = []
        self.messages = 0
        self.called_off: set[int] = set()
        self.parts: dict[int, dict[int, Message]] = {}
        self.outbox = Outbox(self._send, PART, at_a_time)

    def _send(self, message: dict[str, Any], buffers: Any) -> None:
        if message["type"] == "alive":
            return
        self.messages += 1
        self.way.append((message, [bytes(buffer) for buffer in buffers or []]))

    def read(self, chance: random.Random, lost: float = 0) -> dict[int, Message]:
        """Read messages in any order, lose some, until all are whole."""
        whole: dict[int, Message] = {}
        for _ in range(10_000):
            if not self.way:
                missing = self.outbox.waiting()
                if not missing:
                    return whole
                for key in missing:
                    here = self.parts.get(key[1], {})
                    self._ask(key, [part for part in range(60) if part not in here][:4])
                continue
            message, buffers = self.way.pop(chance.randrange(len(self.way)))
            if message["id"] in self.called_off:
                continue
            if message["type"] != "part":
                whole[message["id"]] = (message, buffers)
            elif chance.random() >= lost:
                self._take(message, buffers, whole)
        raise AssertionError("it never ends")

    def _take(self, part: dict[str, Any], buffers: list[Any], whole: dict[int, Message]) -> None:
        assert sum(map(len, buffers)) <= PART
        here = self.parts.setdefault(part["id"], {})
        here[part["part"]] = (part, buffers)
        key = (part["view"], part["id"])
        if len(here) < part["parts"]:
            self._ask(key, [at for at in range(part["parts"]) if at not in here][:4])
            return
        stream = bytearray(part["size"])
        for about, pieces in here.values():
            data = b"".join(pieces)
            stream[about["at"] : about["at"] + len(data)] = data
        told = json.loads(stream[: part["text"]])
        found, at = [], -(-part["text"] // 8) * 8
        for size in told["sizes"]:
            found.append(bytes(stream[at : at + size]))
            at += -(-size // 8) * 8
        whole[part["id"]] = (told["fields"], found)
        self.outbox.drop(key)

    def _ask(self, key: tuple[str, int], parts: list[int]) -> None:
        self.outbox.send_again(key, parts)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send parts again at once: the tests have no time to pass between two requests for them."""
    monkeypatch.setattr(sending, "_AGAIN_AFTER_SECONDS", 0.0)


buffers_of_any_size = st.lists(st.binary(max_size=5 * PART), max_size=5)
texts = st.text(max_size=3 * PART)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(texts, buffers_of_any_size), min_size=1, max_size=3),
    st.sampled_from([0, 0.1, 0.5]),
    st.integers(0, 99),
)
def test_what_is_sent_is_read_though_parts_come_in_any_order_mixed_and_some_are_lost(
    sent: list[tuple[str, list[bytes]]], lost: float, seed: int
) -> None:
    reader = Reader()
    messages = [
        {"type": "reply", "view": "v", "id": at, "text": text} for at, (text, _) in enumerate(sent)
    ]
    for message, (_, buffers) in zip(messages, sent, strict=True):
        reader.outbox.send(message, list(buffers))
    whole = reader.read(random.Random(seed), lost)
    assert whole == {
        at: (messages[at], buffers if buffers else []) for at, (_, buffers) in enumerate(sent)
    }


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(0, 99))
def test_a_message_that_is_called_off_half_way_is_sent_no_further(n: int, seed: int) -> None:
    reader = Reader()
    for request_id in (1, 2):
        message = {"type": "reply", "view": "v", "id": request_id}
        reader.outbox.send(message, [bytes(n * PART)])
    reader.outbox.drop(("v", 1))
    reader.called_off.add(1)
    before = reader.messages
    reader.outbox.send_again(("v", 1), [0, 1, 2, 3])
    told = reader.way.pop()[0]
    assert (told["type"], told["id"]) == ("error", 1)
    assert reader.messages == before + 1
    assert set(reader.read(random.Random(seed))) == {2}


def test_no_more_parts_are_under_way_than_were_asked_for() -> None:
    reader = Reader(at_a_time=3)
    reader.outbox.send({"type": "reply", "view": "v", "id": 1}, [bytes(20 * PART)])
    assert [message["part"] for message, _ in reader.way] == [0, 1, 2]
    reader.outbox.send_again(("v", 1), [3, 3, 99, -1, True, "4", None, 4])
    assert [message["part"] for message, _ in reader.way] == [0, 1, 2, 3, 4]
    several: list[Any] = [None, 3, {}, [[]]]
    for damaged in several:
        reader.outbox.send_again(("v", 1), damaged)
    assert reader.messages == 5


def test_a_part_that_is_asked_for_twice_at_once_is_sent_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "_AGAIN_AFTER_SECONDS", 60.0)
    reader = Reader(at_a_time=2)
    reader.outbox.send({"type": "reply", "view": "v", "id": 1}, [bytes(9 * PART)])
    for _ in range(3):
        reader.outbox.send_again(("v", 1), [1, 2])
    assert [message["part"] for message, _ in reader.way] == [0, 1, 2]


def test_what_nobody_reads_is_kept_neither_in_any_number_nor_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader()
    for request_id in range(50):
        reader.outbox.send({"type": "reply", "view": "v", "id": request_id}, [bytes(2 * PART)])
    assert reader.outbox.waiting() == [("v", request_id) for request_id in range(34, 50)]
    monkeypatch.setattr(sending, "_KEPT_SECONDS", -1.0)
    assert reader.outbox.waiting() == []


class Writer:
    """Sends a request in parts of text; keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.inbox = Inbox(lambda message, _: self.told.append(message))

    def send(self, request_id: int, part: Any, parts: Any, text: Any) -> dict[str, Any] | None:
        content = {"type": "part", "view": "v", "id": request_id}
        return self.inbox.take({**content, "part": part, "parts": parts, "text": text})


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), st.text(max_size=200)), st.integers(1, 30), st.integers(0, 99))
def test_a_request_is_whole_though_its_parts_come_in_any_order_and_twice(
    fields: dict[str, str], parts: int, seed: int
) -> None:
    fields = {**fields, "what": "find"}
    text = json.dumps(fields)
    length = -(-len(text) // parts)
    cut = [text[at * length : (at + 1) * length] for at in range(parts)]
    order = [*range(parts), *range(parts)]
    random.Random(seed).shuffle(order)
    writer = Writer()
    found = [writer.send(1, part, parts, cut[part]) for part in order]
    requests = [request for request in found if request is not None]
    assert requests == [{**fields, "view": "v", "id": 1}]
    assert {told["part"] for told in writer.told} == set(range(parts))


def test_two_requests_may_come_at_once_and_one_may_be_called_off() -> None:
    writer = Writer()
    for request_id in (1, 2):
        assert writer.send(request_id, 0, 2, '{"what": ') is None
    writer.inbox.drop(("v", 1))
    assert writer.send(2, 1, 2, '"hello"}') == {"what": "hello", "view": "v", "id": 2}
    assert writer.send(1, 1, 2, '"hello"}') is None


@pytest.mark.parametrize(
    ("part", "parts", "text"),
    [
        (0, 2, 3),
        (2, 2, "x"),
        (-1, 2, "x"),
        (True, 2, "x"),
        ("0", 2, "x"),
        (0, "2", "x"),
        (0, 1, "no JSON"),
        (0, 1, "[1]"),
        (0, 1, "[" * 100_000),
    ],
)
def test_a_damaged_part_is_refused_in_words(part: Any, parts: Any, text: Any) -> None:
    writer = Writer()
    assert writer.send(1, part, parts, text) is None
    assert writer.told[-1]["type"] == "error"
    assert writer.told[-1]["message"]


def test_a_request_without_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer()
    assert writer.send(1, 0, 65, "x") is None
    assert "larger than 16 MB" in writer.told[-1]["message"]
    monkeypatch.setattr(inboxes, "_MOST_REQUEST_CHARACTERS", 100)
    for part in range(11):
        writer.send(2, part, 64, "0123456789")
    assert writer.told[-1]["type"] == "error"
    for request_id in range(20):
        writer.send(100 + request_id, 0, 2, "x")
    assert len(writer.inbox._coming) <= 4


@pytest.mark.parametrize("what", ["labels", "tokens", "matrix", "distances", "concepts"])
def test_an_answer_about_a_million_examples_never_has_a_message_over_4_mb(what: str) -> None:
    n = 1_000_000
    tokens = np.arange(n)[:, None] % 1000
    examples = Examples(
        tokens, labels=[f"example {i}" for i in range(n)], concepts={"even": tokens[:, 0] % 2}
    )
    rows = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    explorer = Explorer(examples=examples, activations={"embed@0": rows})
    sizes: list[int] = []
    parts: dict[int, tuple[int, bytes]] = {}
    worker: Worker

    def send(message: dict[str, Any], buffers: Any) -> None:
        data = b"".join(buffers or [])
        # In base64, as some hosts send it.
        sizes.append(len(json.dumps(message)) + len(data) * 4 // 3)
        if message["type"] != "part":
            return
        parts[message["part"]] = (message["at"], data)
        if len(parts) == message["parts"]:
            worker.receive({"type": "received", "view": "v", "id": 1})
        else:
            asked = [at for at in range(message["parts"]) if at not in parts][:4]
            worker.receive({"type": "more", "view": "v", "id": 1, "parts": asked})

    worker = Worker(explorer, send, lambda: None)
    request: dict[str, Any] = {
        "stage": "embed@0",
        "without": [],
        "metric": "l2",
        "row": 5,
        "names": ["even"],
    }
    worker.receive({**request, "type": "request", "view": "v", "id": 1, "what": what})
    thread = worker._thread
    assert thread is not None
    thread.join(SECONDS)
    assert max(sizes) <= MOST_BYTES
    assert sum(sizes) >= n
    stream = b"".join(data for _, data in sorted(parts.values()))
    if what == "matrix":
        assert bytes(as_bytes(rows)) in stream
    assert worker._outbox.waiting() == []
