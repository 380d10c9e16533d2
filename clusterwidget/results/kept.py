"""Kept: the swap tests that were made, and the pairs of those that were cancelled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, get_args

from clusterwidget.core.checks import shown, whole
from clusterwidget.core.metrics import METRICS, Metric
from clusterwidget.core.stages import Stage
from clusterwidget.results.follows import COLUMNS, Sets
from clusterwidget.results.swaptest import HOW, SwapTest
from clusterwidget.results.verdict import Verdict

if TYPE_CHECKING:
    from clusterwidget.results.pairs import Pairs
    from clusterwidget.results.swaptest import Outcomes

RECORDS = "swap tests"
"""What they are called in a saved exploration."""

_MOST_UNDER_WAY = 4
_VERSION = 2
"""Of a record: those before were judged by other rules, and such tests are made again."""
_TEXTS = ("answer", "title", "condition")
_NUMBERS = (
    *("pairs", "loss", "right", "recovered", "low", "high", "unusual"),
    *("cost", "cost_low", "cost_high", "changed", "right_without", "right_constant"),
)
"""Columns of a test's table."""
_FOLLOWS_TEXTS = ("answer", "title", "pairs")


@dataclass(frozen=True)
class Settings:
    """What decides a swap test's result besides the stage.

    Attributes
    ----------
    concepts : tuple of str
        Several are taken together; none stands for the concept that names the stage.
    pairs, seed : int
    free : bool
    how : "vector" or "part"
    metric : str
        By which donors are near.
    """

    concepts: tuple[str, ...] = ()
    pairs: int = 1000
    seed: int = 0
    free: bool = False
    how: str = "vector"
    metric: Metric = "l2"


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

    def by_default(self, metric: Metric = "l2") -> dict[Stage, SwapTest]:
        """Return the tests with default settings, by stage; of several that of the most pairs."""
        found = [
            (settings.pairs, stage, test)
            for (stage, settings), test in self._done.items()
            if replace(settings, pairs=Settings.pairs) == Settings(metric=metric)
        ]
        return {stage: test for _, stage, test in sorted(found, key=itemgetter(0))}

    def closed(self, metric: Metric = "l2") -> dict[Stage, SwapTest]:
        """Return the tests that say "enough", by stage, whatever concepts they are about."""
        return {
            stage: test
            for (stage, settings), test in self._done.items()
            if test.verdict == "enough" and settings.metric == metric
        }

    def put(self, test: SwapTest, settings: Settings) -> None:
        """Keep a test that was made."""
        self._done[test.stage, settings] = test
        key, document = as_record(test, settings)
        self._keep(key, document)

    def forget(self, concept: str) -> None:
        """Drop the tests that a concept with other values could change.

        Those that are about it, and those whose concept was chosen among all.
        """

        def stays(settings: Settings) -> bool:
            named = [part for name in settings.concepts for part in name.split(" = ")]
            return bool(named) and concept not in named

        self._done = {key: test for key, test in self._done.items() if stays(key[1])}
        begun = [(key, made) for key, made in self._under_way.items() if stays(key[1])]
        self._under_way = OrderedDict(begun)

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
            if isinstance(record, Mapping) and "version" not in record:
                continue
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
    if record["version"] != _VERSION:
        raise ValueError(f"it is of version {shown(record['version'])}, not {_VERSION}")
    given = record["settings"]
    document = record["test"]
    settings = Settings(**{**given, "concepts": tuple(given["concepts"])})
    whole("pairs", settings.pairs, 1)
    whole("seed", settings.seed, 0)
    texts = [document["sentence"], document["answer"], *settings.concepts]
    texts += _checked_rows(document["table"], _TEXTS, _NUMBERS)
    numbers = tuple(name for name in COLUMNS if name not in _FOLLOWS_TEXTS)
    texts += _checked_rows(document["follows"], _FOLLOWS_TEXTS, numbers)
    texts += [document["concept"]] if document["concept"] is not None else []
    if not all(isinstance(text, str) for text in texts) or not isinstance(settings.free, bool):
        raise ValueError("a field has another type than is saved")
    for what, value, known in (
        ("verdict", document["verdict"], get_args(Verdict)),
        ("answer to whether it sets the answer", document["sets"], (*get_args(Sets), None)),
        ("way to put in", document["how"], HOW),
        ("way to put in", settings.how, HOW),
        ("metric", settings.metric, METRICS),
    ):
        if value not in known:
            raise ValueError(f"there is no {what} {shown(value)}")
    test = SwapTest.of_document(document)
    if test.bars(test.answer).empty:
        raise ValueError(f"its table lacks the answer {shown(test.answer)}")
    return test, settings


def _checked_rows(
    rows: Sequence[Mapping[str, Any]], texts: Sequence[str], numbers: Sequence[str]
) -> list[Any]:
    """Return the texts of a saved table, or raise ValueError where it has something else."""
    found = []
    for row in rows:
        if row.keys() != {*texts, *numbers}:
            raise ValueError(f"a row of its table has the columns {shown(list(row))}")
        found += [row[name] for name in texts]
        if not all(row[name] is None or type(row[name]) in (int, float) for name in numbers):
            raise ValueError("a row of its table has something other than numbers")
    return found


def as_record(test: SwapTest, settings: Settings) -> tuple[str, dict[str, Any]]:
    """Return what a test is kept under, and as."""
    plain = {**_fields(settings), "concepts": list(settings.concepts)}
    document = {"version": _VERSION, "settings": plain, "test": test.document()}
    return _key(test.stage, settings), document


def _key(stage: Stage, settings: Settings) -> str:
    named = {**_fields(settings), "concepts": " and ".join(settings.concepts)}
    return " ".join([str(stage), *(f"{name}={value}" for name, value in named.items())])


def _fields(settings: Settings) -> dict[str, Any]:
    """Return settings by name. Of L2 nothing is said: explorations were saved before metrics."""
    fields = asdict(settings)
    if settings.metric == "l2":
        del fields["metric"]
    return fields
