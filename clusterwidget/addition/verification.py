"""How many problems the model gets wrong: of a sample, or of all there are.

A problem is right when all five digits of the sum are, each given the true digits before it. Where
every digit of every problem is right, the model that writes its own digits one by one is right too.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge

from clusterwidget.core.files import write_whole
from clusterwidget.model.running import threads

from .arithmetic import (
    ABOVE,
    BELOW,
    DIGITS,
    FIRST_ANSWER,
    NINE,
    NUMBERS,
    Ints,
    draw_columns,
    label,
    sum_digits,
    tokens,
)
from .exhaustive import ProblemTree, least_margin
from .model import fingerprint

OnProgress = Callable[[int], None]
"""Called with how many more problems have been checked."""

_KEPT_FAILURES = 10


@dataclass
class Tally:
    """What has been found so far.

    Attributes
    ----------
    checked, wrong : int
    smallest_margin : float
        The least, over all problems and digits, of the right digit's logit less the best other
        token's. Rounding moves it by less than 1e-4 in float32: far above that, no other order of
        summation, and so no other machine, makes a problem wrong.
    tightest : str
        The problem it was found at.
    failures : list of str
        The first few wrong problems.
    """

    checked: int = 0
    wrong: int = 0
    smallest_margin: float = math.inf
    tightest: str = ""
    failures: list[str] = field(default_factory=list)

    def add(self, left: Ints, right: Ints, margins: Tensor) -> None:
        """Count problems ``left + right``; all three are of shape (n,)."""
        # What is no number is not right either.
        margins = margins.nan_to_num(nan=-math.inf)
        wrong = torch.nonzero(margins <= 0).flatten().tolist()
        least = int(margins.argmin())
        found = Tally(
            len(margins),
            len(wrong),
            float(margins[least]),
            label(int(left[least]), int(right[least])),
            [label(int(left[i]), int(right[i])) for i in wrong[:_KEPT_FAILURES]],
        )
        self.include(found)

    def include(self, other: Tally) -> None:
        """Add what another tally found."""
        self.checked += other.checked
        self.wrong += other.wrong
        if other.smallest_margin < self.smallest_margin:
            self.smallest_margin, self.tightest = other.smallest_margin, other.tightest
        self.failures = (self.failures + other.failures)[:_KEPT_FAILURES]


@torch.inference_mode()
def margins(model: TransformerBridge, left: Ints, right: Ints) -> Tensor:
    """Return by how much each problem is right, by the model's own forward.

    Parameters
    ----------
    model : TransformerBridge
    left, right : (n,) ints

    Returns
    -------
    (n,) float32
        `least_margin` of each.
    """
    device = next(model.parameters()).device
    logits = model(torch.from_numpy(tokens(left, right)).to(device))[:, FIRST_ANSWER:]
    right_digits = torch.from_numpy(sum_digits(left, right)).to(device)
    return least_margin(logits, right_digits).cpu()


def sample(n: int = 1_000_000, each: int = 200, seed: int = 0) -> tuple[Ints, Ints]:
    """Return n uniform random problems, and ``each`` of every carry pattern.

    There are 81 patterns: each column sums to less than 9, to 9, or to more than 9.

    Returns
    -------
    left, right : (n + 81 * each,) int64
    """
    rng = np.random.default_rng(seed)
    left, right = rng.integers(NUMBERS, size=(2, n))
    patterns = np.array(list(itertools.product((BELOW, NINE, ABOVE), repeat=DIGITS)))
    pattern_left, pattern_right = draw_columns(patterns.repeat(each, axis=0), rng)
    return np.concatenate([left, pattern_left]), np.concatenate([right, pattern_right])


def verify_sample(
    model: TransformerBridge, left: Ints, right: Ints, on_progress: OnProgress | None = None
) -> Tally:
    """Count the wrong among given problems, by the model's own forward."""
    device = next(model.parameters()).device
    batch = 256 if device.type == "cpu" else 16_384

    def check(start: int) -> Tally:
        part = slice(start, start + batch)
        tally = Tally()
        tally.add(left[part], right[part], margins(model, left[part], right[part]))
        return tally

    total = Tally()
    with _workers(device) as pool:
        for found in pool.map(check, range(0, len(left), batch)):
            total.include(found)
            if on_progress is not None:
                on_progress(found.checked)
    return total


def verify_all(
    model: TransformerBridge,
    progress_file: Path,
    on_progress: OnProgress | None = None,
    lefts: Sequence[int] = range(NUMBERS),
    shard: int = 100,
) -> tuple[Tally, float]:
    """Count the wrong among all problems, by `ProblemTree`, and go on where a run was stopped.

    Parameters
    ----------
    model : TransformerBridge
    progress_file : Path
        What has been found, written whole after each shard. A later call with the same model
        does only what is missing.
    on_progress : callable, optional
        Called with how many more problems are checked, those of earlier runs at once.
    lefts : sequence of int
        The numbers on the left; each stands for 10,000 problems.
    shard : int
        How many numbers on the left are recorded together.

    Returns
    -------
    tally : Tally
    seconds : float
        Time taken, over all runs.

    Raises
    ------
    ValueError
        Where the progress file belongs to other weights or to another division into shards.
    """
    progress = _Progress(progress_file, fingerprint(model), lefts, shard)
    if on_progress is not None:
        on_progress(progress.total().checked)
    device = next(model.parameters()).device
    on_cpu = device.type == "cpu"
    # On a CPU a block's widest tensor stays in the cache; a GPU wants as much work as fits.
    tree = ProblemTree(model, block=50 if on_cpu else 10_000)
    together = 1 if on_cpu else 10

    def check(numbers: Sequence[int]) -> Tally:
        least = tree.margins(torch.tensor(numbers, device=device)).cpu()
        tally = Tally()
        left, right = np.repeat(numbers, NUMBERS), np.tile(np.arange(NUMBERS), len(numbers))
        tally.add(left, right, least.flatten())
        return tally

    with _workers(device) as pool:
        for index, numbers in progress.missing():
            started = time.monotonic()
            tally = Tally()
            starts = range(0, len(numbers), together)
            for found in pool.map(check, [numbers[start : start + together] for start in starts]):
                tally.include(found)
                if on_progress is not None:
                    on_progress(found.checked)
            progress.record(index, tally, time.monotonic() - started)
    return progress.total(), progress.seconds


@contextmanager
def _workers(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Give as many workers as keep the device busy.

    Each has one of torch's threads: operations this small gain nothing from being split, and
    lose much where the processor has other things to do.
    """
    pool = ThreadPoolExecutor((os.cpu_count() or 1) if device.type == "cpu" else 1)
    with threads(1):
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


class _Progress:
    """A file of what each shard of all problems came to."""

    def __init__(self, path: Path, model: str, lefts: Sequence[int], shard: int) -> None:
        self._path = path
        self._shards = [lefts[start : start + shard] for start in range(0, len(lefts), shard)]
        self._of = {"model": model, "problems": len(lefts) * NUMBERS, "shards": len(self._shards)}
        self._done: dict[str, dict[str, Any]] = {}
        self.seconds = 0.0
        if path.exists():
            self._read()

    def _read(self) -> None:
        way_out = "Give another --progress-file, or delete this one."
        try:
            found = json.loads(self._path.read_text())
            self._done, self.seconds, of = found["done"], found["seconds"], found["of"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self._path} holds no progress of `verify`. {way_out}") from error
        if of != self._of:
            raise ValueError(
                f"{self._path} is about {of}, and this run about {self._of}. {way_out}"
            )

    def missing(self) -> Iterator[tuple[int, Sequence[int]]]:
        """Shards that are still to do, with their left numbers."""
        for index, numbers in enumerate(self._shards):
            if str(index) not in self._done:
                yield index, numbers

    def record(self, index: int, tally: Tally, seconds: float) -> None:
        """Write down a shard's tally."""
        self._done[str(index)] = asdict(tally)
        self.seconds += seconds
        everything = {"of": self._of, "seconds": self.seconds, "done": self._done}
        write_whole(self._path, json.dumps(everything).encode())

    def total(self) -> Tally:
        """Sum over the shards that are done."""
        total = Tally()
        for found in self._done.values():
            total.include(Tally(**found))
        return total
