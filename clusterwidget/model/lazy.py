"""A model that is given, or that a function loads when it is first needed. No torch here."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from clusterwidget.core.checks import shown
from clusterwidget.core.stages import StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.model.hooks import Model, checked_model

LOADING = "loading the model"
"""What is said while it loads."""

_LOOK_SECONDS = 0.05


class ModelNotLoadedError(RuntimeError):
    """The function that loads the model raised, or what it returned does not fit."""


class LazyModel:
    """A model that is given, or that a function loads when it is first needed.

    The function is called once, in a thread of its own, so that whoever waits for the model can be
    told so, or stop waiting. Where it fails, whoever waits is told why, and the next to ask for the
    model calls it again.

    Parameters
    ----------
    given : Model, or function of no arguments that returns one
    check : function of a Model
        Returns its stages; raises ValueError where it does not fit the examples or what was saved.

    Attributes
    ----------
    loaded : Model or None
        None while nobody has needed it.

    Raises
    ------
    TypeError
        For what is no model, and for a function that cannot be called without arguments.
    """

    def __init__(self, given: Any, check: Callable[[Model], StageSet]) -> None:
        self._check = check
        self._load: Callable[[], Any] | None = None
        self._lock = threading.Lock()
        self._attempt: _Attempt | None = None
        self._found: tuple[Model, StageSet] | None = None
        if is_function(given):
            _require_no_arguments(given)
            self._load = given
        else:
            model = checked_model(given)
            self._found = model, check(model)

    @property
    def loaded(self) -> Model | None:
        """The model, if it is here."""
        return None if self._found is None else self._found[0]

    def get(self, watch: Watch | None = None) -> Model:
        """Return the model, loaded first where it must be.

        Raises
        ------
        ModelNotLoadedError
            Where it cannot be loaded, or is another one than it should be.
        CaptureCancelledError
            Where the watch was called off; what is being loaded goes on loading.
        """
        return self._get(watch)[0]

    def stages(self, watch: Watch | None = None) -> StageSet:
        """Return the stages of the model, loaded first where it must be."""
        return self._get(watch)[1]

    def _get(self, watch: Watch | None) -> tuple[Model, StageSet]:
        found = self._found
        if found is not None:
            return found
        with self._lock:
            # Another thread may have loaded it meanwhile.
            found = self._found
            if found is not None:
                return found
            attempt = self._attempt
            if attempt is None:
                attempt = self._attempt = _Attempt()
                # The caller's context, for what the function finds there.
                run = functools.partial(copy_context().run, self._run, attempt)
                attempt.thread = threading.Thread(
                    target=run, name="clusterwidget loads the model", daemon=True
                )
                attempt.thread.start()
        if attempt.thread is threading.current_thread():
            raise ModelNotLoadedError(
                "the function that loads the model asks for the model itself: let it load the "
                "model without the explorer."
            )
        with (watch or Watch()).waiting(LOADING) as wait:
            while not attempt.over.wait(_LOOK_SECONDS):
                wait()
        if attempt.found is None:
            raise ModelNotLoadedError(attempt.reason) from attempt.error
        return attempt.found

    def _run(self, attempt: _Attempt) -> None:
        """Load and check the model; what comes of it is in the attempt."""
        assert self._load is not None
        try:
            attempt.found = self._loaded_by(self._load, attempt)
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
            attempt.error = error
            attempt.reason = attempt.reason or str(error) or type(error).__name__
        finally:
            with self._lock:
                self._found, self._attempt = attempt.found, None
            attempt.over.set()

    def _loaded_by(self, load: Callable[[], Any], attempt: _Attempt) -> tuple[Model, StageSet]:
        try:
            given = load()
        except BaseException as error:
            attempt.reason = (
                f"the model could not be loaded: {_name(load)} raised {type(error).__name__}"
                f"{f': {error}' if str(error) else ''}. Ask again to have it called once more."
            )
            raise
        try:
            model = checked_model(given)
        except TypeError as error:
            attempt.reason = f"{_name(load)} should return a model, not {shown(given)}: {error}"
            raise
        return model, self._check(model)


class _Attempt:
    """One call of the function."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.thread: threading.Thread | None = None
        self.found: tuple[Model, StageSet] | None = None
        self.error: BaseException | None = None
        self.reason = ""


def is_function(given: Any) -> bool:
    """Tell whether this is a function; models and classes of models can be called as well."""
    return inspect.isroutine(given) or isinstance(given, functools.partial)


def _require_no_arguments(function: Callable[..., Any]) -> None:
    if inspect.iscoroutinefunction(function):
        raise TypeError(
            f"{_name(function)} is a coroutine: the function that loads the model must return it."
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some functions written in C have none.
        return
    try:
        signature.bind()
    except TypeError as error:
        raise TypeError(
            f"the function that loads the model is called without arguments, but "
            f"{_name(function)} cannot be: {error}. Give one that fills them in, such as "
            "model=lambda: load(name)."
        ) from error


def _name(function: Callable[..., Any]) -> str:
    if isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", "") or type(function).__name__
    return f"{name.rpartition('.')[2]}()" if "<lambda>" not in name else "the lambda"
