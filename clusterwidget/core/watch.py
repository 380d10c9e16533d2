"""Progress and cancellation of whatever takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""
Cancelled = Callable[[], bool]
"""Asked now and then whether to stop."""


class CaptureCancelledError(Exception):
    """The capture was called off; nothing of the pass under way was kept."""


@contextmanager
def reported(progress: Progress | None, total: int, unit: str = "example") -> Iterator[Progress]:
    """Yield a function of (done, total): the one given, or one that draws a bar after a second."""
    if progress is not None:
        yield progress
        return
    # Not tqdm.auto: a bar that is a widget is an error in a Voila page once it is closed.
    from tqdm import tqdm

    # A notebook paints what is left of stderr red.
    file = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    with tqdm(total=total, unit=f" {unit}s", delay=1.0, leave=False, file=file) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report
