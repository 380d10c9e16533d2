"""Swap: what a model answers when one example has another's vector at a stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from clusterwidget.core.stages import Stage

UNUSUAL = 1.5
"""Activations so many times farther from any reference activation than usual are unusual."""


@dataclass(frozen=True)
class Swap:
    """What a model answers when one example has another's vector at a stage.

    Attributes
    ----------
    stage : Stage
    table : pandas.DataFrame
        One row an answer, in order of position: ``answer``, ``title``, the text of the ``right``
        token, of the one ``before`` and ``after`` the swap with ``before_probability`` and
        ``after_probability``, whether it ``changed``, and whether the swap ``reached`` it: what
        is read before the stage's position stays as it is.
    free : bool
        Whether the model was fed its own answers, rather than the right ones.
    unusual : float
        Distance of the activations after the swap to the nearest reference activation, over its
        usual size; the largest over the answers. Worked out when it is first looked at: the
        reference examples are run then, once for all swaps.

    See Also
    --------
    Explorer.swap
    SwapTest : many swaps at a stage.

    Examples
    --------
    >>> print(ex.swap("L1.resid_post@S4", receiver=42, donor=7))
    1 5 3 9 5
    """

    stage: Stage
    table: pd.DataFrame
    free: bool
    measure: Callable[[], float] = field(repr=False, compare=False)

    @cached_property
    def unusual(self) -> float:
        """How far the activations after the swap are from any that examples lead to.

        See Also
        --------
        Explorer.get_ready : runs the reference examples beforehand.

        Examples
        --------
        >>> ex.swap("L1.resid_post@S4", receiver=42, donor=7).unusual > 0
        True
        """
        return self.measure()

    def __str__(self) -> str:
        return " ".join(self.table["after"])
