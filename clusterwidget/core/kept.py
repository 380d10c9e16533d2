"""Kept: results that were worked out, in memory and as documents in a saved exploration."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from clusterwidget.core.checks import shown

T = TypeVar("T")

Document = Mapping[str, Any]
"""Plain values, for JSON."""

_MOST = 256


class Kept(Generic[T]):
    """Results of one kind, by a key that says all that they depend on.

    What is in the saved exploration is read when it is asked for, so that opening it costs nothing.

    Parameters
    ----------
    kind : str
        What they are called there.
    document : function of a result
        Returns it as plain values.
    restored : function of a document
        Returns the result; raises where the document is none of this kind.
    read : function of kind and key
        Returns what is saved under a key, or None.
    keep : function of kind, key and document
        Told of each new result, to keep it where it lasts.
    """

    def __init__(
        self,
        kind: str,
        document: Callable[[T], dict[str, Any]],
        restored: Callable[[Document], T],
        read: Callable[[str, str], Document | None],
        keep: Callable[[str, str, dict[str, Any]], None],
    ) -> None:
        self.kind = kind
        self._document, self._restored = document, restored
        self._read, self._keep = read, keep
        self._found: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        """Return what was worked out under this key.

        Raises
        ------
        ValueError
            Where what is saved under it is damaged.
        """
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        saved = self._read(self.kind, key)
        if saved is None:
            return None
        try:
            found = self._restored(saved)
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"what is saved as {shown(key)} is damaged: {error}. Remove its folder in records/"
                f"{self.kind}, or all of them: they can be worked out again."
            ) from error
        self._hold(key, found)
        return found

    def put(self, key: str, result: T, *, last: bool = True) -> None:
        """Keep a result; `last` writes it into the saved exploration at once."""
        self._hold(key, result)
        if last:
            self._keep(self.kind, key, self._document(result))

    def records(self) -> dict[str, dict[str, Any]]:
        """Return the results that are held as plain values, by key."""
        return {key: self._document(result) for key, result in self._found.items()}

    def _hold(self, key: str, result: T) -> None:
        self._found[key] = result
        self._found.move_to_end(key)
        while len(self._found) > _MOST:
            self._found.popitem(last=False)
