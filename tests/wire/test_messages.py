"""Messages: what is sent has exactly the fields that are declared, and what is asked is checked."""

from __future__ import annotations

import json
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from clusterwidget import Explorer
from clusterwidget.core.watch import Watch
from clusterwidget.wire import (
    replies,
    replies_interventions,
    replies_meaning,
    requests,
)
from clusterwidget.wire.replies import _HANDLERS, reply
from tests.wire.asked import REQUESTS, asked_explorer

REPLIES = Path(__file__).parents[2] / "js" / "tests" / "replies.json"


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return asked_explorer()


def conforms(value: Any, hint: Any) -> bool:
    """Tell whether a value that came as JSON is of a type, with no field more or less."""
    if hint is Any:
        return True
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        return (
            isinstance(value, dict)
            and set(value) == set(hints)
            and all(conforms(value[name], each) for name, each in hints.items())
        )
    origin, args = get_origin(hint), get_args(hint)
    if origin is list:
        return isinstance(value, list) and all(conforms(each, args[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(conforms(each, args[1]) for each in value.values())
    if origin in (Union, UnionType):
        return any(conforms(value, each) for each in args)
    if args:
        return value in args
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def declared(what: str) -> Any:
    """Return the type of the fields that a handler declares to send."""
    handler = _HANDLERS[what][1]
    modules = {**vars(replies), **vars(replies_meaning), **vars(replies_interventions)}
    returned = get_type_hints(handler, globalns=modules)["return"]
    return get_args(returned)[0]


def test_every_request_is_tried() -> None:
    assert {request["what"] for request in REQUESTS} == set(_HANDLERS)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["what"])
def test_a_reply_has_exactly_the_declared_fields(
    explorer: Explorer, request_: dict[str, Any]
) -> None:
    fields, _ = reply(explorer, request_, Watch())
    sent = json.loads(json.dumps(fields, allow_nan=False))
    assert conforms(sent, declared(request_["what"])), sent


@pytest.mark.parametrize("what", sorted(_HANDLERS))
def test_a_request_that_lacks_a_field_or_has_another_type_is_told_which(
    explorer: Explorer, what: str
) -> None:
    whole = next(request for request in REQUESTS if request["what"] == what)
    for name in get_type_hints(_HANDLERS[what][0]):
        without = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(ValueError, match=f'request "{what}" lacks the field "{name}"'):
            reply(explorer, without, Watch())
        several: list[Any] = [{}, [3], 1.5]
        for wrong in several:
            with pytest.raises(ValueError, match=f'the field "{name}" of the page\'s request'):
                reply(explorer, {**whole, name: wrong}, Watch())


@pytest.mark.parametrize("what", ["everything", None, ["hello"], {}, 3])
def test_an_unknown_request_is_refused(explorer: Explorer, what: Any) -> None:
    with pytest.raises(ValueError, match="which the kernel does not know"):
        reply(explorer, {"what": what}, Watch())


def test_true_is_no_whole_number() -> None:
    with pytest.raises(ValueError, match='"row" of the page\'s request "captions" is a whole'):
        requests.read(requests.ExampleRequest, {"what": "captions", "row": True})


def test_the_replies_that_the_page_is_tested_with_have_the_declared_fields() -> None:
    known = json.loads(REPLIES.read_text())
    assert [kept["request"] for kept in known] == REQUESTS
    for kept in known:
        assert conforms(kept["fields"], declared(kept["request"]["what"])), kept
