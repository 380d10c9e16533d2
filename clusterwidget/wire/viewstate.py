"""A short text that brings the same view back; the page writes the same: `compute/viewstate.ts`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from clusterwidget.core.checks import shown

VERSION = "cw1"
LONGEST = 8000

DEFAULTS: Mapping[str, Any] = {
    "stage": "",
    "selected": 0,
    "k": 100,
    "color_by": "distance",
    "arrange": "lattice",
    "arrange_by": [],
    "without": [],
    "metric": "l2",
    "plain": False,
    "filter": "",
    "scale": "linear",
    "palette": "viridis",
    "near": "bright",
    "zoom": [1.0, 0.0, 0.0],
    "unfolded": None,
}
"""The traits that are a view, in order, with what is left out of the text."""

_ALWAYS = ("stage", "selected", "k")
_LISTS = ("arrange_by", "without")
_WHOLE = re.compile(r"[0-9]{1,15}")
_LAYERS = re.compile(r"[0-9]{1,6}(,[0-9]{1,6}){0,999}")
_NONE = "none"
_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def state_text(view: Mapping[str, Any]) -> str:
    """Write a view, the values of the traits in `DEFAULTS`, as one short text without spaces."""
    pairs: list[str] = []
    for name, default in DEFAULTS.items():
        value = view[name]
        if value == default and name not in _ALWAYS:
            continue
        texts = value if name in _LISTS else [_text(name, value)]
        pairs.extend(f"{name}={quote(text, safe='')}" for text in texts)
    return f"{VERSION}?{'&'.join(pairs)}"


def read_state(text: Any) -> dict[str, Any]:
    """Return all values of the view that a text stands for.

    Raises
    ------
    TypeError, ValueError
        For what is no such text.
    """
    if not isinstance(text, str):
        raise TypeError(f"state must be a string that was copied from a figure, not {shown(text)}.")
    version, mark, rest = text.strip().partition("?")
    if not mark or not re.fullmatch(r"cw[0-9]{1,4}", version) or len(text) > LONGEST:
        raise ValueError(
            f"state {shown(text)} is no view: it begins with '{VERSION}?' and comes from w.state "
            "or from the figure's menu."
        )
    if version != VERSION:
        raise ValueError(
            f"state {shown(text)} was written by another version of clusterwidget; this one reads "
            f"those that begin with '{VERSION}?'."
        )
    found: dict[str, list[str]] = {}
    for pair in rest.split("&"):
        name, equals, value = pair.partition("=")
        if not equals or name not in DEFAULTS or (name in found and name not in _LISTS):
            raise ValueError(
                f"state {shown(text)} cannot be read at {shown(pair)}; copy all of it again."
            )
        found.setdefault(name, []).append(_unquoted(text, value))
    return {
        name: _value(text, name, found[name]) if name in found else _copied(default)
        for name, default in DEFAULTS.items()
    }


def _text(name: str, value: Any) -> str:
    if name == "plain":
        return "1"
    if name == "unfolded":
        return ",".join(map(str, value)) or _NONE
    if name == "zoom":
        return ",".join(f"{number:.4f}".rstrip("0").rstrip(".") for number in value)
    return str(value)


def _unquoted(text: str, value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(
            f"state {shown(text)} cannot be read at {shown(value)}; copy all of it again."
        ) from None


def _value(text: str, name: str, values: list[str]) -> Any:
    if name in _LISTS:
        return values
    value = values[0]
    if name in ("selected", "k") and _WHOLE.fullmatch(value):
        return int(value)
    if name == "plain" and value == "1":
        return True
    if name == "zoom":
        numbers = value.split(",")
        if len(numbers) == 3 and all(_DECIMAL.fullmatch(number) for number in numbers):
            return [float(number) for number in numbers]
    if name == "unfolded" and value == _NONE:
        return []
    if name == "unfolded" and _LAYERS.fullmatch(value):
        return [int(layer) for layer in value.split(",")]
    if name not in ("selected", "k", "plain", "zoom", "unfolded"):
        return value
    raise ValueError(f"state {shown(text)} has no {name} in {shown(value)}; copy all of it again.")


def _copied(default: Any) -> Any:
    return list(default) if isinstance(default, list) else default
