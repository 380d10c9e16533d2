"""Kept: the swap tests that were made, and those that are under way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from clusterwidget.core.stages import Stage
from clusterwidget.results.swaptest import SwapTest

if TYPE_CHECKING:
    from clusterwidget.results.pairs import Pairs
    from clusterwidget.results.swaptest import Outcomes

RECORDS = "swap tests"
"""What they are called in a saved exploration."""

_MOST_UNDER_WAY = 4


@dataclass(frozen=True)
class Settings:
    """What decides a swap test's result besides the stage.

    Attributes
    ----------
    concept : str or None
        None for the concept that names the stage, whichever that is.
    pairs, seed : int
    free : bool
    """

    concept: str | None = None
    pairs: int = 1000
    seed: int = 0
    free: bool = False


class SwapTests:
    """Swap tests by stage and settings.

    Parameters
    ----------
    keep : function of a key and a document
        Told of each new test, to keep it where it lasts.
    """

    def __init__(self, keep: Callable[[str, dict[str, Any]], None]) -> None:
        self._keep = keep
        self._done: dict[tuple[Stage, Settings], SwapTest] = {}
        self._under_way: OrderedDict[tuple[Stage, Settings, int], tuple[Pairs, Outcomes]] = (
            OrderedDict()
        )

    def get(self, stage: Stage, settings: Settings) -> SwapTest | None:
        """Return a test that was made."""
        return self._done.get((stage, settings))

    def of(self, settings: Settings) -> dict[Stage, SwapTest]:
        """Return all tests with these settings, by stage."""
        return {stage: test for (stage, made), test in self._done.items() if made == settings}

    def put(self, test: SwapTest, settings: Settings) -> None:
        """Keep a test that was made."""
        self._done[test.stage, settings] = test
        key, document = as_record(test, settings)
        self._keep(key, document)

    def begun(self, stage: Stage, settings: Settings, n: int) -> tuple[Pairs, Outcomes] | None:
        """Return the pairs and outcomes of a test of these n examples that was called off."""
        return self._under_way.get((stage, settings, n))

    def begin(
        self, stage: Stage, settings: Settings, n: int, pairs: Pairs, outcomes: Outcomes
    ) -> None:
        """Keep what a test is made from while it runs; only the latest few are kept."""
        self._under_way[stage, settings, n] = pairs, outcomes
        while len(self._under_way) > _MOST_UNDER_WAY:
            self._under_way.popitem(last=False)

    def ended(self, stage: Stage, settings: Settings, n: int) -> None:
        """Let go of what a test that is done was made from."""
        self._under_way.pop((stage, settings, n), None)

    def records(self) -> dict[str, dict[str, Any]]:
        """Return all tests as plain values, by key."""
        return dict(as_record(test, settings) for (_, settings), test in self._done.items())

    def restore(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Take in tests that `records` returned."""
        for record in records.values():
            test = SwapTest.of_document(record["test"])
            self._done[test.stage, Settings(**record["settings"])] = test


def as_record(test: SwapTest, settings: Settings) -> tuple[str, dict[str, Any]]:
    """Return what a test is kept under, and as."""
    made = asdict(settings)
    key = " ".join([str(test.stage), *(f"{name}={value}" for name, value in made.items())])
    return key, {"settings": made, "test": test.document()}
