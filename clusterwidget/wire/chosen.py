"""Chosen: a set of examples as one short text, a bit for each; `js/src/compute/chosen.ts` reads it.

A text and no buffer, so that it is saved with a notebook, and arrives where hosts drop buffers. A
million examples take 167 kB, half of them as numbers 3.4 MB.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from clusterwidget.core.checks import indices, shown

Ints = npt.NDArray[np.int64]

NONE: Any = np.zeros(0, np.int64)
NONE.flags.writeable = False


def chosen_text(chosen: Ints) -> str:
    """Return a text of examples given by their indices; "" for none."""
    if len(chosen) == 0:
        return ""
    mask = np.zeros(int(chosen[-1]) + 1, bool)
    mask[chosen] = True
    return base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()


def chosen_of(text: Any, n: int) -> Ints:
    """Return the indices, sorted, that a text stands for.

    Raises
    ------
    ValueError
        For what is no such text, and for one of examples that there are not.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError(f"what is chosen cannot be read from {shown(text)}.") from None
    if len(data) > (n + 7) // 8:
        raise ValueError(f"more is chosen than there is: there are {n:,} examples.")
    found = np.flatnonzero(np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little"))
    if len(found) and found[-1] >= n:
        raise ValueError(f"example {found[-1]} is chosen, and there are {n:,} examples.")
    found = found.astype(np.int64)
    found.flags.writeable = False
    return found


class Indices(traitlets.TraitType[Any, Any]):
    """A trait: the indices of some examples, sorted, as an array that cannot be written to.

    The widget that has it checks them (`checked`), since it knows how many examples there are.
    """

    info_text = "indices of examples"

    def __init__(self) -> None:
        super().__init__(default_value=NONE)
        self.tag(
            sync=True,
            to_json=lambda value, _: chosen_text(value),
            from_json=lambda text, widget: chosen_of(text, len(widget.examples)),
        )

    def set(self, obj: Any, value: Any) -> None:
        """Set it and tell of it, unless it is the same: arrays have no one answer to `==`."""
        new: Any = self._validate(obj, value)
        old = obj._trait_values.get(self.name, NONE)
        if not np.array_equal(old, new):
            obj._trait_values[self.name] = new
            obj._notify_trait(self.name, old, new)


def checked(value: Any, n: int) -> Ints:
    """Return indices as the trait holds them.

    Raises
    ------
    TypeError, ValueError, IndexError
        As `checks.indices` does.
    """
    found = indices("chosen", value, n)
    found.flags.writeable = False
    return found
