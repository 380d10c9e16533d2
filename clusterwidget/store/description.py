"""Description of a saved exploration: the attributes of its Zarr group, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from clusterwidget.core.stages import Stage, StageRow, StageSet
from clusterwidget.store.files import CHECKSUM, damaged, read_json, require_checksum
from clusterwidget.store.leftovers import set_aside
from clusterwidget.store.tables import LAID_OUT, SAVED_DTYPE, array_names

FORMAT = "clusterwidget exploration"
VERSION = 3
"""Version 1 had no checksums, version 2 no attention masks and columns; both are still read."""

_WIDEST = 1 << 26
_STAGE_ARRAY = re.compile(r"stages/[0-9]{1,9}")
_BASIS_ARRAY = re.compile(r"bases/[0-9]{1,9}")


def described(path: Path) -> dict[str, Any]:
    """Return the attributes of an exploration as they are; raise where there is none.

    Raises
    ------
    FileNotFoundError, ValueError
    """
    if not path.exists():
        aside = set_aside(path)
        advice = (
            f"A save was broken off, and what it was to replace is whole in {aside}: move it here."
            if aside
            else f"Make one with explorer.save({str(path)!r})."
        )
        raise FileNotFoundError(f"there is no saved exploration at {path}. {advice}")
    if not (path / ".zgroup").exists():
        raise ValueError(
            f"{path} is no saved exploration: it has no file .zgroup. Give the path that "
            "explorer.save(…) was given."
        )
    group, known = read_json(path, ".zgroup"), read_json(path, ".zattrs")
    if group.get("zarr_format") != 2 or known.get("format") != FORMAT:
        raise ValueError(f"{path} is a Zarr group, but no exploration that explorer.save(…) wrote.")
    version = known.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError(
            f"{path} was saved in version {str(version)[:20]} of the format, and this reads up to "
            f"version {VERSION}: open it with a newer clusterwidget."
        )
    return known


def about(path: Path) -> dict[str, Any]:
    """Return the attributes of an exploration, all of them of the types that are saved.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no exploration, or its description is damaged.
    """
    known = described(path)
    try:
        if known["version"] > 1:
            require_checksum(known)
        elif CHECKSUM in known or "checksums" in known:
            raise ValueError("version 1 had no checksums.")
        for name, is_as_saved in _FIELDS.items():
            if name in _LATER and name not in known:
                continue
            if not is_as_saved(known[name]):
                raise ValueError(f"{name!r} is not as it is saved.")
        _check_stages(known)
        if known["version"] > 1:
            _check_checksums(known)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{damaged(path, 'its description')} (.zattrs: {error})") from error
    return known


def stage_rows(known: Mapping[str, Any]) -> StageSet:
    """Return all stages that there were, saved or not."""
    rows = [StageRow(**{**row, "widths": tuple(row["widths"])}) for row in known["rows"]]
    return StageSet(rows, known["positions"])


def _check_stages(known: Mapping[str, Any]) -> None:
    """Raise ValueError where rows and stages do not fit one another."""
    positions = known["positions"]
    for row in known["rows"]:
        Stage(row["kind"], row["layer"], row["head"])
        if len(row["widths"]) != len(positions):
            raise ValueError("a row has not one width for each position.")
    stage_set = stage_rows(known)
    if len({(row.kind, row.layer, row.head) for row in stage_set.rows}) != len(stage_set.rows):
        raise ValueError("a row occurs more than once.")
    for address in known["stages"]:
        stage = Stage.parse(address)
        stage_set.width(stage)
        if str(stage) != address:
            raise ValueError(f"{address!r} is no address as it is saved.")
    if known["arrays"] != array_names(known):
        raise ValueError("the arrays are not those of its examples.")


def _check_checksums(known: Mapping[str, Any]) -> None:
    """Raise ValueError where an array has no checksums, or others than for one array."""
    names = [*known["arrays"], *known["bases"].values(), *known["stages"].values()]
    names += ["fingerprint"] if known["fingerprint"] else []
    saved = known["checksums"]
    if not isinstance(saved, dict) or sorted(saved) != sorted(names):
        raise ValueError("the checksums are not those of its arrays.")
    for array in saved.values():
        lists = [array[key] for key in ("shape", "chunks", "crc32c")]
        if not all(isinstance(each, list) and _all(_is_count, each) for each in lists):
            raise ValueError("the checksums are not as they are saved.")


def _all(is_one: Callable[[Any], bool], values: Iterable[Any]) -> bool:
    return all(map(is_one, values))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_none_or_count(value: Any) -> bool:
    return value is None or _is_count(value)


def _is_list(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and _all(is_one, value)


def _is_dict(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and _all(is_one, value.values())


def _is_array(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: _is_text(value) and pattern.fullmatch(value) is not None


def _is_positions(value: Any) -> bool:
    return _is_list(_is_text)(value) and len(set(value)) == len(value) > 0 and all(value)


def _is_row(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"kind", "layer", "head", "widths"}
        and _is_text(value["kind"])
        and _is_none_or_count(value["layer"])
        and _is_none_or_count(value["head"])
        and _is_list(lambda width: _is_count(width) and width <= _WIDEST)(value["widths"])
    )


def _is_answer(value: Any) -> bool:
    fields = {"name", "position", "title", "caption"}
    return _is_dict(_is_text)(value) and value.keys() == fields


def _is_pair(value: Any) -> bool:
    return _is_list(_is_text)(value) and len(value) == 2


def _is_concept(value: Any) -> bool:
    if not isinstance(value, dict) or not _is_text(value["name"]):
        return False
    if value["values"] is None:
        return True
    return (
        _is_list(lambda one: isinstance(one, (str, int, float)))(value["values"])
        and _is_array(SAVED_DTYPE)(value["dtype"])
        and isinstance(value["none"], bool)
    )


def _is_concepts(value: Any) -> bool:
    if not _is_list(_is_concept)(value):
        return False
    return len({concept["name"] for concept in value}) == len(value)


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "identity": _is_text,
    "positions": _is_positions,
    "attention_mask": lambda value: isinstance(value, bool),
    "columns": lambda value: isinstance(value, bool),
    "answers": _is_list(_is_answer),
    "concepts": _is_concepts,
    "axes": _is_dict(_is_pair),
    "families": _is_dict(_is_text),
    "descriptions": _is_dict(_is_text),
    "texts": _is_dict(_is_text),
    "arrays": _is_list(_is_text),
    "fingerprint": lambda value: isinstance(value, bool),
    "bases": _is_dict(_is_array(_BASIS_ARRAY)),
    "stages": _is_dict(_is_array(_STAGE_ARRAY)),
    "rows": _is_list(_is_row),
}
"""What each attribute must be."""

_LATER = ("descriptions", *LAID_OUT)
"""Attributes that explorations saved earlier lack."""
