"""Places: positions by name, or counted from the end, and their columns."""

from __future__ import annotations

from collections.abc import Sequence

from clusterwidget.core.inputs import Layout
from clusterwidget.core.padding import from_end


class Places:
    """The positions of examples.

    A position's column is its index among the names; one that counts from the end of each example's
    own tokens has a column below 0, where it is not a position with a name in all of them.

    Parameters
    ----------
    names : sequence of str
    layout : Layout or None
        None where position p is token p in all examples.
    """

    def __init__(self, names: Sequence[str], layout: Layout | None = None) -> None:
        self.names = tuple(names)
        self.layout = layout
        self._column = {name: index for index, name in enumerate(self.names)}

    def column(self, position: str) -> int | None:
        """Return the column of a position; None where there is none."""
        if position in self._column:
            return self._column[position]
        back = from_end(position)
        if back is None or -back > self._least[1]:
            return None
        return len(self.names) + back if self.layout is None else self.layout.named(back)

    @property
    def present(self) -> tuple[int, ...]:
        """The columns at which every example has a token."""
        return tuple(range(len(self.names))) if self.layout is None else self.layout.present

    def name(self, column: int) -> str:
        """Return the name of a column's position."""
        return self.names[column] if column >= 0 else str(column)

    def trouble(self, position: str) -> str | None:
        """Say why a position that counts from the end is none; None for what does not count so."""
        back = from_end(position)
        if back is None or self.column(position) is not None:
            return None
        example, size = self._least
        return (
            f"{position!r} counts from the end of each example's tokens, and example {example} "
            f"has only {size}."
        )

    @property
    def _least(self) -> tuple[int, int]:
        return (0, len(self.names)) if self.layout is None else self.layout.shortest
