"""Requests: everything that the page asks for, field by field, and how a request is read.

`js/src/source/wire/messages.ts` is the page's side of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, TypeVar, get_args, get_origin, get_type_hints

from clusterwidget.core.checks import shown


class ExampleRequest(TypedDict):
    """`captions`."""

    row: int


class ConceptsRequest(TypedDict):
    """`concepts`."""

    names: list[str]


class AccountRequest(TypedDict):
    """`account`; `metric` says by which donors are near."""

    stage: str
    metric: str


class LeftRequest(TypedDict):
    """`matrix`, `clusters` and `parts`; by a metric, of what is left without some concepts."""

    stage: str
    without: list[str]
    metric: str


class DistancesRequest(TypedDict):
    """`distances`; as above."""

    stage: str
    without: list[str]
    metric: str
    row: int


class SwapTestRequest(TypedDict):
    """`swap_test`; of so many pairs, or as many as by default."""

    stage: str
    pairs: int | None
    metric: str


class ConceptRequest(TypedDict):
    """`concept_of`: make a concept of the ranges of a component, or of the clusters."""

    stage: str
    without: list[str]
    metric: str
    component: int | None


class LayoutRequest(TypedDict):
    """`layout`: the points of a stage, or of what is left of it."""

    stage: str
    without: list[str]
    metric: str
    method: str


class ChosenRequest(TypedDict):
    """`concept_of_chosen`: make a concept of examples that were chosen, packed as in `chosen`."""

    name: str
    chosen: str


class FindRequest(TypedDict):
    """`find`."""

    text: str


class AtlasRequest(TypedDict):
    """`atlas`; of the first so many examples, or of all."""

    kinds: list[str]
    first: int | None
    metric: str


class KindsRequest(TypedDict):
    """`swap_tests` and `second_parts`."""

    kinds: list[str]
    metric: str


class LensRequest(TypedDict):
    """`lens`."""

    stage: str
    row: int
    k: int
    metric: str


class SharedTextsRequest(TypedDict):
    """`shared_texts`; of what is left without some concepts."""

    stage: str
    without: list[str]
    metric: str
    row: int
    k: int


class SwapRequest(TypedDict):
    """`swap`."""

    stage: str
    receiver: int
    donor: int
    free: bool


class TraceRequest(TypedDict):
    """`trace`."""

    row: int
    answer: str


Requested = TypeVar("Requested")


def read(kind: type[Requested], request: Mapping[str, Any]) -> Requested:
    """Return the fields of a request, checked.

    Parameters
    ----------
    kind : type
        One of the TypedDicts of requests above.
    request : mapping
        What the page sent; its ``what`` says what it asks for.

    Raises
    ------
    ValueError
        Where a field is missing or of another type: the message names it.

    Examples
    --------
    >>> read(ExampleRequest, {"what": "captions", "row": 3, "id": 3})
    {'row': 3}
    >>> read(ExampleRequest, {"what": "captions"})
    Traceback (most recent call last):
    ...
    ValueError: the page's request "captions" lacks the field "row".
    """
    what = request["what"]
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        if name not in request:
            raise ValueError(f'the page\'s request "{what}" lacks the field "{name}".')
        if not _is_a(hint, request[name]):
            raise ValueError(
                f'the field "{name}" of the page\'s request "{what}" is {_in_words(hint)}, '
                f"not {shown(request[name])}."
            )
        fields[name] = request[name]
    found: Any = fields
    return found  # type: ignore[no-any-return]


def _is_a(hint: Any, value: Any) -> bool:
    if get_origin(hint) is list:
        (item,) = get_args(hint)
        return isinstance(value, list) and all(_is_a(item, each) for each in value)
    if get_args(hint):
        return any(_is_a(option, value) for option in get_args(hint))
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


_WORDS = {int: "a whole number", str: "a text", bool: "true or false", type(None): "null"}


def _in_words(hint: Any) -> str:
    if get_origin(hint) is list:
        return "a list of texts"
    return " or ".join(_WORDS[option] for option in get_args(hint) or (hint,))
