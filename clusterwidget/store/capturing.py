"""Capturing to disk: stages that need not fit into memory, and a capture that can go on.

Examples are run in blocks, each a whole number of batches. After a block its vectors are in the
files, and then `capture.json` says so: a capture that is killed loses the block under way, and the
next one begins with that block. Since all blocks consist of the same batches, what is captured is
bit for bit that of a capture that was not broken off.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterwidget.activations.activations import Consumer
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.setting import Setting
from clusterwidget.store.arrays import write_array, write_group
from clusterwidget.store.files import read_json, require_checksum, with_checksum
from clusterwidget.store.growing import GrowingArray
from clusterwidget.store.leftovers import locked
from clusterwidget.store.reading import Store, is_other, model_fingerprint
from clusterwidget.store.saving import bases_of
from clusterwidget.store.writing import require_free, stage_attributes, write_rest

Matrix = npt.NDArray[np.float32]

PRECISIONS = ("float32", "float16")

_JOURNAL = "capture.json"
_BLOCK_BYTES = 1 << 26
_PAIRS = 200


def capture_to(
    path: Path, setting: Setting, stages: Sequence[Stage], precision: str, watch: Watch
) -> Store:
    """Run the model on all examples and write stages into a new exploration, block by block.

    Parameters
    ----------
    path : Path
        Nothing is there until all is captured: until then it grows in a hidden folder beside it.
    setting : Setting
    stages : sequence of Stage
    precision : str
        One of `PRECISIONS`, in which vectors are kept.
    watch : Watch

    Returns
    -------
    Store
        What was written; the same one again where it is there already.

    Raises
    ------
    CaptureCancelledError
        What is finished is kept for the next call.
    FileExistsError, FileNotFoundError, ValueError, OSError
        Before work begins where it can be told then: where the path holds something else, another
        process writes there, an unfinished capture there is of something else, or the disk is full.
    """
    require_free(path)
    if path.exists() and any(path.iterdir()):
        return _finished(path, setting, stages)
    with _locked(path) as working:
        job = _Job(working, setting, stages, precision)
        job.require_room()
        with watch.bar(len(setting.examples)) as watch:
            job.run(watch)
        job.finish()
        if path.exists():
            path.rmdir()
        working.rename(path)
    return Store(path)


def unfinished(path: Path) -> Path:
    """Return the hidden folder in which a capture to a path grows."""
    path = path.absolute()
    return path.with_name(f".{path.name}.capturing")


def _finished(path: Path, setting: Setting, stages: Sequence[Stage]) -> Store:
    store = Store(path)
    saved, own = store.examples(), setting.examples
    same = np.array_equal(saved.tokens, own.tokens) and saved.inputs.marks() == own.inputs.marks()
    if same and store.stages.issuperset(stages):
        return store
    what = "the same stages" if not same else "all of these stages"
    raise FileExistsError(
        f"{path} is a saved exploration, and not of these examples with {what}: choose another "
        "name, or remove it."
    )


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    """Yield the folder that grows, locked; it is left as it is afterwards."""
    working = unfinished(path)
    working.mkdir(exist_ok=True)
    lock = locked(working, wait=False)
    if lock is None and sys.platform != "win32":
        raise FileExistsError(
            f"another process is capturing to {path}: wait until it is done, or choose another "
            "name."
        )
    try:
        yield working
    finally:
        if lock is not None:
            os.close(lock)


class _Job:
    """A capture that is under way, begun here or by a call that was broken off."""

    def __init__(
        self, working: Path, setting: Setting, stages: Sequence[Stage], precision: str
    ) -> None:
        assert setting.model is not None
        self._working, self._setting, self._stages = working, setting, list(stages)
        self._dtype = np.dtype(precision).newbyteorder("<")
        self._n = len(setting.examples)
        self._batch = setting.activations.batch_rows(self._stages)
        self._error = _Error(precision)
        fingerprint = model_fingerprint(setting.model, setting.stages, setting.examples.inputs)
        self._plan = self._planned()
        known = self._known(fingerprint)
        self._fingerprint = fingerprint
        self._identity: str = known["identity"]
        self._done: int = known["done"]
        self._arrays = {
            stage: GrowingArray(
                working,
                f"stages/{at}",
                (self._n, setting.stages.width(stage)),
                self._dtype,
                known["chunks"][at],
            )
            for at, stage in enumerate(self._stages)
        }
        for array in self._arrays.values():
            array.require_written(self._done)

    def require_room(self) -> None:
        """Raise OSError where the disk has no room for what is to come."""
        needed = (self._n - self._done) * self._row_bytes()
        free = shutil.disk_usage(self._working).free
        if needed > free:
            raise OSError(
                errno.ENOSPC,
                f"{len(self._stages)} stages of {self._n:,} examples take {needed / 1e9:.1f} GB "
                f"more on disk, and {free / 1e9:.1f} GB are free: free some, choose fewer stages "
                "or precision='float16'.",
                str(self._working.parent),
            )

    def run(self, watch: Watch) -> None:
        """Capture what is not done."""
        size = self._batch * max(1, _BLOCK_BYTES // self._row_bytes() // self._batch)
        watch.step(self._done, self._n)
        for start in range(self._done, self._n, size):
            stop = min(start + size, self._n)
            block = {
                stage: np.empty((stop - start, self._width(stage)), self._dtype)
                for stage in self._stages
            }

            self._setting.activations.run(
                self._stages,
                slice(start, stop),
                self._into(block, start),
                watch.onward(start, self._n),
            )
            try:
                for stage, rows in block.items():
                    self._arrays[stage].append(start, rows)
                self._write_journal(stop)
            except OSError as error:
                raise self._no_room(error, start) from error

    def finish(self) -> None:
        """Describe what was captured: it is an exploration then."""
        names = {str(stage): array.name for stage, array in self._arrays.items()}
        checksums = {
            array.name: array.finish(stage_attributes(stage, self._identity))
            for stage, array in self._arrays.items()
        }
        shutil.rmtree(self._working / "fingerprint")
        write_rest(
            self._working,
            self._identity,
            self._setting.examples,
            self._setting.stages,
            names,
            checksums,
            bases_of(self._setting, self._stages),
            dict,
            self._fingerprint,
        )
        (self._working / _JOURNAL).unlink()
        self._error.tell()

    def _into(self, block: Mapping[Stage, npt.NDArray[Any]], start: int) -> Consumer:
        def keep(stage: Stage, first: int, rows: Matrix) -> None:
            self._keep(stage, start + first, rows, block[stage][first : first + len(rows)])

        return keep

    def _keep(self, stage: Stage, example: int, rows: Matrix, into: npt.NDArray[Any]) -> None:
        with np.errstate(over="ignore"):
            into[:] = rows
        if not np.isfinite(into).all():
            at = example + int(np.flatnonzero(~np.isfinite(into).all(axis=1))[0])
            if np.isfinite(rows).all():
                raise ValueError(
                    f"stage {stage} of example {at} holds {np.abs(rows).max():.3g}, which "
                    "precision='float16' cannot hold: use precision='float32'."
                )
            raise ValueError(
                f"stage {stage} of example {at} holds NaN or infinity: leave that example out, or "
                "run the model in float32."
            )
        self._error.look(stage, rows, into)

    def _known(self, fingerprint: Matrix) -> dict[str, Any]:
        """Return how far the capture is; begin it where nothing is there."""
        plan = self._plan
        if not (self._working / _JOURNAL).exists():
            # What is there was begun and never counted.
            for left in self._working.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            write_group(self._working, "stages")
            for at in range(len(self._stages)):
                (self._working / f"stages/{at}").mkdir()
            write_array(self._working, "fingerprint", fingerprint)
            crcs: list[list[int]] = [[] for _ in self._stages]
            known = {"identity": uuid.uuid4().hex, "plan": plan, "done": 0, "chunks": crcs}
            self._write(known)
            return known
        known = read_json(self._working, _JOURNAL)
        try:
            require_checksum(known)
        except ValueError as error:
            raise ValueError(
                f"{self._working} is damaged: {_JOURNAL} is not as it was written. Remove that "
                "folder, and capture again."
            ) from error
        before = np.fromfile(self._working / "fingerprint" / "0.0.0", np.float32)
        other_model = before.size != fingerprint.size or is_other(
            before.reshape(fingerprint.shape), fingerprint
        )
        if known["plan"] != plan or other_model:
            what = "another model" if other_model else "other examples, stages or precision"
            raise ValueError(
                f"an unfinished capture of {what} is in {self._working}: go on with what it was "
                "begun with, choose another name, or remove that folder."
            )
        return known

    def _planned(self) -> str:
        """Return what tells this capture from others."""
        inputs = self._setting.examples.inputs
        digest = hashlib.sha256()
        for array in (inputs.tokens, inputs.lengths, inputs.columns):
            digest.update(
                b"-" if array is None else np.ascontiguousarray(array, np.int64).tobytes()
            )
        digest.update(repr([str(stage) for stage in self._stages]).encode())
        digest.update(repr((self._dtype.str, self._n, self._batch)).encode())
        return digest.hexdigest()

    def _write_journal(self, done: int) -> None:
        self._done = done
        crcs = [array.checksums for array in self._arrays.values()]
        self._write({"identity": self._identity, "plan": self._plan, "done": done, "chunks": crcs})

    def _write(self, known: dict[str, Any]) -> None:
        new = self._working / f"{_JOURNAL}.new"
        new.write_bytes(with_checksum(known))
        new.replace(self._working / _JOURNAL)

    def _no_room(self, error: OSError, done: int) -> OSError:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return error
        return OSError(
            error.errno,
            f"the disk is full after {done:,} of {self._n:,} examples: free some room and make the "
            "same call again, which goes on from there.",
            str(self._working.parent),
        )

    def _width(self, stage: Stage) -> int:
        return self._setting.stages.width(stage)

    def _row_bytes(self) -> int:
        return sum(map(self._width, self._stages)) * self._dtype.itemsize


class _Error:
    """How far distances change by the precision in which vectors are kept, on the first rows."""

    def __init__(self, precision: str) -> None:
        self._precision = precision
        self._worst: dict[Stage, float] = {}

    def look(self, stage: Stage, rows: Matrix, kept: npt.NDArray[Any]) -> None:
        """Compare distances between neighboring rows, once for each stage."""
        if stage in self._worst or self._precision == "float32" or len(rows) < 2:
            return
        exact, rounded = (
            np.linalg.norm(np.diff(some[:_PAIRS].astype(np.float64), axis=0), axis=1)
            for some in (rows, kept)
        )
        there = exact > 0
        changes = np.abs(rounded - exact)[there] / exact[there]
        self._worst[stage] = float(changes.max(initial=0))

    def tell(self) -> None:
        """Say what was found."""
        if not self._worst:
            return
        stage = max(self._worst, key=lambda one: self._worst[one])
        print(
            f"{self._precision}: distances change by up to {self._worst[stage]:.2%} (of {_PAIRS} "
            f"pairs a stage; most at {stage}, median of stages "
            f"{np.median(list(self._worst.values())):.2%})."
        )
