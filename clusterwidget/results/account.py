"""Account: which parts of a stage together are enough, by the model itself."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clusterwidget.core.stages import Stage
from clusterwidget.results.swaptest import SwapTest


@dataclass(frozen=True)
class Account:
    """What came of adding a stage's parts until they are enough.

    Attributes
    ----------
    stage : Stage
    closed : bool
        Whether they are, or the stage does not matter.
    concepts : tuple of str
        Those of the last test.
    tests : tuple of SwapTest
        One for each number of parts that was tried.
    sentence : str
        The outcome in words.

    See Also
    --------
    Explorer.account

    Examples
    --------
    >>> found = ex.account("L0H0.result@S3", pairs=200)
    >>> found.closed, found.concepts
    (True, ('L2', 'R2'))
    """

    stage: Stage
    closed: bool
    concepts: tuple[str, ...]
    tests: tuple[SwapTest, ...]
    sentence: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.sentence}"

    @property
    def table(self) -> pd.DataFrame:
        """One row for each test: the concepts, the verdict, and what is recovered far away.

        See Also
        --------
        SwapTest.table

        Examples
        --------
        >>> ex.account("L0H0.result@S3", pairs=200).table["verdict"].tolist()
        ['insufficient', 'enough']
        """
        rows = []
        for test in self.tests:
            bars = test.bars(test.answer)["recovered"]
            rows.append((test.concept, test.verdict, float(bars.get("far", float("nan")))))
        return pd.DataFrame(rows, columns=["concepts", "verdict", "far"])
