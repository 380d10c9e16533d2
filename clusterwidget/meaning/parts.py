"""Parts: the concepts that together explain a stage, and how they are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from clusterwidget.core.checks import number, shown, whole
from clusterwidget.core.metrics import Metric, checked_metric
from clusterwidget.core.stages import Stage

RECORDS = "parts"
"""What they are called in a saved exploration."""


@dataclass(frozen=True)
class Part:
    """One concept's part of a stage, or the interplay of two concepts.

    Attributes
    ----------
    names : tuple of str
        The concept, or the two whose joint groups these are.
    alone : float
        Share that it explains by itself.
    adds : float
        Share that it adds to the parts before it.
    only : float
        Share that is explained by no other part.
    p : float
        Chance of adding so much, corrected for the number of concepts that were tried.

    See Also
    --------
    Parts : what a stage is made of.

    Examples
    --------
    >>> ex.parts("L1H0.result@S3").all[0].names
    ('carry2',)
    """

    names: tuple[str, ...]
    alone: float
    adds: float
    only: float
    p: float

    @property
    def name(self) -> str:
        """How it is called: ``L2``, or ``L2 × R2`` for an interplay.

        See Also
        --------
        names

        Examples
        --------
        >>> ex.parts("L1H0.result@S3").all[0].name
        'carry2'
        """
        return " × ".join(self.names)


@dataclass(frozen=True)
class Parts:
    """What a stage is made of.

    Attributes
    ----------
    all : tuple of Part
        In the order in which they were found: what explains most of what is left comes next.
    unexplained : float
        Share that nothing named explains; NaN where all examples are the same.
    spread : float
        Root mean squared distance of the vectors to their mean.

    See Also
    --------
    Explorer.parts

    Examples
    --------
    >>> parts = ex.parts("L1H0.result@S3")
    >>> parts.table().columns.tolist()
    ['part', 'alone', 'adds', 'only', 'p']
    """

    all: tuple[Part, ...]
    unexplained: float
    spread: float

    def __str__(self) -> str:
        if math.isnan(self.unexplained):
            return "all examples are the same here"
        told = [f"{part.name} {part.adds:.0%}" for part in self.all]
        return ", ".join([*told, f"unexplained {self.unexplained:.0%}"])

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts among the parts, without their interplay.

        See Also
        --------
        table

        Examples
        --------
        >>> ex.parts("L1H0.result@S3").concepts
        ('carry2',)
        """
        return tuple(part.name for part in self.all if len(part.names) == 1)

    def table(self) -> pd.DataFrame:
        """Return one row for each part, and a last one, ``unexplained``.

        See Also
        --------
        Part : whose attributes the columns are.

        Examples
        --------
        >>> ex.parts("L1H0.result@S3").table()["part"].tolist()
        ['carry2', 'unexplained']
        """
        nan = float("nan")
        rows = [(part.name, part.alone, part.adds, part.only, part.p) for part in self.all]
        rows.append(("unexplained", nan, self.unexplained, self.unexplained, nan))
        return pd.DataFrame(rows, columns=["part", "alone", "adds", "only", "p"])


NOTHING = Parts((), float("nan"), 0.0)
"""Of a stage where all examples are the same."""


@dataclass(frozen=True)
class PartsSettings:
    """What decides the parts of a stage besides the stage.

    Attributes
    ----------
    concepts : tuple of str
        The names to choose among; none stands for all.
    seed : int
    n : int
        Number of examples.
    metric : str
    """

    concepts: tuple[str, ...]
    seed: int
    n: int
    metric: Metric = "l2"


class KnownParts:
    """The parts that were found, by stage and settings."""

    def __init__(self) -> None:
        self._found: dict[tuple[Stage, PartsSettings], Parts] = {}

    def get(self, stage: Stage, settings: PartsSettings) -> Parts | None:
        """Return the parts of a stage, if they were found."""
        return self._found.get((stage, settings))

    def put(self, stage: Stage, settings: PartsSettings, parts: Parts) -> None:
        """Keep the parts of a stage."""
        self._found[stage, settings] = parts

    def records(self) -> dict[str, dict[str, Any]]:
        """Return all parts as plain values, by key."""
        return {
            _key(stage, settings): _document(stage, settings, parts)
            for (stage, settings), parts in self._found.items()
        }

    def restore(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Take in parts that `records` returned.

        Raises
        ------
        ValueError
            Where a record is none of parts.
        """
        for key, record in records.items():
            try:
                stage, settings, parts = _restored(record)
                if _key(stage, settings) != key:
                    raise ValueError("they are the record of another stage")
            except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
                raise ValueError(
                    f"the saved parts {shown(key)} are damaged: {error}. Remove their folder in "
                    f"records/{RECORDS}, or all of them: parts can be found again."
                ) from error
            self._found[stage, settings] = parts


def _key(stage: Stage, settings: PartsSettings) -> str:
    named = f"concepts={' and '.join(settings.concepts)} seed={settings.seed} n={settings.n}"
    # Of L2 nothing is said: explorations were saved before metrics.
    metric = "" if settings.metric == "l2" else f" metric={settings.metric}"
    return f"{stage} {named}{metric}"


def _document(stage: Stage, settings: PartsSettings, parts: Parts) -> dict[str, Any]:
    unexplained = None if math.isnan(parts.unexplained) else parts.unexplained
    return {
        "stage": str(stage),
        "settings": {**asdict(settings), "concepts": list(settings.concepts)},
        "parts": [{**asdict(part), "names": list(part.names)} for part in parts.all],
        "unexplained": unexplained,
        "spread": parts.spread,
    }


def _restored(record: Mapping[str, Any]) -> tuple[Stage, PartsSettings, Parts]:
    """Return what `_document` made plain values of; raise where a field is of another type."""
    given = record["settings"]
    settings = PartsSettings(**{**given, "concepts": tuple(given["concepts"])})
    whole("seed", settings.seed, 0)
    whole("n", settings.n, 2)
    checked_metric(settings.metric)
    parts = [Part(**{**part, "names": tuple(part["names"])}) for part in record["parts"]]
    unexplained = record["unexplained"]
    for part in parts:
        for share in (part.alone, part.adds, part.only, part.p):
            number("a share", share)
    number("spread", record["spread"], 0)
    names = [*settings.concepts, *(name for part in parts for name in part.names)]
    if not all(isinstance(name, str) for name in names) or not all(p.names for p in parts):
        raise ValueError("a name is no text")
    unexplained = math.nan if unexplained is None else number("unexplained", unexplained)
    stage = Stage.parse(record["stage"])
    return stage, settings, Parts(tuple(parts), unexplained, float(record["spread"]))
