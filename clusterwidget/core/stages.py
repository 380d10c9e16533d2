"""Stages: the places in a model where each example has one vector, and how they are addressed."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clusterwidget.core.checks import several, shown, text, whole
from clusterwidget.core.inputs import Layout
from clusterwidget.core.places import Places

HEAD_KINDS = ("q", "k", "v", "attn_scores", "pattern", "z", "result")
LAYER_KINDS = (
    "resid_pre",
    *HEAD_KINDS,
    "attn_out",
    "resid_mid",
    "mlp_pre",
    "mlp_post",
    "mlp_out",
    "resid_post",
)
MODEL_KINDS = ("embed", "ln_final", "logits")
KINDS = ("embed", *LAYER_KINDS, "ln_final", "logits")
ATTENTION_KINDS = ("attn_scores", "pattern")
"""Kinds whose vectors have one number for each position that is attended to."""
SHOWN_KINDS = ("embed", "pattern", "result", "attn_out", "mlp_out", "resid_post", "logits")
"""Kinds that the stage map shows before anyone asks for all of them."""

# Not \d, which matches the digits of every script; and not more digits than any model needs.
_FREE = re.compile(r"(?=[^@]{3,200}\Z)[^\s@/]+(?:/[^\s@/]+)+")
_ADDRESS = re.compile(r"(?:L([0-9]{1,6})(?:H([0-9]{1,6}))?\.)?([a-z_]+)")


@dataclass(frozen=True)
class Stage:
    """One place in the model: a kind of activation, at a layer, a head and a position.

    Written ``L1H3.result@S3``, ``L0.attn_out@=``, ``embed@L3``; ``Stage.parse`` and ``str`` are
    inverse to each other.

    Parameters
    ----------
    kind : str
        One of `KINDS`, TransformerLens's own short names; or, of what is no stage of theirs, a name
        of your own with a slash in it: ``sae/12``.
    layer, head : int, optional
        Needed by the kinds that have them, and by no others.
    position : str
        Name of the position. A name of your own may have none: the address ``sae/12`` stands for
        the one position at which it is.

    Raises
    ------
    ValueError
        Where the kind is not one of `KINDS`, or the layer, head and position do not suit it.

    See Also
    --------
    Explorer.stages : the stages of a model.

    Examples
    --------
    >>> str(cw.Stage("result", layer=1, head=0, position="S3"))
    'L1H0.result@S3'
    """

    kind: str
    layer: int | None = None
    head: int | None = None
    position: str = "0"

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str):
            raise TypeError(f"a kind is given by its name, a string, not by {shown(self.kind)}.")
        free = is_free(self.kind)
        if self.kind not in KINDS and not free:
            raise ValueError(
                f"there is no kind {self.kind!r};{_nearest(self.kind, KINDS)} A name of your own "
                "has a slash and no spaces, such as 'sae/12'."
            )
        text("the kind", self.kind)
        for part, value, needed in (
            ("layer", self.layer, self.kind in LAYER_KINDS),
            ("head", self.head, self.kind in HEAD_KINDS),
        ):
            if needed and value is None:
                raise ValueError(f"a {self.kind!r} stage needs a {part}, counted from 0, not None.")
            if not needed and value is not None:
                raise ValueError(
                    f"a {self.kind!r} stage has no {part}: leave {part}={shown(value)} out."
                )
            if needed:
                # A numpy integer becomes one of Python's, so that it can be written as JSON.
                object.__setattr__(self, part, whole(f"the {part} of a stage", value, 0))
        if not isinstance(self.position, str) or not (self.position or free):
            raise ValueError(
                f"a position is given by its name, a string, not by {shown(self.position)}."
            )
        text("the position", self.position)

    def __str__(self) -> str:
        row = row_name(self.kind, self.layer, self.head)
        return f"{row}@{self.position}" if self.position else row

    @classmethod
    def parse(cls, text: str) -> Stage:
        """Return the stage with this address.

        Raises
        ------
        ValueError
            Where the text is no address of a stage.

        See Also
        --------
        of

        Examples
        --------
        >>> cw.Stage.parse("L1H0.result@S3")
        Stage(kind='result', layer=1, head=0, position='S3')
        """
        if not isinstance(text, str):
            raise TypeError(
                f"the address of a stage is a string such as 'L1H3.result@S3', not {shown(text)}."
            )
        address, at, position = text.partition("@")
        if is_free(address) and bool(at) == bool(position):
            return cls(address, position=position)
        match = _ADDRESS.fullmatch(address)
        if not at or not position or match is None:
            raise ValueError(
                f"{shown(text)} is no address of a stage: write kind@position, such as 'embed@0', "
                "'L0.attn_out@=' or 'L1H3.result@S3'."
            )
        layer, head, kind = match.groups()
        try:
            return cls(
                kind,
                layer=None if layer is None else int(layer),
                head=None if head is None else int(head),
                position=position,
            )
        except ValueError as error:
            raise ValueError(f"{shown(text)} is no address of a stage: {error}") from None

    @classmethod
    def of(cls, stage: Stage | str) -> Stage:
        """Return a stage as it is, or parse its address.

        See Also
        --------
        parse

        Examples
        --------
        >>> cw.Stage.of("embed@L3") == cw.Stage.of(cw.Stage("embed", position="L3"))
        True
        """
        return stage if isinstance(stage, Stage) else cls.parse(stage)


def is_free(kind: str) -> bool:
    """Return whether a kind is a name of someone's own, such as ``sae/12``."""
    return _FREE.fullmatch(kind) is not None


def shown_kinds(kinds: Iterable[str]) -> list[str]:
    """Return those of some kinds that are shown before anyone asks for all of them, each once."""
    return [kind for kind in dict.fromkeys(kinds) if kind in SHOWN_KINDS or is_free(kind)]


def stage_list(stages: Stage | str | Iterable[Stage | str]) -> list[Stage]:
    """Return a list of stages; one stage or address stands for a list of one.

    Raises
    ------
    TypeError, ValueError
        For what is neither, and for what is no stage among them.
    """
    if isinstance(stages, (Stage, str)):
        return [Stage.of(stages)]
    if not several(stages):
        raise TypeError(
            f"stages must be a list of stages or addresses such as 'L1H3.result@S3', not "
            f"{shown(stages)}."
        )
    return [Stage.of(stage) for stage in stages]


@dataclass(frozen=True)
class StageRow:
    """What the stages of one kind, layer and head have in common: a row of the stage map.

    Attributes
    ----------
    kind, layer, head
        As in `Stage`.
    widths : tuple of int
        Length d of the vectors, for each position; 0 where there is no stage.
    """

    kind: str
    layer: int | None
    head: int | None
    widths: tuple[int, ...]

    def __str__(self) -> str:
        return row_name(self.kind, self.layer, self.head)


class StageSet:
    """The stages that there are: rows × positions, in the order in which a model computes them.

    Parameters
    ----------
    rows : sequence of StageRow
    positions : sequence of str
    layout : Layout or None
        Where positions stand to one another, where they differ from example to example.
    """

    def __init__(
        self, rows: Sequence[StageRow], positions: Sequence[str], layout: Layout | None = None
    ) -> None:
        self.rows = tuple(rows)
        self.places = Places(positions, layout)
        self._row = {(row.kind, row.layer, row.head): row for row in self.rows}

    def __len__(self) -> int:
        return sum(width > 0 for row in self.rows for width in row.widths)

    @property
    def positions(self) -> tuple[str, ...]:
        """The names of the positions."""
        return self.places.names

    @property
    def layout(self) -> Layout | None:
        """Where positions stand to one another; None where position p is token p."""
        return self.places.layout

    def laid_out(self, layout: Layout | None) -> StageSet:
        """Return these stages of examples with another layout."""
        other = copy.copy(self)
        other.places = Places(self.positions, layout)
        return other

    def width(self, stage: Stage) -> int:
        """Return the length d of the vectors at a stage; raise where there is no such stage."""
        stage = self.named(stage)
        row = self._row.get((stage.kind, stage.layer, stage.head))
        column = self.places.column(stage.position)
        width = 0 if row is None or column is None else self._width(row, column)
        if not width:
            raise ValueError(f"there is no stage {str(stage)!r} here. {self._hint(stage)}")
        return width

    def column(self, stage: Stage) -> int:
        """Return the index of the stage's position; below 0 where it counts from the end."""
        self.width(stage)
        column = self.places.column(self.named(stage).position)
        assert column is not None
        return column

    def named(self, stage: Stage) -> Stage:
        """Return a stage that counts from the end by its position's name, where it has one.

        One without a position has the only one at which it is.
        """
        if not stage.position:
            row = self._row.get((stage.kind, stage.layer, stage.head))
            there = [] if row is None else [at for at, width in enumerate(row.widths) if width]
            return replace(stage, position=self.positions[there[0]]) if len(there) == 1 else stage
        column = self.places.column(stage.position)
        if column is None or stage.position in self.positions:
            return stage
        return replace(stage, position=self.places.name(column))

    def attended(self, stage: Stage) -> list[int]:
        """Return the columns that the numbers of an attention stage are about."""
        width = self.width(stage)
        if self.layout is None:
            return list(range(width))
        if width == len(self.layout.present):
            return list(self.layout.present)
        return list(self.layout.seen(self.column(stage)))

    def _width(self, row: StageRow, column: int) -> int:
        if column >= 0:
            return row.widths[column]
        assert self.layout is not None
        if row.kind == "attn_scores" and self.layout.seen(column) != self.layout.present:
            # What is ahead has no score in some examples.
            return 0
        return max(row.widths)

    def select(
        self,
        kinds: str | Iterable[str] | None = None,
        layers: int | Iterable[int] | None = None,
        heads: int | Iterable[int] | None = None,
        positions: str | Iterable[str] | None = None,
    ) -> list[Stage]:
        """Return the stages of the given kinds, layers, heads and positions; None means all.

        Kinds without a layer or a head are left out where layers or heads are given.
        """
        kinds_, layers_ = _wanted("kinds", kinds, str), _wanted("layers", layers, int)
        heads_, positions_ = _wanted("heads", heads, int), _wanted("positions", positions, str)
        from_the_end = [
            name
            for name in sorted(positions_ or ())
            if name not in self.positions and self.places.column(name) is not None
        ]
        columns = {
            name: self.places.column(name)
            for name in (*self.positions, *from_the_end)
            if positions_ is None or name in positions_
        }
        for name, wanted, known in (
            ("kind", kinds_, {row.kind for row in self.rows}),
            ("layer", layers_, {row.layer for row in self.rows} - {None}),
            ("head", heads_, {row.head for row in self.rows} - {None}),
            ("position", positions_, {*self.positions, *from_the_end}),
        ):
            for value in wanted or ():
                if value not in known:
                    listed = sorted(known, key=str)
                    raise ValueError(f"there is no {name} {shown(value)} here; there are {listed}.")
        return [
            Stage(row.kind, row.layer, row.head, position)
            for row in self.rows
            if (kinds_ is None or row.kind in kinds_)
            and (layers_ is None or row.layer in layers_)
            and (heads_ is None or row.head in heads_)
            for position, column in columns.items()
            if column is not None and self._width(row, column)
        ]

    def _hint(self, stage: Stage) -> str:
        if not stage.position:
            row = self._row.get((stage.kind, stage.layer, stage.head))
            if row is None:
                return _nearest(stage.kind, [str(row) for row in self.rows]).strip()
            there = [at for at, width in zip(self.positions, row.widths, strict=True) if width]
            return f"It is at {', '.join(there)}: say where, as in '{stage.kind}@{there[0]}'."
        trouble = self.places.trouble(stage.position)
        if trouble is not None:
            return trouble
        column = self.places.column(stage.position)
        if column is None:
            near = _nearest(stage.position, self.positions)
            return f"No position is called {stage.position!r};{near}"
        if self.layout is not None and column >= 0 and column not in self.layout.present:
            return (
                f"At {stage.position!r} some examples have padding: name positions by "
                "columns={'last': […]}, or count from the end, as in '@-1'."
            )
        names = [str(row) for row in self.rows if self._width(row, column)]
        return (
            f"At {stage.position!r}{_nearest(row_name(stage.kind, stage.layer, stage.head), names)}"
        )


def row_name(kind: str, layer: int | None, head: int | None) -> str:
    """Return the part of an address before the ``@``."""
    if layer is None:
        return kind
    return f"L{layer}.{kind}" if head is None else f"L{layer}H{head}.{kind}"


def _wanted(name: str, value: Any, kind: type[str] | type[int]) -> set[Any] | None:
    """Return the values that are asked for, one or several of a kind; None where all are."""
    if value is None:
        return None
    fits = (str,) if kind is str else (int, np.integer)
    found = list(value) if several(value) else [value]
    for item in found:
        if isinstance(item, bool) or not isinstance(item, fits):
            plain = "strings" if kind is str else "whole numbers"
            raise TypeError(f"{name} must be {plain}, one or a list of them, not {shown(value)}.")
    return set(found)


def _nearest(wanted: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    meant = f" the nearest is {close[0]!r};" if close else ""
    shown = list(known) if len(known) <= 60 else [*known[:58], "…", known[-1]]
    return f"{meant} there are {', '.join(shown)}."
