"""Answers: what visitors ask, answered once for all who ask the same.

One explorer answers all visitors and never changes. Who has typed further examples sees them
after the common ones: an explorer that shares the common activations is made for the answer, and
the latest few are kept. What is said of concepts and stages is said of the common examples.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from clusterwidget.core.examples import Examples
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.publish.server.framing import Answer
from clusterwidget.publish.server.limits import Limits
from clusterwidget.results.kept import Settings
from clusterwidget.wire import messages, requests
from clusterwidget.wire.replies import reply

_OF_THE_COMMON = (
    "atlas",
    "second_parts",
    "parts",
    "swap_test",
    "swap_tests",
    "account",
    "prepare",
    "load",
)
"""What is said of stages and concepts: some examples more or less change nothing about it."""
_BY_ROW = {"captions": ("row",), "swap": ("receiver", "donor"), "trace": ("row",)}
"""What is asked of some examples only, by the fields that name them."""
_NOT_KEPT = ("swap_tests", "swap_test", "account", "find", "prepare", "load")
"""Answers that change with what is known, or that the explorer keeps itself."""
_EXPLORERS = 8
"""Explorers with typed examples that are kept."""


class Typed:
    """The examples that one visitor has typed.

    Attributes
    ----------
    number : int
        No other visitor's.
    examples : Examples or None
    """

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.number = next(self._numbers)
        self.examples: Examples | None = None

    def __len__(self) -> int:
        return 0 if self.examples is None else len(self.examples)


class Answers:
    """Answers requests of all visitors, from several threads.

    Parameters
    ----------
    explorer : Explorer
        Nothing is added to it, and nothing is written to where it is saved.
    limits : Limits
    """

    def __init__(self, explorer: Explorer, limits: Limits) -> None:
        self._path = explorer.path
        explorer.path = None
        self.explorer = explorer
        self._n = len(explorer.examples)
        self._limits = limits
        self._kept: OrderedDict[str, Answer] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._extended: OrderedDict[tuple[int, int], Explorer] = OrderedDict()
        self._pairs = _pairs_offered(self._n)

    def known(self, request: Mapping[str, Any], typed: Typed) -> Answer | None:
        """Return the answer to a request if it is here already."""
        if not self.is_common(request, typed):
            return None
        with self._lock:
            key = _key(request)
            answer = self._kept.get(key)
            if answer is not None:
                self._kept.move_to_end(key)
            return answer

    def is_at_hand(self, request: Mapping[str, Any], typed: Typed) -> bool:
        """Whether a stage is asked for that needs only be read."""
        stage = request.get("stage")
        plain = request.get("without") == [] and request.get("metric") == "l2"
        if len(typed) or not plain or not isinstance(stage, str):
            return False
        try:
            return self.explorer.holds(stage)
        except (ValueError, TypeError):
            # The answer says what is wrong with it.
            return True

    def answer(self, request: Mapping[str, Any], typed: Typed, watch: Watch) -> Answer:
        """Answer a request.

        Raises
        ------
        ValueError, TypeError, IndexError, MemoryError
            As `wire.replies.reply` does, in words.
        CaptureCancelledError
        """
        what = request.get("what")
        if what == "find":
            return self._find(requests.read(requests.FindRequest, request)["text"], typed, watch)
        if what in ("concept_of", "concept_of_chosen"):
            raise ValueError(
                "this page is shared, and a concept would be seen by all: make it in a notebook."
            )
        if what == "layout" and request.get("method") != "pca":
            raise ValueError("this page is shared, and UMAP takes long: look at it in a notebook.")
        if what == "swap_test":
            self._check_pairs(requests.read(requests.SwapTestRequest, request)["pairs"])
        if not self.is_common(request, typed):
            return Answer.of(*reply(self._with(typed), request, watch))
        # Another visitor may have asked the same while this one waited.
        answer = self.known(request, typed)
        if answer is None:
            answer = Answer.of(*self._reply(request, watch))
            # The lens waits for the model to be loaded, and says so.
            changes = what in _NOT_KEPT or (what == "lens" and not self.explorer.is_loaded)
            if not changes:
                self._keep(_key(request), answer)
        return answer

    def _reply(self, request: Mapping[str, Any], watch: Watch) -> messages.Reply:
        if request.get("what") == "prepare":
            # Stages are read when they are asked for: the store is at hand, and memory is shared.
            if self.explorer.is_loaded:
                self.explorer.get_ready(watch)
            return {}, []
        fields, buffers = reply(self.explorer, request, watch)
        if request.get("what") == "hello":
            fields = {**fields, "layouts": ["pca"]}
        return fields, buffers

    def is_common(self, request: Mapping[str, Any], typed: Typed) -> bool:
        """Whether the answer is the same as for a visitor who has typed nothing."""
        what = request.get("what")
        if not len(typed) or what in _OF_THE_COMMON:
            return True
        rows = [request.get(name) for name in _BY_ROW.get(str(what), ())]
        return bool(rows) and all(isinstance(row, int) and row < self._n for row in rows)

    def _find(self, text: str, typed: Typed, watch: Watch) -> Answer:
        index = self.explorer.find(text)
        if index is not None:
            return _found(index, added=False)
        if self.explorer.examples.parse is not None:
            self.explorer.load(progress=watch)
        parsed = self.explorer.parsed(text)
        if typed.examples is None:
            typed.examples = parsed
            return _found(self._n, added=True)
        same = typed.examples.inputs.equal_to(parsed.inputs)
        if len(same):
            return _found(self._n + int(same[0]), added=False)
        if len(typed) >= self._limits.typed:
            raise ValueError(
                f"{self._limits.typed} examples have been typed on this page, as many as may be. "
                "Load it again to begin anew."
            )
        typed.examples = typed.examples.extended(parsed)
        return _found(self._n + len(typed) - 1, added=True)

    def _with(self, typed: Typed) -> Explorer:
        """Return an explorer of the common examples and the typed ones."""
        examples = typed.examples
        assert examples is not None
        key = (typed.number, len(examples))
        with self._lock:
            explorer = self._extended.get(key)
            if explorer is not None:
                self._extended.move_to_end(key)
                return explorer
        explorer = self.explorer.extended(examples)
        with self._lock:
            self._extended[key] = explorer
            while len(self._extended) > _EXPLORERS:
                self._extended.popitem(last=False)
        return explorer

    def forget(self, typed: Typed) -> None:
        """Drop what was made for a visitor who is gone."""
        with self._lock:
            for key in [key for key in self._extended if key[0] == typed.number]:
                del self._extended[key]

    def words(self, error: Exception) -> str:
        """Return what is wrong, in words, without the server's folders."""
        text = str(error) or type(error).__name__
        return text if self._path is None else text.replace(str(self._path), self._path.name)

    def _check_pairs(self, pairs: int | None) -> None:
        """Raise where the page does not offer a swap test of so many pairs: each one is kept."""
        if pairs is not None and pairs not in self._pairs:
            raise ValueError(f"pairs is one of {', '.join(map(str, self._pairs))}, not {pairs}.")

    def _keep(self, key: str, answer: Answer) -> None:
        limit = self._limits.answers << 20
        if answer.size > limit // 4:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = answer
            self._bytes += answer.size
            while self._bytes > limit:
                self._bytes -= self._kept.popitem(last=False)[1].size


def _key(request: Mapping[str, Any]) -> str:
    return json.dumps(request, sort_keys=True)


def _found(index: int, *, added: bool) -> Answer:
    found: messages.Found = {"index": index, "added": added}
    return Answer.of(found, [])


def _pairs_offered(n: int) -> list[int]:
    """Return how many pairs of a swap test a page can come to ask for."""
    from clusterwidget.wire.replies_interventions import _MORE

    offered = [min(Settings.pairs, n)]
    while offered[-1] < n:
        offered.append(min(_MORE * offered[-1], n))
    return offered
