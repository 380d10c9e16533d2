"""Kept: the swap tests that were made, and the pairs of those that were cancelled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

from clusterwidget.core.checks import shown, whole
from clusterwidget.core.stages import Stage
from clusterwidget.results.swaptest import SwapTest
from clusterwidget.results.verdict import Verdict

if TYPE_CHECKING:
    from clusterwidget.results.pairs import Pairs
    from clusterwidget.results.swaptest import Outcomes

RECORDS = "swap tests"
"""What they are called in a saved exploration."""

_MOST_UNDER_WAY = 4
_TEXTS = ("answer", "title", "condition")
_NUMBERS = (
    *("pairs", "loss", "right", "recovered", "low", "high", "unusual"),
    *("cost", "right_without", "right_constant"),
)
"""Columns of a test's table."""


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
        """Take in tests that `records` returned.

        Raises
        ------
        ValueError
            Where a record is none of a swap test.
        """
        for key, record in records.items():
            try:
                test, settings = _restored(record)
                if _key(test.stage, settings) != key:
                    raise ValueError("it is the record of another test")
            except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
                raise ValueError(
                    f"the saved swap test {shown(key)} is damaged: {error}. Remove its folder in "
                    f"records/{RECORDS}, or all of them: swap tests can be made again."
                ) from error
            self._done[test.stage, settings] = test


def _restored(record: Mapping[str, Any]) -> tuple[SwapTest, Settings]:
    """Return what `as_record` made plain values of; raise where a field is of another type."""
    document, settings = record["test"], Settings(**record["settings"])
    whole("pairs", settings.pairs, 1)
    whole("seed", settings.seed, 0)
    texts = [document["sentence"], document["answer"]]
    for row in document["table"]:
        if row.keys() != {*_TEXTS, *_NUMBERS}:
            raise ValueError(f"a row of its table has the columns {shown(list(row))}")
        texts += [row[name] for name in _TEXTS]
        if not all(row[name] is None or type(row[name]) in (int, float) for name in _NUMBERS):
            raise ValueError("a row of its table has something other than numbers")
    texts += [text for text in (settings.concept, document["concept"]) if text is not None]
    if not all(isinstance(text, str) for text in texts) or not isinstance(settings.free, bool):
        raise ValueError("a field has another type than is saved")
    if document["verdict"] not in get_args(Verdict):
        raise ValueError(f"there is no verdict {shown(document['verdict'])}")
    test = SwapTest.of_document(document)
    if test.bars(test.answer).empty:
        raise ValueError(f"its table lacks the answer {shown(test.answer)}")
    return test, settings


def as_record(test: SwapTest, settings: Settings) -> tuple[str, dict[str, Any]]:
    """Return what a test is kept under, and as."""
    return _key(test.stage, settings), {"settings": asdict(settings), "test": test.document()}


def _key(stage: Stage, settings: Settings) -> str:
    return " ".join([str(stage), *(f"{name}={value}" for name, value in asdict(settings).items())])
