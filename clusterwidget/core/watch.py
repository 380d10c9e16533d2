"""Watch: progress and cancellation of whatever takes long, handed on together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clusterwidget.core.notebook import in_notebook

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""
Cancelled = Callable[[], bool]
"""Asked now and then whether to stop."""


class CaptureCancelledError(Exception):
    """The work was called off; nothing of the pass under way was kept."""


class Watch:
    """Reports progress, and stops work that was called off.

    Parameters
    ----------
    progress : function of (done, total), optional
    cancelled : function, optional
        Where it returns true, the next step raises ``CaptureCancelledError``.
    pause : function, optional
        Called between two steps, to let other work pass.
    waiting : function of a text, optional
        Called again and again, while something goes on that cannot be counted, with what it is;
        it may let other work pass.

    Raises
    ------
    TypeError
        For what cannot be called.

    Examples
    --------
    >>> watch = Watch(progress=lambda done, total: print(f"{done} of {total}"))
    >>> watch.step(1, 2)
    1 of 2
    >>> Watch(cancelled=lambda: True).step(1, 2)
    Traceback (most recent call last):
    ...
    clusterwidget.core.watch.CaptureCancelledError
    """

    def __init__(
        self,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        pause: Callable[[], None] | None = None,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        for name, given in (
            ("progress", progress),
            ("cancelled", cancelled),
            ("pause", pause),
            ("waiting", waiting),
        ):
            if given is not None and not callable(given):
                raise TypeError(f"{name} must be a function, not {given!r}; leave it out for none.")
        self._progress = progress
        self._cancelled = cancelled
        self._pause = pause
        self._waiting = waiting
        self.done = 0
        """What the latest step counted."""

    @classmethod
    def of(cls, progress: Progress | Watch | None, cancelled: Cancelled | None = None) -> Watch:
        """Return a watch as it is, or one of these two functions."""
        return progress if isinstance(progress, Watch) else cls(progress, cancelled)

    def step(self, done: int, total: int) -> None:
        """Report progress; raise ``CaptureCancelledError`` where the work was called off."""
        self.done = done
        if self._progress is not None:
            self._progress(done, total)
        self.check()

    def check(self) -> None:
        """Let other work pass; raise ``CaptureCancelledError`` where this was called off."""
        if self._pause is not None:
            self._pause()
        if self._cancelled is not None and self._cancelled():
            raise CaptureCancelledError

    def quiet(self) -> Watch:
        """Return a watch that reports nothing, for work whose caller reports progress itself."""
        return Watch(_nothing, self._cancelled, self._pause, self._waiting)

    def onward(self, before: int, total: int | None = None) -> Watch:
        """Return a watch for one part of the work, which counts on from `before` to `total`.

        By default the total is that of the part, after what was done before.
        """

        def report(done: int, of: int) -> None:
            self.done = before + done
            if self._progress is not None:
                self._progress(self.done, before + of if total is None else total)

        return Watch(report, self._cancelled, self._pause, self._waiting)

    @contextmanager
    def bar(self, total: int, unit: str = "example") -> Iterator[Watch]:
        """Yield this watch, or one that draws a progress bar after a second where it has none."""
        if self._progress is not None or not _is_watched():
            yield self
            return
        # Not tqdm.auto: a bar that is a widget is an error in a Voila page once it is closed.
        from tqdm import tqdm

        # A notebook paints what is left of stderr red.
        file = sys.stdout if in_notebook() else sys.stderr
        with tqdm(total=total, unit=f" {unit}s", delay=1.0, leave=False, file=file) as bar:

            def draw(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            yield Watch(draw, self._cancelled, self._pause, self._waiting)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[], None]]:
        """Yield a function to call now and then while something goes on that cannot be counted.

        It says what that is, where somebody listens, or in a line on the screen after a second.
        """

        def told() -> None:
            if self._waiting is not None:
                self._waiting(what)
            self.check()

        if self._waiting is not None or self._progress is not None or not _is_watched():
            yield told
            return
        from tqdm import tqdm

        file = sys.stdout if in_notebook() else sys.stderr
        form = "{desc}: {elapsed}"
        with tqdm(desc=what, bar_format=form, delay=1.0, leave=False, file=file) as bar:

            def drawn() -> None:
                bar.update()
                self.check()

            yield drawn


def _is_watched() -> bool:
    """Whether a person sees what is printed: a bar fills the log of a program without end."""
    return in_notebook() or sys.stderr.isatty()


def _nothing(done: int, total: int) -> None:
    """Report nothing."""
