"""Swap: what a model answers when one example has another's vector at a stage."""

from __future__ import annotations

from dataclasses import dataclass

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
    unusual : float
        Distance of the activations after the swap to the nearest reference activation, over its
        usual size; the largest over the answers.
    free : bool
        Whether the model was fed its own answers, rather than the right ones.

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
    unusual: float
    free: bool

    def __str__(self) -> str:
        return " ".join(self.table["after"])
