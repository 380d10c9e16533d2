"""Visitors of a real server: they get what Python says, and only what is theirs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import clusterwidget as cw
from clusterwidget.core.watch import Watch
from clusterwidget.publish.server.limits import Limits
from clusterwidget.publish.server.origins import Origins
from clusterwidget.wire.replies import reply
from tests.publish.server.running import running, visiting

STAGE = "L1.resid_post@f"
NEW = "1 2 3 4 5 6 7"
Opened = Callable[..., cw.Explorer]


def get(address: str, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    "request_",
    [
        {"what": "hello"},
        {"what": "labels"},
        {"what": "tokens"},
        {"what": "partitions"},
        {"what": "captions", "row": 3},
        {"what": "concepts", "names": ["odd"]},
        {"what": "matrix", "stage": STAGE, "without": [], "metric": "l2"},
        {"what": "matrix", "stage": STAGE, "without": ["odd"], "metric": "l2"},
        {"what": "distances", "stage": STAGE, "without": [], "metric": "l2", "row": 7},
        {"what": "parts", "stage": STAGE, "without": [], "metric": "l2"},
        {"what": "swap", "stage": STAGE, "receiver": 1, "donor": 2, "free": False},
        {"what": "trace", "row": 3, "answer": "g"},
    ],
    ids=lambda request: request["what"],
)
def test_an_answer_is_what_a_kernel_says(
    address: str, opened: Opened, request_: dict[str, Any]
) -> None:
    with visiting(address) as visit:
        message, buffers = visit.ask(**request_)
        again, same = visit.ask(**request_)
    fields, expected = reply(opened(), request_, Watch())
    assert {key: message[key] for key in fields} == json.loads(json.dumps(fields))
    assert buffers == [bytes(buffer) for buffer in expected]
    assert (again["sizes"], same) == (message["sizes"], buffers)


def test_a_typed_example_is_seen_by_its_visitor_only(address: str, opened: Opened) -> None:
    alone = opened()
    with visiting(address) as mine, visiting(address) as theirs:
        found, _ = mine.ask("find", text=NEW)
        assert (found["index"], found["added"]) == (60, True)
        assert mine.ask("find", text=NEW)[0]["added"] is False
        other, _ = theirs.ask("find", text="7 6 5 4 3 2 1")
        assert (other["index"], other["added"]) == (60, True)

        assert mine.ask("hello")[0]["n"] == 61
        labels, _ = mine.ask("labels")[1]
        assert NEW.encode() in labels
        assert NEW.encode() not in theirs.ask("labels")[1][0]
        assert mine.changed == theirs.changed == 1
        with visiting(address) as third:
            assert third.ask("hello")[0]["n"] == 60
            assert "60" in third.refused("captions", row=60)

        alone.add(NEW)
        asked: list[dict[str, Any]] = [
            {"what": "matrix", "stage": STAGE, "without": [], "metric": "l2"},
            {"what": "matrix", "stage": "L0H1.z@b", "without": [], "metric": "l2"},
            {"what": "distances", "stage": STAGE, "without": [], "metric": "l2", "row": 60},
        ]
        for request in asked:
            got = [np.frombuffer(buffer, np.float32) for buffer in mine.ask(**request)[1]]
            expected = reply(alone, request, Watch())[1]
            for own, there in zip(got, expected, strict=True):
                np.testing.assert_allclose(own, np.frombuffer(there, np.float32), atol=1e-5)
        swap: dict[str, Any] = {
            "what": "swap",
            "stage": STAGE,
            "receiver": 60,
            "donor": 2,
            "free": False,
        }
        own, there = mine.ask(**swap)[0]["answers"][0], reply(alone, swap, Watch())[0]["answers"][0]
        assert (own["after"]["text"], own["right"]) == (there["after"]["text"], there["right"])
        assert mine.ask("trace", row=60, answer="g")[0]["possible"]
        assert mine.ask("lens", stage=STAGE, row=60, k=5, metric="l2")[0]["available"]


def test_only_so_many_examples_may_be_typed(opened: Opened) -> None:
    with running(opened(), Limits(typed=2)) as address, visiting(address) as visit:
        for text in (NEW, "7 6 5 4 3 2 1"):
            visit.ask("find", text=text)
        assert "2 examples have been typed" in visit.refused("find", text="1 1 1 1 1 1 1")
        assert visit.ask("find", text=NEW)[0]["index"] == 60


def test_a_concept_that_all_would_see_is_refused(address: str) -> None:
    with visiting(address) as visit:
        said = visit.refused("concept_of", stage=STAGE, without=[], component=None)
        assert "shared" in said


def test_nothing_is_written_to_where_it_is_saved(opened: Opened) -> None:
    explorer = opened()
    path = explorer.path
    assert path is not None
    before = sorted((file, file.stat().st_mtime_ns) for file in path.rglob("*"))
    with running(explorer) as address, visiting(address) as visit:
        assert visit.ask("swap_test", stage=STAGE, pairs=None, metric="l2")[0]["possible"]
        assert STAGE in visit.ask("swap_tests", kinds=["resid_post"], metric="l2")[0]["known"]
    assert sorted((file, file.stat().st_mtime_ns) for file in path.rglob("*")) == before


def test_without_a_model_the_saved_stages_are_there_and_no_folder_is_told(opened: Opened) -> None:
    with running(opened(False)) as address, visiting(address) as visit:
        assert visit.ask("hello")[0]["has_model"] is False
        said = visit.refused("matrix", stage="L0H1.z@b", without=[], metric="l2")
        assert "was not saved in small.zarr" in said
        assert "Only examples that are here" in visit.refused("find", text=NEW)
        assert not visit.ask("swap", stage=STAGE, receiver=0, donor=1, free=False)[0]["possible"]


@pytest.mark.parametrize(
    "path",
    [
        "/small.zarr", "/../small.zarr", "/%2e%2e/%2e%2e/etc/passwd", "/served.js/../../cli.py",
        "//etc/passwd", "/static/served.js", "/served.js%00", "/.git/config", "/docs",
    ],
)  # fmt: skip
def test_a_visitor_reaches_the_page_and_nothing_else(address: str, path: str) -> None:
    assert get(address, path) == (404, b"Not Found")


def test_the_page_may_ask_nobody_else_and_its_title_is_text(address: str) -> None:
    status, page = get(address, "/")
    assert status == 200
    assert b"&lt;b&gt;title&lt;/b&gt;" in page
    assert b"<b>" not in page
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", "/")
    policy = connection.getresponse().headers["content-security-policy"]
    connection.close()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name in ("served.js", "served.css", "widget.css"):
        assert get(address, f"/{name}")[0] == 200


def test_other_hosts_and_origins_are_refused(opened: Opened) -> None:
    origins = Origins("127.0.0.1", ["https://adder.example.org"])
    with running(opened(), origins=origins) as address:
        assert get(address, "/", Host="evil.example")[0] == 403
        assert get(address, "/", Host="adder.example.org")[0] == 200
        assert get(address, "/health", Host="10.0.0.7")[0] == 200
        assert get(address, "/health", Host="evil.example")[0] == 200
        for origin in ("https://evil.example", "null", f"https://{address}.evil.example"):
            with pytest.raises(InvalidStatus) as refused, visiting(address, origin=origin):
                pass
            assert refused.value.response.status_code == 403
        for allowed in (f"http://{address}", "https://adder.example.org", None):
            with visiting(address, origin=allowed) as visit:
                assert visit.ask("hello")[0]["n"] == 60


def test_health_and_readiness(address: str) -> None:
    assert json.loads(get(address, "/health")[1])["status"] == "alive"
    for _ in range(200):
        status, _ = get(address, "/ready")
        if status == 200:
            break
    assert status == 200


def test_an_idle_connection_is_closed(opened: Opened) -> None:
    with running(opened(), Limits(idle=1)) as address, visiting(address) as visit:
        visit.ask("hello")
        with pytest.raises(ConnectionClosed) as closed:
            visit.socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4408


def test_a_full_server_says_so(opened: Opened) -> None:
    with running(opened(), Limits(visitors=1)) as address, visiting(address) as first:
        first.ask("hello")
        with visiting(address) as second, pytest.raises(ConnectionClosed) as closed:
            second.socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4503
        first.ask("hello")
