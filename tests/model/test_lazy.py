"""A model that a function loads: once, when it is needed, and never before."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clusterwidget as cw
from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.model.lazy import LOADING, LazyModel, ModelNotLoadedError
from clusterwidget.wire.replies import reply
from clusterwidget.wire.worker import Worker
from tests.conftest import make_native

SAVED = ["L1.resid_post@f", "L0.attn_out@e"]
UNSAVED = "L0.mlp_out@f"


class Loader:
    """Returns a model, or raises; counts how often it is called, and may be held back."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.calls = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.began = threading.Event()

    def load(self) -> Any:
        self.calls += 1
        self.began.set()
        assert self.go_on.wait(30)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture(scope="module")
def store(
    native_model: Any, asked_examples: cw.Examples, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("lazy") / "saved.zarr"
    explorer = cw.Explorer(native_model, asked_examples)
    explorer.swap_test("L0.attn_out@f", pairs=20)
    explorer.parts(SAVED[0])
    explorer.save(path, SAVED)
    return path


@pytest.fixture(scope="module")
def asked_examples() -> cw.Examples:
    tokens = np.random.default_rng(0).integers(0, 20, (60, 7))
    return cw.Examples(
        tokens,
        positions=list("abcdefg"),
        concepts={"first": tokens[:, 0] % 3, "low": tokens[:, 5] < 10},
        answers=[cw.Answer("next", "f", tokens[:, 6])],
    )


def ask_what_was_saved(explorer: cw.Explorer) -> None:
    for request in (
        {"what": "hello"},
        {"what": "labels"},
        {"what": "tokens"},
        {"what": "partitions"},
        {"what": "matrix", "stage": SAVED[0], "without": [], "metric": "l2"},
        {"what": "distances", "stage": SAVED[1], "without": ["low"], "metric": "l2", "row": 3},
        {
            "what": "atlas",
            "kinds": ["resid_post", "attn_out", "mlp_out"],
            "first": None,
            "metric": "l2",
        },
        {"what": "parts", "stage": SAVED[0], "without": [], "metric": "l2"},
        {"what": "clusters", "stage": SAVED[0], "without": [], "metric": "l2"},
        {"what": "swap_tests", "kinds": ["attn_out"], "metric": "l2"},
        {"what": "lens", "stage": SAVED[0], "row": 3, "k": 5, "metric": "l2"},
        {"what": "prepare"},
    ):
        reply(explorer, request, Watch())
    explorer.neighbors(SAVED[0], 3)
    explorer.shared(SAVED[0], 3)
    explorer.meaning(SAVED[0])
    repr(explorer)


def test_what_was_saved_is_there_without_the_model(store: Path, native_model: Any) -> None:
    loader = Loader(native_model)
    explorer = cw.open(store, model=loader.load)
    widget = cw.ClusterWidget(explorer)
    widget._repr_mimebundle_()
    assert widget.stage == SAVED[0]
    ask_what_was_saved(explorer)
    fields, _ = reply(explorer, {"what": "hello"}, Watch())
    assert fields["has_model"]
    assert loader.calls == 0
    assert not explorer.is_loaded


def test_the_first_question_that_needs_the_model_loads_it_once(
    store: Path, native_model: Any
) -> None:
    loader = Loader(native_model)
    explorer = cw.open(store, model=loader.load)
    eager = cw.open(store, model=native_model)
    assert np.array_equal(explorer.matrix(UNSAVED), eager.matrix(UNSAVED))
    assert explorer.is_loaded
    swapped = explorer.swap(SAVED[1], 3, 4).table
    assert swapped.equals(eager.swap(SAVED[1], 3, 4).table)
    explorer.lens(SAVED[0], 3)
    explorer.trace(3, "next", draws=1)
    explorer.swap_test(SAVED[1], pairs=20)
    assert explorer.model is native_model
    assert loader.calls == 1


@pytest.mark.parametrize(
    "question",
    [
        lambda ex: ex.matrix(UNSAVED),
        lambda ex: ex.swap(SAVED[1], 3, 4),
        lambda ex: ex.swap_test(SAVED[1], pairs=2),
        # Another number of draws than the trace that is kept in the store.
        lambda ex: ex.trace(3, "next", draws=3),
        lambda ex: ex.lens(SAVED[0], 3),
        lambda ex: ex.ablate(SAVED[1], 3, draws=1),
        lambda ex: ex.get_ready(),
        lambda ex: ex.load(),
        lambda ex: ex.model,
    ],
)
def test_a_function_that_raises_says_so_and_is_called_again(
    store: Path, native_model: Any, question: Callable[[cw.Explorer], object]
) -> None:
    loader = Loader(OSError("no such disk"))
    explorer = cw.open(store, model=loader.load)
    for _ in range(2):
        with pytest.raises(ModelNotLoadedError, match=r"load\(\) raised OSError: no such disk"):
            question(explorer)
    loader.result = native_model
    question(explorer)
    assert loader.calls == 3
    ask_what_was_saved(explorer)


def test_what_is_no_model_or_another_one_is_refused(store: Path, native_model: Any) -> None:
    loader = Loader(object())
    explorer = cw.open(store, model=loader.load)
    with pytest.raises(ModelNotLoadedError, match=r"should return a model, not .*object"):
        explorer.load()
    loader.result = make_native(seed=7)
    with pytest.raises(ModelNotLoadedError, match="of another model: these weights"):
        explorer.load()
    loader.result = make_native(n_layers=1)
    with pytest.raises(ModelNotLoadedError, match="of another model"):
        explorer.load()
    loader.result = native_model
    explorer.load()
    assert explorer.is_loaded


def test_a_function_that_cannot_be_called_without_arguments_is_refused_at_once(
    store: Path,
) -> None:
    def load(path: str) -> None:
        raise AssertionError

    async def later() -> None:
        raise AssertionError

    with pytest.raises(TypeError, match=r"load\(\) cannot be: missing a required argument: 'path'"):
        cw.open(store, model=load)
    with pytest.raises(TypeError, match=r"later\(\) is a coroutine"):
        cw.open(store, model=later)
    with pytest.raises(TypeError, match="lacks cfg"):
        cw.open(store, model=object)
    assert not cw.open(store, model=functools.partial(load, "here")).is_loaded


def test_many_threads_ask_and_it_is_loaded_once(native_model: Any) -> None:
    loader = Loader(native_model)
    loader.go_on.clear()
    model = LazyModel(loader.load, lambda _: "stages")  # type: ignore[arg-type, return-value]
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(model.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert loader.began.wait(10)
    loader.go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == [native_model] * 8
    assert loader.calls == 1


def test_whoever_stops_waiting_leaves_it_loading(store: Path, native_model: Any) -> None:
    loader = Loader(native_model)
    loader.go_on.clear()
    explorer = cw.open(store, model=loader.load)
    with pytest.raises(CaptureCancelledError):
        explorer.swap_test(SAVED[1], pairs=3, cancelled=loader.began.is_set)
    loader.go_on.set()
    explorer.load()
    assert loader.calls == 1


def test_a_function_that_asks_for_the_model_itself_is_told_so(store: Path) -> None:
    explorers: list[cw.Explorer] = []
    explorers.append(cw.open(store, model=lambda: explorers[0].model))
    with pytest.raises(ModelNotLoadedError, match="asks for the model itself"):
        explorers[0].load()


class Page:
    """What a worker sends, and a wait for a message of some type about a request."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self._came = threading.Condition()

    def send(self, message: dict[str, Any], buffers: Any) -> None:
        with self._came:
            self.sent.append(message)
            self._came.notify_all()

    def wait(self, kind: str, request: int) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((m for m in self.sent if (m["type"], m.get("id")) == (kind, request)), None)

        with self._came:
            assert self._came.wait_for(found, 20), self.sent
            return found() or {}


def test_what_was_saved_is_answered_while_the_model_loads(store: Path, native_model: Any) -> None:
    loader, page = Loader(native_model), Page()
    loader.go_on.clear()
    worker = Worker(cw.open(store, model=loader.load), page.send, lambda: None)

    def ask(number: int, **request: Any) -> None:
        worker.submit({"view": "a", "id": number, **request})

    ask(1, what="swap", stage=SAVED[1], receiver=3, donor=4, free=False)
    assert page.wait("progress", 1)["text"] == LOADING
    ask(2, what="matrix", stage=SAVED[0], without=[], metric="l2")
    page.wait("reply", 2)
    ask(3, what="matrix", stage=UNSAVED, without=[], metric="l2")
    assert page.wait("progress", 3)["text"] == LOADING
    ask(4, what="trace", row=3, answer="next")
    ask(5, what="labels")
    page.wait("reply", 5)
    worker.cancel("a", 4)
    loader.go_on.set()
    for number in (1, 3):
        page.wait("reply", number)
    page.wait("cancelled", 4)
    assert loader.calls == 1


def test_the_page_is_told_why_a_model_is_not_loaded_and_can_ask_again(
    store: Path, native_model: Any
) -> None:
    loader, page = Loader(OSError("no such disk")), Page()
    worker = Worker(cw.open(store, model=loader.load), page.send, lambda: None)
    worker.submit({"view": "a", "id": 1, "what": "trace", "row": 3, "answer": "next"})
    assert "no such disk" in page.wait("error", 1)["message"]
    loader.result = native_model
    worker.submit({"view": "a", "id": 2, "what": "trace", "row": 3, "answer": "next"})
    assert page.wait("reply", 2)["possible"]


def test_without_a_saved_exploration_the_first_look_at_the_stages_loads_it(
    native_model: Any, asked_examples: cw.Examples
) -> None:
    loader = Loader(native_model)
    explorer = cw.Explorer(loader.load, asked_examples)
    assert explorer.has_model
    assert loader.calls == 0
    assert explorer.stages() == cw.Explorer(native_model, asked_examples).stages()
    assert loader.calls == 1


def test_saving_again_loads_no_model_where_the_stages_are_saved(
    store: Path, native_model: Any, tmp_path: Path
) -> None:
    loader = Loader(native_model)
    explorer = cw.open(store, model=loader.load)
    explorer.save(tmp_path / "copy.zarr")
    assert loader.calls == 0
    again = cw.open(tmp_path / "copy.zarr", model=native_model)
    assert again.stages() == explorer.stages()


def test_the_worked_example_opens_and_answers_without_torch(tmp_path: Path) -> None:
    explorer = cw.Explorer(cw.addition.load_model("cpu"), cw.addition.problems(300, seed=0))
    explorer.save(tmp_path / "adder.zarr", ["L1.resid_post@S3", "L1H0.result@S3"])
    code = f"""
import sys
import clusterwidget as cw
from clusterwidget.core.watch import Watch
from clusterwidget.wire.replies import reply
ex = cw.open({str(tmp_path / "adder.zarr")!r}, model=cw.addition.load_model)
widget = cw.ClusterWidget(ex)
widget._repr_mimebundle_()
for request in (
    {{"what": "hello"}}, {{"what": "labels"}}, {{"what": "tokens"}}, {{"what": "partitions"}},
    {{"what": "matrix", "stage": widget.stage, "without": [], "metric": "l2"}},
    {{"what": "atlas", "kinds": ["resid_post", "result"], "first": None, "metric": "l2"}},
    {{"what": "parts", "stage": widget.stage, "without": [], "metric": "l2"}},
    {{"what": "lens", "stage": widget.stage, "row": 0, "k": 5, "metric": "l2"}},
    {{"what": "prepare"}},
):
    reply(ex, request, Watch())
heavy = {{"torch", "transformer_lens"}} & set(sys.modules)
assert not heavy, heavy
assert ex.lens("L1.resid_post@S3", 0).shape[0] == 5
assert "torch" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
