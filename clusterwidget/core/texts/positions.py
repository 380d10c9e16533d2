"""Positions of texts: which token of each text a position is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.core.checks import several, shown, text
from clusterwidget.core.texts.feeding import Fed
from clusterwidget.core.texts.spans import is_span, last_token, span_in

Ints = npt.NDArray[np.int64]

LAST = "last"
"""The name of the position at a text's end, where nobody names it otherwise."""

WAY_OUT = "give a mapping such as {'subject': ['keys', 'dog'], 'last': -1}, 'all' or 'every token'."


@dataclass(frozen=True)
class TextPosition:
    """A position of each text.

    Attributes
    ----------
    name : str
    given : object, or list of one for each text
        A part of the text, whose last token it is; its start and end in characters; or an offset,
        from the end where it is negative.
    alike : bool
        Whether `given` is one for all texts, those that are typed later included.
    """

    name: str
    given: Any
    alike: bool

    def of(self, at: int) -> Any:
        """Return what is given for one text."""
        return self.given if self.alike else self.given[at]

    def indices(self, texts: Sequence[str], fed: Sequence[Fed]) -> Ints:
        """Return the index of the token in what is fed of each text, shape (N,).

        Raises
        ------
        TypeError, ValueError
            Where it is not in a text, or cannot be told.
        """
        found = [
            self._index(text, one, self.of(at), f"text {at}" if len(texts) > 1 else "the text")
            for at, (text, one) in enumerate(zip(texts, fed, strict=True))
        ]
        return np.array(found, np.int64)

    def _index(self, text: str, fed: Fed, given: Any, where: str) -> int:
        if isinstance(given, str):
            return self._token(text, fed, span_in(text, given, self.name, where), where)
        if is_span(given):
            start, end = int(given[0]), int(given[1])
            if not 0 <= start < end <= len(text):
                raise ValueError(
                    f"the position {self.name!r}: {where} has {len(text)} characters, and "
                    f"{shown(given)} is no part of it: give the start and the end, which is left "
                    "out."
                )
            return self._token(text, fed, (start, end), where)
        if isinstance(given, (int, np.integer)) and not isinstance(given, (bool, np.bool_)):
            if not -len(fed) <= given < len(fed):
                raise ValueError(
                    f"the position {self.name!r} is {shown(given)}, and {where}, {shown(text)}, "
                    f"has {len(fed)} tokens: leave such texts out, or choose another offset."
                )
            return int(given) % len(fed)
        raise TypeError(
            f"the position {self.name!r} of {where} is {shown(given)}: give a part of the "
            "text, its start and end in characters as a tuple, or an offset such as -1."
        )

    def _token(self, text: str, fed: Fed, span: tuple[int, int], where: str) -> int:
        found = last_token(fed.spans, span)
        if found is None:
            raise ValueError(
                f"the position {self.name!r}: no token of {where} stands at "
                f"{text[span[0] : span[1]]!r} in {shown(text)}: the tokenizer drops it. Choose "
                "another part, or an offset such as -1."
            )
        return found


def checked_text_positions(positions: Any, n: int) -> list[TextPosition]:
    """Return the positions that are given by name, or raise where they do not fit n texts."""
    if positions is None:
        return [TextPosition(LAST, -1, alike=True)]
    if not isinstance(positions, Mapping):
        raise TypeError(f"positions must be by name, not {shown(positions)}: {WAY_OUT}")
    if not positions:
        raise ValueError(f"positions name none, {shown(positions)}: {WAY_OUT}")
    return [_checked(text("a position name", name), given, n) for name, given in positions.items()]


def _checked(name: str, given: Any, n: int) -> TextPosition:
    if not name:
        raise ValueError(f"a position name is empty, {name!r}: give every position a name.")
    if isinstance(given, (str, int, np.integer)) or is_span(given):
        return TextPosition(name, given, alike=True)
    if not several(given) or isinstance(given, Mapping):
        raise TypeError(
            f"the position {name!r} is {shown(given)}: give a part of each text, in a list, or an "
            "offset such as -1."
        )
    listed = list(given)
    if len(listed) != n:
        raise ValueError(
            f"the position {name!r} has {len(listed):,} entries for {n:,} texts, {shown(given)}: "
            "give one each."
        )
    return TextPosition(name, listed, alike=False)
