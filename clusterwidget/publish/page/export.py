"""Export: an exploration as a page that needs no kernel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from clusterwidget.core import checks
from clusterwidget.core.stages import Stage, stage_list
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.publish.page.choosing import within_reach, worth_seeing
from clusterwidget.publish.page.document import Replies, document, frame
from clusterwidget.publish.page.packing import Packed, packed
from clusterwidget.publish.page.recording import (
    Record,
    View,
    hello_record,
    layout_record,
    matrix_records,
    recorded,
)
from clusterwidget.publish.page.writing import Place

LIMIT = "20MB"
"""What one file may have, unless told otherwise."""
MOST = 20
"""Stages in one file that nobody chose."""

_DTYPES = ("float32", "float16")
_AT_ONCE = 1 << 20
"""A smaller matrix is asked for with the first picture: `js/src/state/supply.ts`."""
_SLACK = 2000
"""Bytes by which the list of stages may make the page larger than reckoned."""

Tell = Callable[[str], object]


class Limit(NamedTuple):
    """What a page may have."""

    size: int
    given: Any

    @classmethod
    def of(cls, given: Any) -> Limit:
        """Return a number of bytes, given as such or in words."""
        return cls(checks.memory_bytes(given, "limit"), given)


def export(
    explorer: Explorer,
    view: View,
    path: Any,
    stages: Any = None,
    *,
    limit: Any = LIMIT,
    dtype: Any = "float32",
    overwrite: Any = False,
    tell: Tell | None = None,
    watch: Watch | None = None,
) -> Path:
    """Write an exploration as a page, and return where it is; see `ClusterWidget.export`."""
    place = Place(path, checks.flag("overwrite", overwrite))
    most = None if limit is None else Limit.of(limit)
    checks.function("tell", tell)
    checks.choice("dtype", dtype, _DTYPES)
    chosen = _chosen(explorer, stages)
    title = place.path.resolve().stem
    watch = watch or Watch()
    if not place.is_folder:
        page, there = one_page(explorer, view, chosen, most, dtype, title, watch)
        _told(tell, f"{place.path}: {_size(len(page))}, {_counted(there)} in {dtype}.")
        place.finish(page, set())
        return place.index
    try:
        page, files, there = _folder(explorer, view, chosen, most, dtype, title, place, watch)
        whole = len(page) + sum(files.values())
        _told(
            tell,
            f"{place.path}: {_size(len(page))} for the first picture, {_size(whole)} in all, "
            f"{_counted(there)} in {dtype}.",
        )
        place.finish(page, set(files))
    except BaseException:
        place.give_up()
        raise
    return place.index


def one_page(
    explorer: Explorer,
    view: View,
    chosen: list[Stage] | None,
    most: Limit | None,
    dtype: str,
    title: str,
    watch: Watch,
) -> tuple[bytes, list[Stage]]:
    """Return a page that has all it needs, and the stages in it.

    Parameters
    ----------
    explorer : Explorer
    view : View
    chosen : list of Stage or None
        None for those that are worth a place, as many as fit, up to twenty.
    most : Limit or None
        What the page may have.
    dtype : str
    title : str
    watch : Watch

    Raises
    ------
    ValueError
        Where it would have more than that.
    """
    view = _starting(view, chosen)
    wanted = chosen or worth_seeing(explorer, Stage.parse(view.stage), watch)[:MOST]
    replies = Replies()
    for record in recorded(explorer, wanted, view, dtype, watch):
        replies.add(record)
    traits = asdict(view)
    size = len(document(replies, traits, title)) + _SLACK
    there: list[Stage] = []
    for stage, record in zip(wanted, matrix_records(explorer, wanted, watch), strict=True):
        blocks, laid = _blocks(stage, record, dtype), layout_record(explorer, stage)
        plane = packed(laid.buffers[0], 4)
        needed = sum(4 * len(block.data) // 3 + 200 for block in [*blocks, plane])
        fits = most is None or size + needed <= most.size
        if not fits and chosen is None and there:
            continue
        size += needed
        there.append(stage)
        # What is too large is only counted, not held.
        if fits:
            replies.add_matrix(record, [(block, None) for block in blocks])
            replies.add_matrix(laid, [(plane, None)])
    if most is not None and size > most.size:
        raise _too_large(size, there, most, dtype)
    replies.add(hello_record(explorer, there, view))
    return document(replies, traits, title), there


def framed(explorer: Explorer, view: View, limit: str) -> str:
    """Return HTML that shows the page within another one, such as a notebook's."""
    most = Limit.of(limit)
    page, _ = one_page(explorer, view, None, most, "float32", "clusterwidget", Watch())
    return frame(page, view.height)


def _folder(
    explorer: Explorer,
    view: View,
    chosen: list[Stage] | None,
    most: Limit | None,
    dtype: str,
    title: str,
    place: Place,
    watch: Watch,
) -> tuple[bytes, dict[str, int], list[Stage]]:
    """Write stage matrices as files; return the page, each file's bytes, and the stages."""
    view = _starting(view, chosen)
    first = Stage.parse(view.stage)
    wanted = list(dict.fromkeys([first, *(chosen or within_reach(explorer))]))
    replies = Replies()
    for record in recorded(explorer, wanted, view, dtype, watch):
        replies.add(record)
    replies.add(hello_record(explorer, wanted, view))
    files: dict[str, int] = {}
    for stage, record in zip(wanted, matrix_records(explorer, wanted, watch), strict=True):
        laid = layout_record(explorer, stage)
        blocks = _blocks(stage, record, dtype)
        inside = stage == first and blocks[0].raw <= _AT_ONCE
        for said, parts in ((record, blocks), (laid, [packed(laid.buffers[0], 4)])):
            placed: list[tuple[Packed, str | None]] = []
            for block in parts:
                if inside:
                    placed.append((block, None))
                    continue
                # By its content: an earlier page's files stay as they are until this page is there.
                name = hashlib.sha256(block.data).hexdigest()[:24]
                file = place.put(block, name)
                files[file] = len(block.data)
                placed.append((block, file))
            replies.add_matrix(said, placed)
    page = document(replies, asdict(view), title)
    if most is not None and len(page) > most.size:
        raise _too_large(len(page), [], most, dtype)
    return page, files, wanted


def _chosen(explorer: Explorer, stages: Any) -> list[Stage] | None:
    if stages is None:
        return None
    chosen = list(dict.fromkeys(stage_list(stages)))
    if not chosen:
        raise ValueError(
            f"no stage is named by {checks.shown(stages)}: name one, or leave stages out for those "
            "that are worth a place."
        )
    for stage in chosen:
        explorer.stage_set.width(stage)
    return chosen


def _starting(view: View, chosen: Sequence[Stage] | None) -> View:
    """Return the view, at a stage that the page has."""
    if chosen is None or Stage.parse(view.stage) in chosen:
        return view
    return replace(view, stage=str(chosen[0]))


def _blocks(stage: Stage, record: Record, dtype: str) -> list[Packed]:
    """Return a stage matrix packed, and what goes with it, which is not rounded."""
    matrix, *further = record.buffers
    try:
        rounded = packed(matrix, 4, half=dtype == "float16")
        return [rounded, *(packed(buffer, 4, half=False) for buffer in further)]
    except ValueError as error:
        raise ValueError(f"{stage}: {error}") from None


def _too_large(size: int, there: Sequence[Stage], most: Limit, dtype: str) -> ValueError:
    if not there:
        return ValueError(
            f"the page would have {_size(size)} without any stage, and limit is "
            f"{checks.shown(most.given)}: raise the limit, or take fewer examples."
        )
    halves = "" if dtype == "float16" else "take dtype='float16', which needs half the room, "
    return ValueError(
        f"the page would have {_size(size)} with {_counted(there)}, and limit is "
        f"{checks.shown(most.given)}: choose fewer stages, {halves}raise the limit, or give a "
        "folder, such as 'page/', whose stages are fetched when they are looked at."
    )


def _told(tell: Tell | None, sentence: str) -> None:
    if tell is not None:
        tell(sentence)


def _counted(stages: Sequence[Stage]) -> str:
    return f"{len(stages):,} stage{'' if len(stages) == 1 else 's'}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
